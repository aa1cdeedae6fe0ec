"""Animated WebP, PNG and AVIF as clips, with the colours and the transparency that browsers show."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltx_studio.media.colour import PictureColours, is_hdr
from ltx_studio.media.colour_codes import colour_codes, gamma
from ltx_studio.media.open import open_media, opened_picture, video_stream
from ltx_studio.media.picture import opaque

if TYPE_CHECKING:
    from PIL import Image

_SHORTEST, _INSTEAD = 11.0, 100.0
"""Milliseconds. Browsers show an animation's frame for the second duration if the file gives less than the first."""

_MICROSECOND = Fraction(1, 1_000_000)
_PNG = b"\x89PNG\r\n\x1a\n"
_AVIF_BRANDS = {b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1"}


@contextmanager
def opened_animation(path: Path) -> Iterator["Image.Image | None"]:
    """Yield a Pillow image with several pictures; None if FFmpeg should read the file, because it handles HDR better.

    Raises:
        OSError: It cannot be read.
        RequestError: It is larger than the limits.
    """
    with ExitStack() as stack:
        image = _opened(path, stack)
        if image is not None and _is_for_pillow(path, image):
            yield image
            return
    yield None


def _opened(path: Path, stack: ExitStack) -> "Image.Image | None":
    from PIL import Image, UnidentifiedImageError

    if not _may_move(path):
        return None
    try:
        image: Image.Image = stack.enter_context(opened_picture(path))
        return image
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError, RuntimeError):
        return None


def _is_for_pillow(path: Path, image: "Image.Image") -> bool:
    codes = colour_codes(path, image)
    is_hdr_video = image.format == "AVIF" and codes is not None and is_hdr(codes[1])
    return getattr(image, "is_animated", False) and not is_hdr_video


def is_webp(path: Path) -> bool:
    """Return whether a file is a WebP picture.

    Raises:
        OSError: It cannot be read.
    """
    head = _head(path)
    return head[:4] == b"RIFF" and head[8:] == b"WEBP"


def _may_move(path: Path) -> bool:
    head = _head(path)
    return is_webp(path) or head.startswith(_PNG) or head[4:] in _AVIF_BRANDS


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def durations_of(path: Path, image: "Image.Image") -> list[float]:
    """Return the milliseconds for which each picture of an animation is shown.

    Raises:
        av.error.FFmpegError: It is damaged.
        OSError: It cannot be read.
    """
    if image.format == "AVIF":
        return list(_of_avif(path))
    found = _of_webp(path) if image.format == "WEBP" else _of_png(path)
    return [shown if shown >= _SHORTEST else _INSTEAD for shown in found]


def _of_webp(path: Path) -> Iterator[float]:
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], "little")
            after = file.tell() + size + size % 2
            if head[:4] == b"ANMF":
                yield int.from_bytes(file.read(16)[12:15], "little")
            file.seek(after)


def _of_png(path: Path) -> Iterator[float]:
    with path.open("rb") as file:
        file.seek(len(_PNG))
        while len(head := file.read(8)) == 8:
            after = file.tell() + int.from_bytes(head[:4]) + 4
            if head[4:] == b"fcTL":
                said = file.read(24)
                yield 1000 * int.from_bytes(said[20:22]) / (int.from_bytes(said[22:24]) or 100)
            file.seek(after)


def _of_avif(path: Path) -> Iterator[float]:
    with open_media(path) as container:
        stream = video_stream(container)
        for packet in container.demux(stream) if stream is not None else ():
            if packet.size and packet.time_base:
                yield float((packet.duration or 0) * packet.time_base * 1000)


def pictures_of_animation(path: Path, image: "Image.Image") -> Iterator[Any]:
    """Yield the pictures of an animation as PyAV frames: upright RGB on white, with their times."""
    import av
    import numpy as np
    from PIL import ImageOps

    codes = colour_codes(path, image)
    colours = PictureColours(image.info.get("icc_profile"), codes, None if codes else gamma(image))
    exif, begin = image.getexif(), 0.0
    ahead = 1 if getattr(image, "default_image", False) else 0  # of a PNG, for viewers that show one picture only
    for number, shown in enumerate(durations_of(path, image)):
        try:
            image.seek(number + ahead)
        except EOFError:
            return
        made = opaque(image, colours)
        made.getexif().update(exif)
        ImageOps.exif_transpose(made, in_place=True)
        frame = av.VideoFrame.from_ndarray(np.asarray(made), format="rgb24")
        frame.pts, frame.time_base = round(begin * 1000), _MICROSECOND
        frame.duration = round(shown * 1000)
        yield frame
        begin += shown
