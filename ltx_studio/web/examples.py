"""Examples for each mode: what to write, and small files to try it with; drawn by `python -m tools.examples`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "assets" / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """One request that can be handed in as it is.

    Attributes:
        label: What it shows, in a few words.
        values: The mode's own parameters; files as paths in the package, which a page hands out as copies.
        for_pocket: Whether the pocket preview knows such a thing. The others show what the real model is for.
    """

    label: str
    values: Mapping[str, Any]
    for_pocket: bool = True


def examples(mode: str) -> list[Example]:
    """Those of a mode, by its id, the ones for the pocket preview first; none of a mode that has none."""
    return list(_EXAMPLES.get(mode, ()))


_SHORT = {"seconds": 2.0}
_LONG = {"seconds": 5.0}

_BALL = {"image": FILES / "ball-left.png"}
_TRIANGLE = {"image": FILES / "triangle.png"}
_FACE = {"image": FILES / "face.png"}
_OTHER_FACE = {"image": FILES / "other-face.png"}
_VOICE = {"audio": FILES / "voice.wav"}
_OTHER_VOICE = {"audio": FILES / "other-voice.wav"}
_BEAT = {"audio": FILES / "beat.wav"}
_BOUNCES = {"audio": FILES / "bounces.wav"}
_TO_THE_RIGHT = {"first_image": FILES / "ball-left.png", "last_image": FILES / "ball-right.png"}
_TO_THE_LEFT = {"first_image": FILES / "ball-right.png", "last_image": FILES / "ball-left.png"}
_UP = {"first_image": FILES / "square-low.png", "last_image": FILES / "square-high.png"}
_RISES = {"clip": FILES / "rises.mp4"}
_FALLS = {"clip": FILES / "falls.mp4"}


def _real(label: str, prompt: str, **values: Any) -> Example:
    return Example(label, {"prompt": prompt, **values}, for_pocket=False)


_EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "t2v": (
        Example("A ball bounces", {"prompt": "a red circle bounces on a gray background", **_SHORT}),
        Example("A square crosses", {"prompt": "a blue square moves right on a white background", **_SHORT}),
        Example("A ball pulses", {"prompt": "a yellow circle pulses on a black background", **_SHORT}),
        Example("A ball rises", {"prompt": "a green circle moves up on a black background", **_SHORT}),
        _real(
            "Paper boat in the rain",
            "A small paper boat drifts down a rain-filled gutter at dusk, spinning slowly as raindrops ring the water "
            "around it. The camera tracks low beside it, close to the surface, and the street lamps blur into warm "
            "circles behind. The boat bumps against a leaf, turns, and sails on. Rain patters on stone, water "
            "trickles, and a distant tram bell rings twice.",
            **_LONG,
        ),
        _real(
            "Coffee at a window",
            "A woman in her sixties with silver hair sits at a café window in morning light and stirs her coffee. She "
            "looks up, smiles and says warmly: “You came after all.” The camera pushes in slowly from a medium shot "
            "to a close-up. Cups clink, low voices murmur, and a spoon rings against porcelain.",
            **_LONG,
        ),
    ),
    "a2v": (
        Example("A ball pulses with a beat", {"prompt": "a yellow circle pulses on a navy background", **_BEAT}),
        Example("The same beat, other colours", {"prompt": "a white circle pulses on a teal background", **_BEAT}),
        Example("A square bounces in time", {"prompt": "a red square bounces on a gray background", **_BOUNCES}),
        _real(
            "A speaker cone",
            "Close-up of an old loudspeaker on a wooden shelf at night. With every beat its paper cone jumps forward "
            "and the dust on it leaps up, glittering in warm lamp light, then settles again. The camera is static, "
            "with a shallow depth of field. Only the dull, regular beat is heard.",
            **_BEAT,
        ),
    ),
    "i2v": (
        Example("The ball rolls", {"prompt": "a blue circle moves right on a white background", **_BALL, **_SHORT}),
        Example("The ball bounces", {"prompt": "a blue circle bounces on a white background", **_BALL, **_SHORT}),
        Example(
            "The triangle pulses", {"prompt": "a yellow triangle pulses on a navy background", **_TRIANGLE, **_SHORT}
        ),
        _real(
            "A ball on a studio floor",
            "A smooth blue ball lies on a bright white studio floor. It begins to roll to the right, slowly at first, "
            "then faster, and a soft shadow glides along beneath it. The camera stays close to the ground and pans to "
            "follow. The ball rumbles low on the hard floor and fades as it leaves.",
            **_BALL,
            **_LONG,
        ),
    ),
    "lipsync": (
        Example("A face speaks", {"prompt": "a face talks on a white background", **_FACE, **_VOICE}),
        Example("Another face", {"prompt": "a face talks on a gray background", **_OTHER_FACE, **_VOICE}),
        Example("Another voice", {"prompt": "a face talks on a gray background", **_OTHER_FACE, **_OTHER_VOICE}),
        _real(
            "A cartoon presenter",
            "A cheerful cartoon character looks straight into the camera and speaks with lively expression: the mouth "
            "follows every syllable, the eyebrows rise on stressed words, and the head nods a little between "
            "sentences. Medium close-up, static camera, plain background, even light. A clear voice, no music.",
            **_FACE,
            **_VOICE,
        ),
    ),
    "keyframe": (
        Example(
            "From left to right",
            {"prompt": "a blue circle moves right on a white background", **_TO_THE_RIGHT, **_SHORT},
        ),
        Example(
            "From right to left", {"prompt": "a blue circle moves left on a white background", **_TO_THE_LEFT, **_SHORT}
        ),
        Example("From below to above", {"prompt": "a green square moves up on a black background", **_UP, **_SHORT}),
        _real(
            "A ball rolls through",
            "A blue ball stands at the left edge of a bright white stage. Someone outside of the picture taps it; it "
            "rolls across in one smooth movement, slows down, and comes to rest at the right edge. The camera is "
            "static, the light soft and even. A short tap, a low rumble, then silence.",
            **_TO_THE_RIGHT,
            **_LONG,
        ),
    ),
    "style": (
        Example("Red becomes green", {"prompt": "a green circle moves up on a white background", **_RISES}),
        Example("A blue ball in the pink", {"prompt": "a blue circle moves up on a pink background", **_RISES}),
        Example("A yellow square falls", {"prompt": "a yellow square moves down on a navy background", **_FALLS}),
        _real(
            "A balloon in watercolour",
            "Watercolour on rough paper: a red hot-air balloon rises slowly through pale morning fog above a quiet "
            "valley. Pigment blooms at its edges, and the paper's grain shows through the sky. The camera is static, "
            "a wide shot. Wind breathes softly, and now and then a burner hisses.",
            **_RISES,
        ),
    ),
}
