"""A renderer on the studio's own graphs and engine, in this process."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.obey.measure import Clip, read
from ltx_studio.engine import Engine, run_folders
from ltx_studio.events import Failed, Finished
from ltx_studio.graph import Workflow
from ltx_studio.media import InputPreparer
from ltx_studio.models.registry import load_registry
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings

Pictures = NDArray[np.uint8]
"""Frames, (F, H, W, 3)."""


def build(
    settings: Settings, mode: str, values: Mapping[str, Any], preset: str, strengths: Mapping[str, float]
) -> Workflow:
    """Return the studio's graph for a request, with its LoRAs at the given strengths."""
    spec = JobSpec.from_request(mode, values, load_registry().get_set("pocket"), preset)
    workflow = spec.build(InputPreparer(settings.inputs_dir, settings.models_dir / "loras"))
    return replace(workflow, graph=_with_loras_at(workflow.graph, strengths)) if strengths else workflow


class Renderer:
    """A renderer of requests that remembers the frames."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._settings, self._engine = settings, engine or Engine(settings)
        self._pictures: list[Pictures] = []

    def render(
        self, mode: str, values: Mapping[str, Any], *, preset: str = "fast", strengths: Mapping[str, float] = {}
    ) -> Clip:
        """See `Render`."""
        for event in self._engine.run(build(self._settings, mode, values, preset, strengths)):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished):
                clip = read(event.outputs[0].path)
                run_folders.discard(event.outputs[0].path)
                self._pictures.append((clip.frames * 255).round().astype(np.uint8))
                return clip
        raise SystemExit("stopped")

    def take_pictures(self) -> list[Pictures]:
        """Return the remembered clips' frames, and forget them."""
        pictures, self._pictures = self._pictures, []
        return pictures


def _with_loras_at(graph: Mapping[str, Any], strengths: Mapping[str, float]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(graph))
    for node in changed.values():
        strength = strengths.get(node["inputs"].get("lora_name", ""))
        if strength is not None:
            node["inputs"]["strength_model"] = strength
    return changed
