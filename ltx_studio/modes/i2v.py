"""Image to video: animates a picture."""

from collections.abc import Iterator

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.examples import FILES, LONG, SHORT, Example, real
from ltx_studio.modes.fields import Controlled, Params, Pictured, Sounding
from ltx_studio.modes.inputs import PICTURE_NODES, check_crop, set_picture
from ltx_studio.modes.phases import CONTROL, two_stage_phases


class ImageToVideo(Controlled, Sounding, Pictured, Params):
    """A prompt and a picture; a control clip when the motion is to follow one."""


def _patch(graph: Graph, params: ImageToVideo, prepare: PrepareInput) -> None:
    set_picture(graph, "Image", params.image, prepare)


def _check(params: ImageToVideo) -> Iterator[str]:
    return check_crop(params.image, params, "The picture")


_BALL = {"image": FILES / "ball-left.png"}
_TRIANGLE = {"image": FILES / "triangle.png"}

_EXAMPLES = (
    Example("The ball rolls", {"prompt": "a blue circle moves right on a white background", **_BALL, **SHORT}),
    Example("The ball bounces", {"prompt": "a blue circle bounces on a white background", **_BALL, **SHORT}),
    Example("The triangle pulses", {"prompt": "a yellow triangle pulses on a navy background", **_TRIANGLE, **SHORT}),
    real(
        "A ball on a studio floor",
        "A smooth blue ball lies on a bright white studio floor. It begins to roll to the right, slowly at first, "
        "then faster, and a soft shadow glides along beneath it. The camera stays close to the ground and pans to "
        "follow. The ball rumbles low on the hard floor and fades as it leaves.",
        **_BALL,
        **LONG,
    ),
)

I2V = Mode(
    id="i2v",
    label="Image to video",
    params=ImageToVideo,
    phases=two_stage_phases("i2v"),
    files=(*PICTURE_NODES, *CONTROL),
    patch=_patch,
    check=_check,
    placeholder="A blue circle moves right on a white background",
    examples=_EXAMPLES,
)
