"""The frames of a clip: a video's by PyAV, those of an animated picture by Pillow."""

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
    """Return for how long a frame says that it is shown; 0 where it does not."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
