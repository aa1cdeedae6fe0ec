"""Image to video: a picture that comes to life."""

from collections.abc import Iterator

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.fields import Controlled, Params, Pictured, Sounding
from ltx_studio.modes.inputs import PICTURE_NODES, check_crop, set_picture
from ltx_studio.modes.phases import CONTROL, two_stage_phases


class ImageToVideo(Controlled, Sounding, Pictured, Params):
    """A prompt and a picture; a control clip when the motion is to follow one."""


def _patch(graph: Graph, params: ImageToVideo, prepare: PrepareInput) -> None:
    set_picture(graph, "Image", params.image, prepare)


def _check(params: ImageToVideo) -> Iterator[str]:
    return check_crop(params.image, params, "The picture")


I2V = Mode(
    id="i2v",
    label="Image to video",
    params=ImageToVideo,
    phases=two_stage_phases("i2v"),
    files=(*PICTURE_NODES, *CONTROL),
    patch=_patch,
    check=_check,
)
