"""Scenes: the values from which picture, sound and caption are all made."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from lab.world.palette import BACKGROUNDS, COLOURS, MIN_DISTANCE, distance

SUBJECTS = ("circle", "square", "triangle", "face")
FACE = SUBJECTS.index("face")
MOTIONS = ("moves right", "moves left", "moves up", "moves down", "stays still", "bounces", "pulses", "talks")
RIGHT, LEFT, UP, DOWN, STILL, BOUNCE, PULSE, TALK = range(len(MOTIONS))
SETTINGS = ("plain", "night", "day", "grass", "beach", "sunset")
PLAIN, NIGHT, DAY, GRASS, BEACH, SUNSET = range(len(SETTINGS))
CAMERAS = ("static", "dolly-in", "dolly-out", "dolly-left", "dolly-right", "jib-up", "jib-down")
BEATS = 16
"""Number of onsets in a scene, for about 3 seconds or more."""
SEEN_EVERYWHERE = tuple(list(COLOURS).index(name) for name in ("red", "yellow", "purple"))
"""Colours that stand out in every setting."""
LOOKS = 32
"""Random numbers for the parts of a drawing that no word describes."""

CORE_COLOURS, CORE_BACKGROUNDS = 6, 6
"""The first ones are in every promise of the pocket model, so they are drawn more often."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """A batch of B scenes. Lengths are in units of the picture's short side, times in seconds.

    Attributes:
        subject: Index into `SUBJECTS`, (B,).
        colour: Index into `COLOURS`, (B,).
        background: Index into `BACKGROUNDS`, (B,).
        setting: Index into `SETTINGS`, (B,); other than plain, it takes the background's place.
        motion: Index into `MOTIONS`, (B,).
        drift: Direction of a bounce: -1 to the left, 0, 1 to the right, (B,).
        radius: Radius of the subject, (B,).
        place: Position in the available space, 0 to 1 in x and y, (B, 2).
        travel: Share of that space that a move crosses, (B,).
        beats: Onsets of bounces, pulses and syllables, rising, the first before 0, (B, BEATS).
        strength: Strength of each, 0 to 1, (B, BEATS).
        camera: Index into `CAMERAS`, (B,).
        far: Share of its path that the camera moves, (B,).
        look: Numbers from 0 to 1 for what no word describes, (B, LOOKS).
    """

    subject: Tensor
    colour: Tensor
    background: Tensor
    setting: Tensor
    motion: Tensor
    drift: Tensor
    radius: Tensor
    place: Tensor
    travel: Tensor
    beats: Tensor
    strength: Tensor
    camera: Tensor
    far: Tensor
    look: Tensor

    def __len__(self) -> int:
        return len(self.subject)

    def __getitem__(self, index: Tensor | slice) -> Self:
        """Return some of the scenes, by a slice or a tensor of indices or bools."""
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def but(self, **changes: Tensor) -> Self:
        """Return the same scenes with other values."""
        return type(self)(*(changes.get(field.name, getattr(self, field.name)) for field in fields(self)))


def sample(count: int, generator: torch.Generator, *, faces: float = 0.15, settings: float = 0.15) -> Scenes:
    """Draw `count` scenes at random, with a static camera.

    Args:
        count: Number of scenes.
        generator: Source of randomness.
        faces: Share of talking or silent faces.
        settings: Share of shapes in front of more than a plain background.
    """
    face = _chance(count, faces, generator)
    shape = torch.randint(0, FACE, (count,), generator=generator)
    motion = torch.randint(0, TALK, (count,), generator=generator)
    silent = _chance(count, 0.15, generator)
    motion = torch.where(face, torch.where(silent, STILL, TALK), motion)
    colour, background = _colours(count, generator)
    setting = torch.randint(1, len(SETTINGS), (count,), generator=generator)
    setting = torch.where(_chance(count, settings, generator) & ~face, setting, PLAIN)
    loud = torch.tensor(SEEN_EVERYWHERE)[torch.randint(0, len(SEEN_EVERYWHERE), (count,), generator=generator)]
    colour = torch.where(setting == PLAIN, colour, loud)
    drift = torch.randint(-1, 2, (count,), generator=generator)
    drift = torch.where((motion == BOUNCE) & _chance(count, 0.3, generator), drift, 0)
    beats, strength = _beats(motion, generator)
    radius = 0.17 + 0.08 * torch.rand(count, generator=generator)
    return Scenes(
        subject=torch.where(face, FACE, shape),
        colour=colour,
        background=background,
        setting=setting,
        motion=motion,
        drift=drift,
        radius=torch.where(face, 0.3 + 0.08 * torch.rand(count, generator=generator), radius),
        place=torch.rand(count, 2, generator=generator),
        travel=0.65 + 0.35 * torch.rand(count, generator=generator),
        beats=beats,
        strength=strength,
        camera=torch.zeros(count, dtype=torch.long),
        far=torch.ones(count),
        look=torch.rand(count, LOOKS, generator=generator),
    )


def _chance(count: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) < share


def _colours(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return pairs that can be told apart, four in five of them core ones."""
    core = [(one, other) for one in range(CORE_COLOURS) for other in range(CORE_BACKGROUNDS) if contrasts(one, other)]
    rest = [
        (one, other)
        for one in range(len(COLOURS))
        for other in range(len(BACKGROUNDS))
        if contrasts(one, other) and (one, other) not in core
    ]
    from_core = torch.tensor(core)[torch.randint(0, len(core), (count,), generator=generator)]
    from_rest = torch.tensor(rest)[torch.randint(0, len(rest), (count,), generator=generator)]
    pairs = torch.where(_chance(count, 0.8, generator)[:, None], from_core, from_rest)
    return pairs[:, 0], pairs[:, 1]


def contrasts(colour: int, background: int) -> bool:
    """Return whether a subject of `colour` can be seen on `background`, both by index."""
    return distance(list(COLOURS.values())[colour], list(BACKGROUNDS.values())[background]) >= MIN_DISTANCE


def _beats(motion: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return regular beats in two of three cases, otherwise random distances and strengths; speech is never regular."""
    count = len(motion)
    talk = (motion == TALK)[:, None]
    period = 0.55 + 0.35 * torch.rand(count, 1, generator=generator)
    free = 0.45 + 0.5 * torch.rand(count, BEATS, generator=generator)
    syllables = 0.28 + 0.27 * torch.rand(count, BEATS, generator=generator)
    regular = _chance(count, 0.67, generator)[:, None]
    gaps = torch.where(talk, syllables, torch.where(regular, period.expand(-1, BEATS), free))
    beats = gaps.cumsum(1) - gaps[:, :1] * (1 + torch.rand(count, 1, generator=generator))
    uneven = 0.5 + 0.5 * torch.rand(count, BEATS, generator=generator)
    pauses = torch.rand(count, BEATS, generator=generator) < 0.15
    spoken = torch.where(pauses, 0.0, uneven)
    return beats, torch.where(talk, spoken, torch.where(regular, 1.0, uneven))
