"""Captions of a scene: the sentence that is promised to work, and the looser ones that people type."""

import random
import zlib

from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import BOUNCE, CAMERAS, FACE, MOTIONS, PLAIN, SETTINGS, SUBJECTS, Scenes
from lab.world.words import SYNONYMS

HELD_OUT = 6
"""One in this many promised sentences is kept out of training, for use in tests."""

_COLOURS, _BACKGROUNDS = list(COLOURS), list(BACKGROUNDS)
_PLACES = {
    "night": ("at night", "in the night"),
    "day": ("in the sky", "in front of a blue sky"),
    "grass": ("on the grass", "over the grass"),
    "beach": ("at the beach", "on the beach"),
    "sunset": ("at sunset", "in the sunset"),
}
_CAMERAS = {
    "dolly-in": "camera dolly in",
    "dolly-out": "camera dolly out",
    "dolly-left": "camera dolly left",
    "dolly-right": "camera dolly right",
    "jib-up": "camera jib up",
    "jib-down": "camera jib down",
}


def plain_caption(scenes: Scenes, index: int) -> str:
    """Return the promised sentence: "a red circle moves left on a black background"."""
    return f"{_subject(scenes, index)} {_motion(scenes, index)} {_place(scenes, index)}"


def is_held_out(scenes: Scenes, index: int) -> bool:
    """Return whether this scene's promised sentence is kept out of training; shapes on plain backgrounds only."""
    plain = int(scenes.setting[index]) == PLAIN and int(scenes.subject[index]) != FACE
    return plain and zlib.crc32(plain_caption(scenes, index).encode()) % HELD_OUT == 0


def tell(scenes: Scenes, index: int, chance: random.Random) -> str:
    """Return one of the sentences that might describe a scene; half of the time the promised one."""
    if chance.random() < 0.5:
        return plain_caption(scenes, index) + _camera(scenes, index)
    whole = chance.random() < 0.5
    parts = [_subject(scenes, index, chance, colour=whole or chance.random() < 0.7)]
    if whole or chance.random() < 0.8:
        parts.append(_motion(scenes, index))
    if whole or chance.random() < 0.75:
        place = _place(scenes, index, chance)
        parts = [f"{place},", *parts] if chance.random() < 0.2 else [*parts, place]
    words = (" ".join(parts) + _camera(scenes, index)).split()
    return " ".join(_reworded(word, chance) for word in words)


def _subject(scenes: Scenes, index: int, chance: random.Random | None = None, *, colour: bool = True) -> str:
    name = SUBJECTS[int(scenes.subject[index])]
    if name == "face":
        return "a face"
    words = ["a"]
    radius = float(scenes.radius[index])
    if chance is not None and chance.random() < 0.3:
        words += ["big"] if radius > 0.225 else ["small"] if radius < 0.195 else []
    if colour:
        words.append(_COLOURS[int(scenes.colour[index])])
    return " ".join([*words, name])


def _motion(scenes: Scenes, index: int) -> str:
    motion, drift = int(scenes.motion[index]), int(scenes.drift[index])
    if motion == BOUNCE and drift:
        return f"bounces to the {'right' if drift > 0 else 'left'}"
    return MOTIONS[motion]


def _place(scenes: Scenes, index: int, chance: random.Random | None = None) -> str:
    setting = SETTINGS[int(scenes.setting[index])]
    if setting == "plain":
        return f"on a {_BACKGROUNDS[int(scenes.background[index])]} background"
    places = _PLACES[setting]
    return places[0] if chance is None else chance.choice(places)


def _camera(scenes: Scenes, index: int) -> str:
    name = CAMERAS[int(scenes.camera[index])]
    return f", {_CAMERAS[name]}" if name in _CAMERAS else ""


def _reworded(word: str, chance: random.Random) -> str:
    others = SYNONYMS.get(word.rstrip(","), ())
    if others and chance.random() < 0.25:
        return chance.choice(others)
    return word
