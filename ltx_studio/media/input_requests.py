"""What a graph wants of a user's file. A mode says it; staging carries it out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture, upright and without transparency."""

    path: Path


@dataclass(frozen=True, slots=True)
class SoundFile:
    """`seconds` of a sound from second `start` on, or as much as there is; stereo, 48 kHz."""

    path: Path
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ClipFile:
    """`frames` pictures of a clip from second `start` on, at `fps`, upright, at least `width`×`height` pixels when it
    has them. When the clip ends before, its last picture is held, or, without `hold`, there are fewer. Its sound
    comes along when it is wanted.
    """

    path: Path
    start: float
    frames: int
    fps: float
    width: int
    height: int
    hold: bool = True
    with_sound: bool = False


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A LoRA of the user's own."""

    path: Path


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file as it is, for a node that we do not know; a HEIC as a PNG, because no node reads it."""

    path: Path


InputRequest = PictureFile | SoundFile | ClipFile | LoraFile | WholeFile
PrepareInput = Callable[[InputRequest], str]
"""Makes a file ready and gives the name by which a graph's loader node finds it."""


def by_name(want: InputRequest) -> str:
    """A stage that does nothing: the file's own name. For looking at graphs that are not run."""
    return want.path.name
