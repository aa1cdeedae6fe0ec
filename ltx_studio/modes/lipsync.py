"""Lipsync: a portrait that speaks or sings a sound of the user's own, which is kept as it is."""

from collections.abc import Iterator

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
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
)
