"""The folders that cases run in, the good files that are changed into bad ones, and the node definitions."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ltx_studio.editor_format.draw import to_editor
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.graph.definitions import Definitions, load_definitions
from ltx_studio.media import InputStore, by_name
from ltx_studio.modes import MODES
from ltx_studio.pocket import files
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings, get_settings
from ltx_studio.takes.recipes import Recipe
from tests.fuzz.media_files import draw_media, tagged
from tests.fuzz.values import Json
from tests.samples import draw_samples
from tests.support import MODEL_SETS, OWN_WORKFLOWS, SMALL, TEMPLATES, load_golden_editor

LARGEST_SEED = 60_000
"""Bytes of a workflow that is changed again and again; larger ones add time and no new shapes."""
LORA = "style.safetensors"
FILES: Mapping[str, Mapping[str, str]] = {
    "t2v": {},
    "a2v": {"audio": "speech.wav"},
    "i2v": {"image": "image.png"},
    "lipsync": {"image": "image.png", "audio": "speech.wav"},
    "keyframe": {"first_image": "image.png", "last_image": "last.png"},
    "style": {"clip": "clip.mp4"},
}


@dataclass(frozen=True)
class Ground:
    """One target's place.

    Attributes:
        root: Holds ``samples`` (good files, in which cases run), ``home`` (the studio's), ``canaries`` and ``cases``.
    """

    root: Path

    @property
    def samples(self) -> Path:
        return self.root / "samples"

    @property
    def canaries(self) -> Path:
        return self.root / "canaries"

    @property
    def cases(self) -> Path:
        return self.root / "cases"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @cached_property
    def settings(self) -> Settings:
        return get_settings()

    @cached_property
    def definitions(self) -> Definitions:
        return load_definitions(snapshot_path(self.settings))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The node classes there are."""
        return tuple(json.loads(snapshot_path(self.settings).read_text(encoding="utf-8")))

    @cached_property
    def requests(self) -> dict[str, dict[str, Json]]:
        """A whole request for each mode; its files are named from `samples` on."""
        return {mode: {**SMALL, **given} for mode, given in FILES.items()}

    def spec(self, mode: str) -> JobSpec:
        """Return the request with its files where the studio keeps them."""
        keep = InputStore(self.settings.kept_dir)
        asked = JobSpec.from_request(mode, self.requests[mode], MODEL_SETS["pocket"])
        return asked.with_files(lambda path, kind: keep(path))

    @cached_property
    def mode_graphs(self) -> dict[str, Json]:
        """API format, as it runs."""
        return {mode: dict(self.spec(mode).build(by_name).graph) for mode in MODES}

    @cached_property
    def api_graphs(self) -> list[str]:
        """As JSON: of the modes, and what the editor makes of ComfyUI's templates."""
        graphs = [*self.mode_graphs.values(), *load_golden_editor().values()]
        texts = (json.dumps(graph) for graph in graphs if graph)
        return [text for text in texts if len(text) <= LARGEST_SEED]

    @cached_property
    def editor_workflows(self) -> list[str]:
        """As JSON: ComfyUI's templates, the tests' own, and the modes drawn."""
        paths = [path for folder in (TEMPLATES, OWN_WORKFLOWS) for path in sorted(folder.glob("*.json"))]
        texts = [path.read_text(encoding="utf-8") for path in paths if path.stat().st_size <= LARGEST_SEED]
        drawn = [json.dumps(to_editor(graph, self.definitions)) for graph in self.mode_graphs.values()]
        return [text for text in texts if '"nodes"' in text] + drawn

    def recipe(self, mode: str) -> dict[str, Json]:
        """Return the recipe of a take of that mode."""
        spec = self.spec(mode)
        inputs = {name: path.stem for name, path in spec.files().items()}
        stored = {
            **spec.as_dict(),
            "graph": self.mode_graphs[mode],
            "models": {},
            "inputs": inputs,
            "versions": {"x": "1"},
        }
        own: dict[str, Json] = json.loads(Recipe(**stored).model_dump_json())  # it will be changed
        return own

    @property
    def film(self) -> Path:
        return self.samples / "rolling.mp4"

    @cached_property
    def take(self) -> bytes:
        """A clip that carries a recipe and a workflow for the editor, as the studio writes it."""
        graph = self.mode_graphs["t2v"]
        drawn = to_editor(graph, self.definitions)
        return tagged(
            self.film,
            {"ltx_studio": json.dumps(self.recipe("t2v")), "prompt": json.dumps(graph), "workflow": json.dumps(drawn)},
        )

    @cached_property
    def media(self) -> dict[str, bytes]:
        return draw_media()


def prepare(root: Path, settings: Settings) -> Ground:
    """Make the folders, with samples and the node definitions of an installed studio."""
    ground = Ground(root)
    for folder in (ground.canaries, ground.cases, ground.home / "comfyui"):
        folder.mkdir(parents=True)
    (ground.canaries / "diary.txt").write_text("mine")
    for name, path in draw_samples(ground.samples).items():
        if name == "rolling":
            path.rename(ground.film)
    shutil.copyfile(files.SHIPPED / files.STYLE_LORA, ground.samples / LORA)
    snapshot = snapshot_path(settings)
    shutil.copyfile(snapshot, ground.home / "comfyui" / snapshot.name)
    return ground


def environment(ground: Ground, settings: Settings, repository: Path) -> dict[str, str]:
    """Return the variables of a process that runs cases."""
    from ltx_studio.engine import comfyui

    paths = [str(repository), *filter(None, [os.environ.get("PYTHONPATH")])]
    ours = {
        "LTX_STUDIO_HOME": str(ground.home),
        "LTX_STUDIO_COMFY_DIR": str(comfyui.find(settings).path),
        "PYTHONPATH": os.pathsep.join(paths),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(ground.root / "hypothesis"),
        "OMP_NUM_THREADS": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    kept: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("LTX_STUDIO_")}
    return {**kept, **ours}
