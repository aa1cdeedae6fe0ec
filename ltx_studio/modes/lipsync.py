"""Lipsync: a portrait that speaks or sings the user's sound, which is kept unchanged."""

from collections.abc import Iterator

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.examples import FILES, Example, real
from ltx_studio.modes.fields import Controlled, Pictured
from ltx_studio.modes.inputs import (
    PICTURE_NODES,
    SOUND_NODES,
    VoicedParams,
    check_crop,
    check_sound,
    length_of_sound,
    set_picture,
    set_sound,
)
from ltx_studio.modes.phases import CONTROL, two_stage_phases


class Lipsync(Controlled, Pictured, VoicedParams):
    """A prompt, a portrait and speech; a control clip when the motion is to follow one."""


def _patch(graph: Graph, params: Lipsync, prepare: PrepareInput) -> None:
    set_picture(graph, "Image", params.image, prepare)
    set_sound(graph, params, prepare)


def _check(params: Lipsync) -> Iterator[str]:
    yield from check_sound(params)
    yield from check_crop(params.image, params, "The picture")


_FACE = {"image": FILES / "face.png"}
_OTHER_FACE = {"image": FILES / "other-face.png"}
_OTHER_VOICE = {"audio": FILES / "other-voice.wav"}
_VOICE = {"audio": FILES / "voice.wav"}

_EXAMPLES = (
    Example("A face speaks", {"prompt": "a face talks on a white background", **_FACE, **_VOICE}),
    Example("Another face", {"prompt": "a face talks on a gray background", **_OTHER_FACE, **_VOICE}),
    Example("Another voice", {"prompt": "a face talks on a gray background", **_OTHER_FACE, **_OTHER_VOICE}),
    real(
        "A cartoon presenter",
        "A cheerful cartoon character looks straight into the camera and speaks with lively expression: the mouth "
        "follows every syllable, the eyebrows rise on stressed words, and the head nods a little between "
        "sentences. Medium close-up, static camera, plain background, even light. A clear voice, no music.",
        **_FACE,
        **_VOICE,
    ),
)

LIPSYNC = Mode(
    id="lipsync",
    label="Lipsync",
    params=Lipsync,
    phases=two_stage_phases("lipsync"),
    files=(*PICTURE_NODES, *SOUND_NODES, *CONTROL),
    patch=_patch,
    defaults=length_of_sound,
    check=_check,
    sound_is_given=True,
    placeholder="A face speaks on a teal background",
    examples=_EXAMPLES,
)
