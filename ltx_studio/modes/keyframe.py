"""First and last frame: a clip that leads from one picture to another. Both are pinned again after the upscale."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.fields import COMPRESSION, Controlled, Media, Params, Sounding, feeds
from ltx_studio.modes.inputs import check_crop, set_picture
from ltx_studio.modes.phases import CONTROL, two_stage_phases

_NODES = tuple(f"{frame}{part}" for frame in ("First frame", "Last frame") for part in ("", " crop", " compression"))


class FirstLastFrame(Controlled, Sounding, Params):
    """A prompt and two pictures; a control clip when the motion is to follow one."""

    first_image: Annotated[Path, Field(title="First frame", description="What the clip begins with."), Media.PICTURE]
    last_image: Annotated[Path, Field(title="Last frame", description="What the clip ends with."), Media.PICTURE]
    first_strength: Annotated[
        float,
        Field(title="First frame strength", description="How closely to keep to it.", ge=0, le=1),
        feeds("Stage 1 first frame.strength", "Stage 2 first frame.strength"),
    ] = 1.0
    last_strength: Annotated[
        float,
        Field(title="Last frame strength", description="How closely to keep to it.", ge=0, le=1),
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


KEYFRAME = Mode(
    id="keyframe",
    label="First and last frame",
    params=FirstLastFrame,
    phases=two_stage_phases("keyframe"),
    files=(*_NODES, *CONTROL),
    patch=_patch,
    check=_check,
    keep_first_sound=False,
)
