"""First and last frame: a clip that leads from one picture to another. Both are pinned again after upscaling."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.examples import FILES, LONG, SHORT, Example, real
from ltx_studio.modes.fields import COMPRESSION, Controlled, Media, Params, Sounding, feeds
from ltx_studio.modes.inputs import check_crop, set_picture
from ltx_studio.modes.phases import CONTROL, two_stage_phases

_NODES = tuple(f"{frame}{part}" for frame in ("First frame", "Last frame") for part in ("", " crop", " compression"))


class FirstLastFrame(Controlled, Sounding, Params):
    """A prompt and two pictures; a control clip when the motion is to follow one."""

    first_image: Annotated[Path, Field(title="First frame", description="First frame of the clip."), Media.PICTURE]
    last_image: Annotated[Path, Field(title="Last frame", description="Last frame of the clip."), Media.PICTURE]
    first_strength: Annotated[
        float,
        Field(title="First frame strength", description="How closely to follow it.", ge=0, le=1),
        feeds("Stage 1 first frame.strength", "Stage 2 first frame.strength"),
    ] = 1.0
    last_strength: Annotated[
        float,
        Field(title="Last frame strength", description="How closely to follow it.", ge=0, le=1),
        feeds("Stage 1 last frame.strength", "Stage 2 last frame.strength"),
    ] = 1.0
    image_compression: Annotated[
        int,
        COMPRESSION,
        feeds("First frame compression.img_compression", "Last frame compression.img_compression"),
    ] = 18


def _patch(graph: Graph, params: FirstLastFrame, prepare: PrepareInput) -> None:
    set_picture(graph, "First frame", params.first_image, prepare)
    set_picture(graph, "Last frame", params.last_image, prepare)


def _check(params: FirstLastFrame) -> Iterator[str]:
    yield from check_crop(params.first_image, params, "The first frame")
    yield from check_crop(params.last_image, params, "The last frame")


_TO_THE_LEFT = {"first_image": FILES / "ball-right.png", "last_image": FILES / "ball-left.png"}
_TO_THE_RIGHT = {"first_image": FILES / "ball-left.png", "last_image": FILES / "ball-right.png"}
_UP = {"first_image": FILES / "square-low.png", "last_image": FILES / "square-high.png"}

_EXAMPLES = (
    Example(
        "From left to right",
        {"prompt": "a blue circle moves right on a white background", **_TO_THE_RIGHT, **SHORT},
    ),
    Example(
        "From right to left", {"prompt": "a blue circle moves left on a white background", **_TO_THE_LEFT, **SHORT}
    ),
    Example("From bottom to top", {"prompt": "a green square moves up on a black background", **_UP, **SHORT}),
    real(
        "A ball rolls across",
        "A blue ball stands at the left edge of a bright white stage. Someone out of frame taps it; it "
        "rolls across in one smooth movement, slows down, and comes to rest at the right edge. The camera is "
        "static, the light soft and even. A short tap, a low rumble, then silence.",
        **_TO_THE_RIGHT,
        **LONG,
    ),
)

KEYFRAME = Mode(
    id="keyframe",
    label="First and last frame",
    params=FirstLastFrame,
    phases=two_stage_phases("keyframe"),
    files=(*_NODES, *CONTROL),
    patch=_patch,
    check=_check,
    keep_first_sound=False,
    placeholder="A blue circle moves right on a white background",
    examples=_EXAMPLES,
)
