"""Legal lengths: how many frames a clip has that follows a user's file, so that nothing of the file is lost unsaid."""

import math

from ltx_studio.modes.fields import FRAME_STEP, MAX_FRAMES, MAX_SECONDS, MIN_SECONDS

HALF_A_FRAME = 0.5
"""Frames. A clip shows each picture for a whole frame, so half of one is neither held nor lost."""

_EXACT = 1e-4
"""Frames. Containers round times to microseconds or to samples."""


def to_hold(seconds: float, fps: float) -> float:
    """Return the seconds of the shortest legal clip (8k+1 frames) that holds `seconds` of sound whole.

    The result is at most `MAX_SECONDS` and `MAX_FRAMES`, so it may be shorter than a long sound.
    """
    return _legal(math.ceil((seconds * fps - 1 - _EXACT) / FRAME_STEP), fps)


def to_fill(seconds: float, fps: float) -> float:
    """Return the seconds of the longest legal clip (8k+1 frames) that `seconds` of pictures fill to its end."""
    return _legal(math.floor((seconds * fps - 1 + HALF_A_FRAME) / FRAME_STEP), fps)


def _legal(steps: int, fps: float) -> float:
    steps = min(max(1, steps), (MAX_FRAMES - 1) // FRAME_STEP)
    return min(max((steps * FRAME_STEP + 1) / fps, MIN_SECONDS), MAX_SECONDS)
