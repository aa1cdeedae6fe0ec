"""Audio to video: a clip that follows the user's sound, which is kept unchanged."""

from ltx_studio.graph import Graph
from ltx_studio.media import PrepareInput
from ltx_studio.modes.base import Mode
from ltx_studio.modes.examples import FILES, Example, real
from ltx_studio.modes.inputs import SOUND_NODES, VoicedParams, check_sound, length_of_sound, set_sound
from ltx_studio.modes.phases import two_stage_phases


class AudioToVideo(VoicedParams):
    """A prompt and a sound."""


def _patch(graph: Graph, params: AudioToVideo, prepare: PrepareInput) -> None:
    set_sound(graph, params, prepare)


_BEAT = {"audio": FILES / "beat.wav"}
_BOUNCES = {"audio": FILES / "bounces.wav"}

_EXAMPLES = (
    Example("A ball pulses with a beat", {"prompt": "a yellow circle pulses on a navy background", **_BEAT}),
    Example("The same beat, other colours", {"prompt": "a white circle pulses on a teal background", **_BEAT}),
    Example("A square bounces in time", {"prompt": "a red square bounces on a gray background", **_BOUNCES}),
    real(
        "A speaker cone",
        "Close-up of an old loudspeaker on a wooden shelf at night. With every beat its paper cone jumps forward "
        "and the dust on it leaps up, glittering in warm lamp light, then settles again. The camera is static, "
        "with a shallow depth of field. Only the dull, regular beat is heard.",
        **_BEAT,
    ),
)

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
    placeholder="A yellow circle pulses on a navy background",
    examples=_EXAMPLES,
)
