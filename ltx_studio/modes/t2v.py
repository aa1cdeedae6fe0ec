"""Text to video: a prompt becomes a clip with sound."""

from ltx_studio.modes.base import Mode
from ltx_studio.modes.examples import LONG, SHORT, Example, real
from ltx_studio.modes.fields import Params, Sounding
from ltx_studio.modes.phases import two_stage_phases


class TextToVideo(Sounding, Params):
    """A prompt is enough."""


_EXAMPLES = (
    Example("A ball bounces", {"prompt": "a red circle bounces on a gray background", **SHORT}),
    Example("A square crosses", {"prompt": "a blue square moves right on a white background", **SHORT}),
    Example("A ball pulses", {"prompt": "a yellow circle pulses on a black background", **SHORT}),
    Example("A ball rises", {"prompt": "a green circle moves up on a black background", **SHORT}),
    real(
        "Paper boat in the rain",
        "A small paper boat drifts down a rain-filled gutter at dusk, spinning slowly as raindrops ring the water "
        "around it. The camera tracks low beside it, close to the surface, and the street lamps blur into warm "
        "circles behind. The boat bumps against a leaf, turns, and sails on. Rain patters on stone, water "
        "trickles, and a distant tram bell rings twice.",
        **LONG,
    ),
    real(
        "Coffee at a window",
        "A woman in her sixties with silver hair sits at a café window in morning light and stirs her coffee. She "
        "looks up, smiles and says warmly: “You came after all.” The camera pushes in slowly from a medium shot "
        "to a close-up. Cups clink, low voices murmur, and a spoon rings against porcelain.",
        **LONG,
    ),
)

T2V = Mode(
    id="t2v",
    label="Text to video",
    params=TextToVideo,
    phases=two_stage_phases("t2v"),
    placeholder="A red circle bounces on a gray background",
    examples=_EXAMPLES,
)
