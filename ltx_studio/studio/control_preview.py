"""Previews of what a control takes from a clip: frames of the clip above their control maps."""

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ltx_studio import sandbox
from ltx_studio.advice import Advice, Do
from ltx_studio.cancel import CancelToken
from ltx_studio.engine import run_folders
from ltx_studio.errors import ExecutionError, RequestError, StoppedError
from ltx_studio.events import Failed, Finished
from ltx_studio.fileio import whole
from ltx_studio.graph import Graph, Phase, Workflow
from ltx_studio.media import PrepareInput
from ltx_studio.media.edge_look import Part, few_pictures, look_at_edges, map_of_edges
from ltx_studio.media.edges import USUAL_THRESHOLD
from ltx_studio.models import ModelFile, Registry
from ltx_studio.modes import get_mode
from ltx_studio.modes.fields import Controlling
from ltx_studio.modes.steering import used_part
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.runners.protocol import UNWIND_SECONDS, Runner
from ltx_studio.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMNS = 3
"""How many frames to show, spread over the used part of the clip."""

_WIDEST = 480
"""The largest width of each frame in the preview, in pixels."""

_FRAMES = 9
"""The shortest legal clip: how many maps a graph makes for the preview."""


def preview_control(spec: JobSpec, destination: Path, settings: Settings, cancel: CancelToken) -> None:
    """Write the same as `write_control_preview`, with an engine of its own; needs no database."""
    from ltx_studio.runners.local import LocalRunner

    runner = LocalRunner(settings)
    try:
        write_control_preview(spec, destination, runner, cancel)
    finally:
        runner.close(UNWIND_SECONDS)


def write_control_preview(spec: JobSpec, destination: Path, runner: Runner, cancel: CancelToken) -> Path:
    """Write a PNG with frames of the control clip above the maps that steer the run.

    Canny is computed here; depth and pose need models, which run in the engine.

    Args:
        spec: The request.
        destination: The path of the PNG; an existing file is replaced.
        runner: Makes the maps that need models.
        cancel: Stops the run.

    Raises:
        RequestError: The request has no control clip, or the clip cannot be read.
        StudioError: The maps cannot be made: a model file is missing, or the run failed.
        OSError: The PNG cannot be written.
    """
    part, how = part_of(spec), spec.params
    if part is None or not isinstance(how, Controlling):
        raise RequestError("There is no control clip to preview.", "Add a control clip.")
    if how.control in ("canny", "ready"):
        sheet = sandbox.read(_sheet_of, part.path, part, how.control, _threshold(part, how))
    else:
        made = run_maps(spec, runner, cancel)
        try:
            sheet = sandbox.read(_sheet_of_both, part.path, part, replace(part, path=made, start=0.0))
        finally:
            run_folders.discard(made)
    with whole(destination) as partial:
        partial.write_bytes(sheet)
    return destination


def _threshold(part: Part, how: Controlling) -> float:
    """Return Canny's threshold: the request's, or the one that fits; the usual one if none is needed."""
    if how.edge_threshold is not None:
        return how.edge_threshold
    return look_at_edges(part).threshold if how.control == "canny" else USUAL_THRESHOLD


def part_of(spec: JobSpec) -> Part | None:
    """Return the part of the control clip that a request uses; None if it has none."""
    return used_part(spec.params, get_mode(spec.mode).size_in_graph(spec.params, spec.sampling))


def run_maps(spec: JobSpec, runner: Runner, cancel: CancelToken) -> Path:
    """Have the engine make a video of the control maps alone, `_FRAMES` from the whole used part, and return its path.

    It is in the run's folder in staging, which the caller removes with `run_folders.discard`.

    Raises:
        StudioError: The maps cannot be made.
    """
    for event in runner.run(_Maps(spec), cancel):
        match event:
            case Finished(outputs=outputs) if outputs:
                return outputs[0].path
            case Failed(error):
                raise error
    if cancel.cancelled:
        raise StoppedError("Stopped.", "Nothing was saved.")
    raise ExecutionError("The control map could not be made.", "Try again, or choose another control.")


class _Maps:
    """The part of a request that makes only the control maps."""

    def __init__(self, spec: JobSpec) -> None:
        self._spec = spec

    @property
    def fresh(self) -> bool:
        return False

    def files(self) -> dict[str, Path]:
        return {}  # a preview keeps no files

    @property
    def pocket(self) -> Do:
        return self._spec.pocket

    def fetch_advice(self, missing: list[ModelFile], registry: Registry) -> Advice:
        return self._spec.fetch_advice(missing, registry)

    def build(self, prepare: PrepareInput) -> Workflow:
        return maps_only(self._spec, prepare)


def maps_only(spec: JobSpec, prepare: PrepareInput) -> Workflow:
    """Return the request's graph, reduced to what makes the control maps, for a few frames.

    Args:
        spec: A request with a control clip whose control is not a `ready` map.
        prepare: Makes the clip ready for the graph.
    """
    part = part_of(spec)
    seconds = max(part.seconds, 0.1) if part is not None else 1.0
    silent = {"sound": "generated"} if hasattr(spec.params, "sound") else {}
    few = spec.params.model_copy(update={"seconds": seconds, "fps": _FRAMES / seconds, "loras": (), **silent})
    graph = Graph(replace(spec, params=few).build(prepare).graph)
    graph.connect("Video", "images", ("Control", 0))
    graph.disconnect("Video", "audio")
    graph.prune(f"Save {spec.mode}")
    return Workflow("control-map", graph.to_api(), (Phase("control", "Make the control map", ("Control",)),))


def _sheet_of(_path: Path, part: Part, control: str, threshold: float) -> bytes:
    pictures = few_pictures(part, COLUMNS)
    maps = pictures if control == "ready" else [map_of_edges(picture, threshold) for picture in pictures]
    return _drawn(pictures, maps)


def _sheet_of_both(_path: Path, part: Part, made: Part) -> bytes:
    return _drawn(few_pictures(part, COLUMNS), few_pictures(made, COLUMNS))


def _drawn(pictures: "list[NDArray[np.uint8]]", maps: "list[NDArray[np.uint8]]") -> bytes:
    """Return a PNG with the frames in a row above their maps."""
    from PIL import Image

    height, width = pictures[0].shape[:2]
    scale = min(1.0, _WIDEST / width)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    sheet = Image.new("RGB", (across * len(pictures), down * 2))
    for row, row_of in enumerate((pictures, maps)):
        for column, pixels in enumerate(row_of):
            picture = Image.fromarray(pixels).resize((across, down), Image.Resampling.LANCZOS)
            sheet.paste(picture, (column * across, row * down))
    out = io.BytesIO()
    sheet.save(out, format="PNG")
    return out.getvalue()
