"""Legal sizes and lengths of a model family's clips."""

import math
from dataclasses import dataclass

HALF_A_FRAME = 0.5
"""Frames. A clip shows each picture for a whole frame, so a gap of half a frame does not count."""

_EXACT = 1e-4
"""Tolerance in frames. Containers round times to microseconds or to samples."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Legal sizes and lengths.

    Attributes:
        frame_step: Frames that the video VAE packs into one latent frame after the first: lengths are
            ``frame_step * k + 1``.
        max_frames: Frames of the longest clip.
        min_seconds: Seconds of the shortest clip.
        max_seconds: Seconds of the longest clip.
        size_step: Pixels that width and height are rounded to.
        control_size_step: The same when a control clip steers a half-size clip.
        min_size: Pixels of the shortest side.
        max_size: Pixels of the longest side.
    """

    frame_step: int
    max_frames: int
    min_seconds: float
    max_seconds: float
    size_step: int
    control_size_step: int
    min_size: int
    max_size: int

    def frames(self, seconds: float, fps: float) -> int:
        """Return the legal number of frames nearest to `seconds`."""
        return self.frame_step * max(1, round((seconds * fps - 1) / self.frame_step)) + 1

    def latent_frames(self, frames: int) -> int:
        """Return the number of frames in a clip's latent."""
        return (frames - 1) // self.frame_step + 1

    def to_hold(self, seconds: float, fps: float) -> float:
        """Return the length in seconds of the shortest legal clip that holds all of `seconds` of sound.

        The result is at most `max_seconds` and `max_frames`, so it may be shorter than a long sound.
        """
        return self._legal_seconds(math.ceil((seconds * fps - 1 - _EXACT) / self.frame_step), fps)

    def to_fill(self, seconds: float, fps: float) -> float:
        """Return the length in seconds of the longest legal clip that `seconds` of pictures fill completely."""
        return self._legal_seconds(math.floor((seconds * fps - 1 + HALF_A_FRAME) / self.frame_step), fps)

    def snap(self, pixels: float, step: int) -> int:
        """Return the legal width or height nearest to `pixels`, a multiple of `step`."""
        least, most = math.ceil(self.min_size / step), self.max_size // step
        return min(max(round(pixels / step), least), most) * step

    def _legal_seconds(self, steps: int, fps: float) -> float:
        steps = min(max(1, steps), (self.max_frames - 1) // self.frame_step)
        return min(max((steps * self.frame_step + 1) / fps, self.min_seconds), self.max_seconds)
