"""Requests for a user's file, made by a mode for its graph and carried out by staging."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture, upright and without transparency."""

    path: Path


@dataclass(frozen=True, slots=True)
class SoundFile:
    """Up to `seconds` of a sound from second `start` on; stereo, 48 kHz."""

    path: Path
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ClipFile:
    """`frames` pictures of a clip from second `start` on, at `fps`, upright, at least `width`×`height` pixels if it
    has them. If the clip ends earlier, its last picture is held or, without `hold`, there are fewer. Its sound
    is included on request.
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
    """A LoRA that the user provides."""

    path: Path


@dataclass(frozen=True, slots=True)
class WholeFile:
    """An unchanged file for an unknown node; a HEIC becomes a PNG, because no node reads it."""

    path: Path


InputRequest = PictureFile | SoundFile | ClipFile | LoraFile | WholeFile
PrepareInput = Callable[[InputRequest], str]
"""Prepares a file and returns the name by which a graph's loader node finds it."""


def by_name(want: InputRequest) -> str:
    """Return the file's own name without preparing it, for inspecting graphs that are not run."""
    return want.path.name
