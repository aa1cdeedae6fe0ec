"""The frames of a clip: a video's through PyAV, an animated picture's through Pillow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltx_studio.media.animations import opened_animation, pictures_of_animation
from ltx_studio.media.cropping import crop_of, cropped
from ltx_studio.media.open import open_media, video_stream
from ltx_studio.media.seek import frames_from

Check = Callable[[], None]


class Film:
    """The frames of an open clip.

    Attributes:
        aspect: Width of a pixel divided by its height.
        length: Default duration in seconds of a frame that has none.
    """

    def __init__(self, aspect: Any, length: float, frames: Callable[[float], Iterator[Any]]) -> None:
        """`frames` yields the frames from a second on the clip's own clock, and possibly earlier ones."""
        self.aspect = aspect
        self.length = length
        self.frames = frames


@contextmanager
def opened_film(path: Path, fps: float, check: Check) -> Iterator[Film | None]:
    """Yield the frames of a clip; None if it has none.

    Args:
        path: The clip.
        fps: Frames per second if the clip does not specify it.
        check: Called for each frame; may raise to stop.

    Raises:
        av.error.FFmpegError: It is not a clip.
        OSError: It cannot be read.
        RequestError: It is larger than the limits.
    """
    with opened_animation(path) as image:
        if image is not None:
            yield Film(1, 1 / fps, lambda _: _checked(pictures_of_animation(path, image), check))
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
    """Return the duration of a frame in seconds; 0 if it has none."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
