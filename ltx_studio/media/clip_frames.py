"""The frames of a clip: a video's by PyAV, those of an animated WebP by Pillow, which FFmpeg does not read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from ltx_studio.media.colour import PictureColours
from ltx_studio.media.colour_codes import colour_codes
from ltx_studio.media.cropping import crop_of, cropped
from ltx_studio.media.open import open_media, opened_picture, video_stream
from ltx_studio.media.picture import opaque
from ltx_studio.media.seek import frames_from

Check = Callable[[], None]

_SHORTEST, _INSTEAD = 11, 100
"""Milliseconds. Browsers show a picture of an animation that is to be shown for less than the first for the second."""

_MILLISECOND = Fraction(1, 1000)


class Film:
    """The pictures of an open clip.

    Attributes:
        aspect: Width of a pixel divided by its height.
        length: Seconds for which a picture is shown where it does not say so itself.
    """

    def __init__(self, aspect: Any, length: float, frames: Callable[[float], Iterator[Any]]) -> None:
        """`frames` gives the frames from a second of the clip's own clock on, or earlier ones too."""
        self.aspect = aspect
        self.length = length
        self.frames = frames


@contextmanager
def opened_film(path: Path, fps: float, check: Check) -> Iterator[Film | None]:
    """Give the pictures of a clip; None when it has none.

    Args:
        path: The clip.
        fps: Pictures a second where the clip does not say.
        check: Called for each frame; what it raises ends the work.

    Raises:
        av.error.FFmpegError: It is no clip.
        OSError: It cannot be read.
        RequestError: It is larger than the limits.
    """
    if is_webp(path):
        with opened_picture(path) as image:
            yield Film(1, 1 / fps, lambda _: _checked(_animation(path, image), check))
        return
    with open_media(path) as container:
        stream = video_stream(container)
        if stream is None:
            yield None
            return

        crop = crop_of(path, container, stream)

        def frames(start: float) -> Iterator[Any]:
            return cropped(_checked(frames_from(path, container, stream, start), check), crop)

        yield Film(stream.sample_aspect_ratio or 1, 1 / float(stream.average_rate or fps), frames)


def _checked(frames: Iterator[Any], check: Check) -> Iterator[Any]:
    for frame in frames:
        check()
        yield frame


def seconds_of(frame: Any) -> float:
    """Return for how long a frame says that it is shown; 0 where it does not."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0


def is_webp(path: Path) -> bool:
    """Return whether a file is a WebP picture.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WEBP"


def webp_durations(path: Path) -> list[int]:
    """Return for how many milliseconds each picture of an animated WebP is shown; none where it does not move.

    Raises:
        OSError: It cannot be read.
    """
    found = []
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], "little")
            after = file.tell() + size + size % 2
            if head[:4] == b"ANMF":
                shown = int.from_bytes(file.read(16)[12:15], "little")
                found.append(shown if shown >= _SHORTEST else _INSTEAD)
            file.seek(after)
    return found


def _animation(path: Path, image: Any) -> Iterator[Any]:
    import av
    import numpy as np

    colours, begin = PictureColours(image.info.get("icc_profile"), colour_codes(path, image)), 0
    for number, shown in enumerate(webp_durations(path)):
        try:
            image.seek(number)
        except EOFError:
            return
        frame = av.VideoFrame.from_ndarray(np.asarray(opaque(image, colours)), format="rgb24")
        frame.pts, frame.duration, frame.time_base = begin, shown, _MILLISECOND
        yield frame
        begin += shown
