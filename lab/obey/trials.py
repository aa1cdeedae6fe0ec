"""What a question to the pocket model is made of: cases, a judge, and the lines of the table that they fill."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from lab.obey import measure
from lab.obey.measure import Clip
from lab.world.captions import plain_caption
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import MOTIONS, SUBJECTS, Scenes
from lab.world.sound import PITCHES
from ltx_studio.pocket import files

WIDTH, HEIGHT = 256, 192
DIRECTIONS = MOTIONS[:4]
RHYTHMS = ("stays still", "bounces", "pulses")
PITCH_REACH = 60.0
"""Hertz by which a pitch may be off; the three are 300 apart and more."""

Found = dict[str, bool | float]


class Render(Protocol):
    """Makes a clip."""

    def __call__(
        self, mode: str, values: Mapping[str, Any], *, preset: str = "fast", strengths: Mapping[str, float] = {}
    ) -> Clip:
        """`values` are the mode's; `strengths` are of LoRAs in the graph, by the names of their files."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        name: What is claimed.
        at_least: The share of cases, or the median, that it takes; or the line that it must not fall behind.
        median: Whether the cases give numbers rather than yes or no.
    """

    name: str
    at_least: float | str
    median: bool = False

    def reached(self, found: list[Found]) -> float:
        """The median, or the share of those that hold."""
        values = [float(each[self.name]) for each in found if self.name in each]
        if not values:
            return 0.0
        return float(np.median(values) if self.median else np.mean(values))

    def share(self, found: list[Found], must: float) -> float:
        """Of the cases, that reach so much each."""
        values = [float(each[self.name]) >= must for each in found if self.name in each]
        return float(np.mean(values)) if values else 0.0


@lru_cache(maxsize=4)
def _cases(cases: Callable[[int], Scenes], count: int) -> Scenes:
    return cases(count)


@dataclass(frozen=True, slots=True)
class Family:
    """Cases of one kind, and the lines that they fill.

    Attributes:
        name: What is asked.
        lines: What is claimed of it.
        cases: So many scenes; the first ones are always the same.
        judge: Renders and measures one.
        share: Of the cases that other families have.
        loras: Names of the LoRA files that its graphs load.
    """

    name: str
    lines: tuple[Line, ...]
    cases: Callable[[int], Scenes]
    judge: Callable[[Render, Scenes, int, Path], Found]
    share: float = 1.0
    loras: tuple[str, ...] = (files.DISTILLED_LORA,)

    def ask(self, render: Render, number: int, count: int, folder: Path) -> Found:
        """Make and judge case `number` of `count`, with files of its own in `folder`."""
        return self.judge(render, _cases(self.cases, count)[number : number + 1], number, folder)

    def table(self, found: list[Found]) -> dict[str, dict[str, Any]]:
        """For each line: how many cases, what they reach, what they must."""
        reached = {line.name: line.reached(found) for line in self.lines}
        rows = {}
        for line in self.lines:
            must = line.at_least if isinstance(line.at_least, float) else reached[line.at_least]
            rows[line.name] = {
                "cases": sum(line.name in each for each in found),
                "reached": round(reached[line.name], 4),
                "at_least": round(must, 4),
                **({"share": round(line.share(found, must), 4)} if line.median else {}),
                "met": any(line.name in each for each in found) and reached[line.name] >= must,
            }
        return rows


def request(scene: Scenes, number: int, *, frames: int = 25) -> dict[str, Any]:
    """What every mode is asked with."""
    return {
        "prompt": plain_caption(scene, 0),
        "seed": 1000 + number,
        "width": WIDTH,
        "height": HEIGHT,
        "seconds": (frames - 1) / 24,
    }


def length(number: int) -> int:
    """Of the clip, in frames: one to two seconds; every fourth case begins elsewhere, so that each motion gets each."""
    return (25, 25, 33, 49)[(number + number // 4) % 4]


def motion_of(scene: Scenes) -> str:
    return MOTIONS[int(scene.motion[0])]


def colour_of(scene: Scenes) -> str:
    return list(COLOURS)[int(scene.colour[0])]


def background_of(scene: Scenes) -> str:
    return list(BACKGROUNDS)[int(scene.background[0])]


def has_colours(clip: Clip, scene: Scenes) -> tuple[bool, bool]:
    """Whether the background and the subject have the colours that were asked for."""
    seen = measure.colour(clip)
    return (
        measure.nearest(measure.background(clip), BACKGROUNDS) == background_of(scene),
        seen is not None and measure.nearest(seen, COLOURS) == colour_of(scene),
    )


def is_all_right(clip: Clip, scene: Scenes) -> bool:
    """Whether both colours and the motion are as asked for."""
    return all(has_colours(clip, scene)) and measure.motion(clip) == motion_of(scene)


def sounds_right(clip: Clip, scene: Scenes) -> bool:
    """Whether its pitch is the subject's, or it is silent where the subject is still."""
    heard = measure.pitch(clip)
    if motion_of(scene) == "stays still":
        return heard == 0
    return abs(heard - PITCHES[SUBJECTS[int(scene.subject[0])]]) < PITCH_REACH


def picture(path: Path) -> measure.Array:
    return np.asarray(Image.open(path).convert("RGB")) / 255
