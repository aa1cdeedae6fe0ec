"""What is asked of the pocket model, mode by mode, and how each answer is judged."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from ltx_studio.pocket.world.captions import plain_caption
from ltx_studio.pocket.world.draw import frame_state
from ltx_studio.pocket.world.palette import BACKGROUNDS, COLOURS
from ltx_studio.pocket.world.scenes import MOTIONS, SUBJECTS, Scenes
from ltx_studio.pocket.world.sound import PITCHES
from tools.obey import measure
from tools.obey.measure import Clip
from tools.obey.scenes import faces, held_out, write_frame, write_sound

WIDTH, HEIGHT = 256, 192
DIRECTIONS = MOTIONS[:4]
RHYTHMS = ("stays still", "bounces", "pulses")
PITCH_REACH = 60.0
"""Hertz by which a pitch may be off; the three are 300 apart and more."""

Found = dict[str, bool | float]


class Render(Protocol):
    """Makes a clip."""

    def __call__(
        self, mode: str, values: Mapping[str, Any], *, preset: str = "fast", lora: float | None = None
    ) -> Clip:
        """`values` are the mode's; `lora` is another strength for the distilled LoRA."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        name: What is claimed.
        at_least: The share of cases, or the median, that it takes.
        median: Whether the cases give numbers rather than yes or no.
    """

    name: str
    at_least: float
    median: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Cases of one kind, and the lines that they fill."""

    name: str
    lines: tuple[Line, ...]
    cases: Callable[[int], Scenes]
    judge: Callable[[Render, Scenes, int, Path], Found]

    def run(self, render: Render, count: int, folder: Path) -> Iterator[Found]:
        """Make and judge `count` cases, with files of theirs in `folder`."""
        scenes = self.cases(count)
        for number in range(count):
            yield self.judge(render, scenes[number : number + 1], number, folder)


def _shared(scene: Scenes, number: int, *, frames: int = 25) -> dict[str, Any]:
    return {
        "prompt": plain_caption(scene, 0),
        "seed": 1000 + number,
        "width": WIDTH,
        "height": HEIGHT,
        "seconds": (frames - 1) / 24,
    }


def _length(number: int) -> int:
    """Of the clip, in frames: one to two seconds."""
    return (25, 25, 33, 49)[number % 4]


def judge_words(render: Render, scene: Scenes, number: int, _folder: Path) -> Found:
    """Colours, motion, pitch and time, all from words."""
    clip = render("t2v", _shared(scene, number, frames=_length(number)))
    wanted = MOTIONS[int(scene.motion[0])]
    moved = measure.motion(clip)
    found: Found = {
        "background": measure.nearest(measure.background(clip), BACKGROUNDS) == _name(BACKGROUNDS, scene.background),
        "colour": measure.nearest(measure.colour(clip), COLOURS) == _name(COLOURS, scene.colour),
        "pitch or silence": _sounds_right(clip, scene),
    }
    if wanted in DIRECTIONS:
        return {**found, "direction": moved == wanted}
    found[wanted] = moved == wanted
    if wanted != "stays still":
        found["beats in time"] = measure.correlation(measure.beat(clip, wanted), measure.envelope(clip))
    return found


def judge_image(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """The picture begins with the given one, and goes on as prompted."""
    frames = _length(number)
    given = write_frame(scene, folder / "first.png", frames=frames, index=0, width=WIDTH, height=HEIGHT)
    clip = render("i2v", {**_shared(scene, number, frames=frames), "image": given})
    return {
        "frame 0": measure.psnr(clip.frames[0], _picture(given)),
        "motion": measure.motion(clip) == MOTIONS[int(scene.motion[0])],
    }


def judge_keyframes(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """It begins and ends with the given pictures, and in the middle the subject is between."""
    frames = _length(number)
    ends = [
        write_frame(scene, folder / f"{name}.png", frames=frames, index=index, width=WIDTH, height=HEIGHT)
        for name, index in (("first", 0), ("last", -1))
    ]
    values = {**_shared(scene, number, frames=frames), "first_image": ends[0], "last_image": ends[1]}
    clip = render("keyframe", values)
    found = measure.track(clip)
    axis = found.x if MOTIONS[int(scene.motion[0])] in ("moves right", "moves left") else found.y
    way = axis[-2:].mean() - axis[:2].mean()
    middle = (axis[len(axis) // 2 - 1 : len(axis) // 2 + 2].mean() - axis[:2].mean()) / (way if way else 1.0)
    return {
        "first frame": measure.psnr(clip.frames[0], _picture(ends[0])),
        "last frame": measure.psnr(clip.frames[-1], _picture(ends[1])),
        "the middle is between": bool(0.2 < middle < 0.8),
    }


def judge_sound(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """The picture follows a given sound, and another sound gives another picture."""
    frames = _length(number)
    wanted = MOTIONS[int(scene.motion[0])]
    generator = 7919 * (number + 1)
    shifted = scene.but(beats=scene.beats + 0.11 + 0.13 * (generator % 3))
    clips = []
    for index, each in enumerate((scene, shifted)):
        path = folder / f"sound-{index}.wav"
        write_sound(each, path, frames=frames, other=number if number % 2 else None)
        clips.append(render("a2v", {**_shared(scene, number, frames=frames), "audio": path}))
    follows = [measure.correlation(measure.beat(clip, wanted), measure.envelope(clip)) for clip in clips]
    crossed = measure.correlation(measure.beat(clips[0], wanted), measure.envelope(clips[1]))
    return {
        "follows the sound": follows[0],
        "another sound, another picture": crossed < follows[0] and measure.psnr(*(clip.frames for clip in clips)) < 30,
    }


def judge_lips(render: Render, scene: Scenes, number: int, folder: Path) -> Found:
    """The mouth opens as the voice is loud, and the face stays the given one."""
    frames = _length(number)
    quiet = scene.but(strength=scene.strength * 0)
    portrait = write_frame(quiet, folder / "face.png", frames=frames, index=0, width=WIDTH, height=HEIGHT)
    voice = write_sound(scene, folder / "voice.wav", frames=frames, other=number if number % 2 else None)
    clip = render("lipsync", {**_shared(scene, number, frames=frames), "image": portrait, "audio": voice})
    box = mouth_box(scene)
    given = np.repeat(_picture(portrait)[None], len(clip.frames), 0)
    elsewhere = np.ones(clip.frames.shape[1:3], dtype=bool)
    left, top, right, bottom = (int(part * side) for part, side in zip(box, (WIDTH, HEIGHT) * 2, strict=True))
    elsewhere[top:bottom, left:right] = False
    return {
        "mouth and loudness": measure.correlation(measure.mouth(clip, box), measure.envelope(clip)),
        "the rest of the face": measure.psnr(clip.frames[:, elsewhere], given[:, elsewhere]),
    }


def mouth_box(scene: Scenes) -> tuple[float, float, float, float]:
    """Where a face's mouth is, open or closed: left, top, right, bottom as parts of the picture."""
    state, *_ = frame_state(scene, 1, WIDTH, HEIGHT, 24.0)
    x, y, radius = (
        float(state.x[0, 0]),
        float(state.y[0, 0]) + 0.48 * float(state.radius[0, 0]),
        float(state.radius[0, 0]),
    )
    wide, high = 0.46 * radius, 0.4 * radius
    aspect = WIDTH / HEIGHT
    return (x - wide) / aspect, y - high, (x + wide) / aspect, y + high


def _name(names: Mapping[str, Any], index: Any) -> str:
    return list(names)[int(index[0])]


def _sounds_right(clip: Clip, scene: Scenes) -> bool:
    heard = measure.pitch(clip)
    if MOTIONS[int(scene.motion[0])] == "stays still":
        return heard == 0
    return abs(heard - PITCHES[SUBJECTS[int(scene.subject[0])]]) < PITCH_REACH


def _picture(path: Path) -> measure.Array:
    return np.asarray(Image.open(path).convert("RGB")) / 255


FAMILIES: tuple[Family, ...] = (
    Family(
        "t2v: directions",
        (Line("background", 0.95), Line("colour", 0.95), Line("direction", 0.95), Line("pitch or silence", 0.95)),
        lambda count: held_out(count, "directions", DIRECTIONS),
        judge_words,
    ),
    Family(
        "t2v: rhythms",
        (
            Line("background", 0.95),
            Line("colour", 0.95),
            *(Line(name, 0.85) for name in RHYTHMS),
            Line("pitch or silence", 0.95),
            Line("beats in time", 0.6, median=True),
        ),
        lambda count: held_out(count, "rhythms", RHYTHMS),
        judge_words,
    ),
    Family(
        "i2v",
        (Line("frame 0", 26.0, median=True), Line("motion", 0.9)),
        lambda count: held_out(count, "image", (*DIRECTIONS, *RHYTHMS)),
        judge_image,
    ),
    Family(
        "keyframe",
        (
            Line("first frame", 25.0, median=True),
            Line("last frame", 25.0, median=True),
            Line("the middle is between", 0.9),
        ),
        lambda count: held_out(count, "keyframes", DIRECTIONS),
        judge_keyframes,
    ),
    Family(
        "a2v",
        (Line("follows the sound", 0.6, median=True), Line("another sound, another picture", 0.9)),
        lambda count: held_out(count, "sound", ("pulses", "bounces")),
        judge_sound,
    ),
    Family(
        "lipsync",
        (Line("mouth and loudness", 0.6, median=True), Line("the rest of the face", 24.0, median=True)),
        lambda count: faces(count, "lips"),
        judge_lips,
    ),
)
