"""Audio to video: a picture that follows a sound of the user's own, which is kept as it is."""

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.inputs import SOUND_NODES, VoicedParams, check_sound, length_of_sound, set_sound
from ltx_studio.modes.phases import two_stage_phases


class AudioToVideo(VoicedParams):
    """A prompt and a sound."""


def _patch(graph: Graph, params: AudioToVideo, prepare: PrepareInput) -> None:
    set_sound(graph, params, prepare)


A2V = Mode(
    id="a2v",
    label="Audio to video",
    params=AudioToVideo,
    phases=two_stage_phases("a2v"),
    files=(*SOUND_NODES,),
    patch=_patch,
    defaults=length_of_sound,
    check=check_sound,
    sound_is_given=True,
)
