"""The parts of a trial of the pocket model: cases, a judge, and the lines of the table that they fill."""

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
"""Tolerance of a pitch in hertz; the three are at least 300 apart."""

Found = dict[str, bool | float]


class Render(Protocol):
    """A function that renders a clip."""

    def __call__(
        self, mode: str, values: Mapping[str, Any], *, preset: str = "fast", strengths: Mapping[str, float] = {}
    ) -> Clip:
        """Render a clip; `values` are the mode's; `strengths` are of the graph's LoRAs, by file name."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes:
        name: The claim.
        at_least: The required share of cases, or median; or the line that it must not fall behind.
        median: Whether the cases give numbers rather than yes or no.
    """

    name: str
    at_least: float | str
    median: bool = False

    def reached(self, found: list[Found]) -> float:
        """Return the median, or the share of cases that hold."""
        values = [float(each[self.name]) for each in found if self.name in each]
        if not values:
            return 0.0
        return float(np.median(values) if self.median else np.mean(values))

    def share(self, found: list[Found], must: float) -> float:
        """Return the share of cases that each reach `must`."""
        values = [float(each[self.name]) >= must for each in found if self.name in each]
        return float(np.mean(values)) if values else 0.0


@lru_cache(maxsize=4)
def _cases(cases: Callable[[int], Scenes], count: int) -> Scenes:
    return cases(count)


@dataclass(frozen=True, slots=True)
class Family:
    """Cases of one kind, and the lines that they fill.

    Attributes:
        name: Its name.
        lines: The claims about it.
        cases: Returns a number of scenes; the first ones are always the same.
        judge: Renders and measures one.
        share: Share of the number of cases in other families.
        loras: Names of the LoRA files that its graphs load.
    """

    name: str
    lines: tuple[Line, ...]
    cases: Callable[[int], Scenes]
    judge: Callable[[Render, Scenes, int, Path], Found]
    share: float = 1.0
    loras: tuple[str, ...] = (files.DISTILLED_LORA,)

    def ask(self, render: Render, number: int, count: int, folder: Path) -> Found:
        """Make and judge case `number` of `count`, with its files in `folder`."""
        return self.judge(render, _cases(self.cases, count)[number : number + 1], number, folder)

    def table(self, found: list[Found]) -> dict[str, dict[str, Any]]:
        """Return for each line the number of cases, the result, and the requirement."""
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
    """Return the values that every mode is asked with."""
    return {
        "prompt": plain_caption(scene, 0),
        "seed": 1000 + number,
        "width": WIDTH,
        "height": HEIGHT,
        "seconds": (frames - 1) / 24,
    }


def length(number: int) -> int:
    """Return the frames of the clip, one to two seconds; shifted every four cases, so each motion gets each length."""
    return (25, 25, 33, 49)[(number + number // 4) % 4]


def motion_of(scene: Scenes) -> str:
    return MOTIONS[int(scene.motion[0])]


def colour_of(scene: Scenes) -> str:
    return list(COLOURS)[int(scene.colour[0])]


def background_of(scene: Scenes) -> str:
    return list(BACKGROUNDS)[int(scene.background[0])]


def has_colours(clip: Clip, scene: Scenes) -> tuple[bool, bool]:
    """Return whether the background and the subject have the requested colours."""
    seen = measure.colour(clip)
    return (
        measure.nearest(measure.background(clip), BACKGROUNDS) == background_of(scene),
        seen is not None and measure.nearest(seen, COLOURS) == colour_of(scene),
    )


def is_all_right(clip: Clip, scene: Scenes) -> bool:
    """Return whether both colours and the motion are as requested."""
    return all(has_colours(clip, scene)) and measure.motion(clip) == motion_of(scene)


def sounds_right(clip: Clip, scene: Scenes) -> bool:
    """Return whether its pitch is the subject's, or it is silent if the subject is still."""
    heard = measure.pitch(clip)
    if motion_of(scene) == "stays still":
        return heard == 0
    return abs(heard - PITCHES[SUBJECTS[int(scene.subject[0])]]) < PITCH_REACH


def picture(path: Path) -> measure.Array:
    return np.asarray(Image.open(path).convert("RGB")) / 255
