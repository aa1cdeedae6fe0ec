"""Conversion of a user's picture to upright, opaque sRGB, in bands, so that it is never in memory twice."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ltx_studio.media.colour import PictureColours, is_hdr
from ltx_studio.media.colour_codes import colour_codes, gamma
from ltx_studio.media.float_pictures import white_of
from ltx_studio.media.hdr_avif import hdr_avif_as_sdr
from ltx_studio.media.open import opened_picture
from ltx_studio.media.png_transparency import alpha_of_gray, decoded
from ltx_studio.media.tiff import without_sign

if TYPE_CHECKING:
    from PIL import Image

LARGEST_SIDE = 4096
"""Pixels. The largest clip size; more pixels along the shorter side are never used."""

LARGEST_PIXELS = 26_000_000
"""ComfyUI makes 12 bytes of each, twice. A picture that is longer than a film is wide is scaled down as a whole."""

BAND_PIXELS = 8_000_000
"""Pixels of the source picture whose colours are converted at a time, so that there is no second whole copy."""

_GRAY_MODES = {"1", "L", "LA", "La"}
_DEEP_MODES = ("I", "F")
_BYTE, _WORD, _LONG = 255.0, 65_535.0, 2.0**31 - 1
"""White in a picture of integers. In long integers, the largest value decides between the last two."""

_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
"""A TIFF tag, and its value for a negative. Pillow inverts those of up to 8 bits."""


def write_picture(source: Path, destination: Path) -> None:
    """Write a picture as an upright PNG in sRGB, on white.

    Its shorter side is at most `LARGEST_SIDE`, and it has at most `LARGEST_PIXELS`.

    Raises:
        RequestError: It is too large.
        OSError: It cannot be read, or the PNG cannot be written.
    """
    from PIL import Image, ImageOps

    with opened_picture(source) as opened:
        codes = colour_codes(source, opened)
        colours = PictureColours(opened.info.get("icc_profile"), codes, None if codes else gamma(opened))
        scale = min(1.0, LARGEST_SIDE / min(opened.size), math.sqrt(LARGEST_PIXELS / math.prod(opened.size)))
        width, height = (max(1, round(side * scale)) for side in opened.size)
        if scale < 1:
            opened.draft(None, (width, height))  # a JPEG is decoded at the next larger eighth
        pixels = without_sign(decoded(source, opened))
        if codes and opened.format == "AVIF" and is_hdr(codes[1]):
            deep = hdr_avif_as_sdr(source, opened, codes)
            pixels, colours = (pixels, colours) if deep is None else (deep, PictureColours())
        exif = opened.getexif()  # after loading: Pillow rotates a TIFF by itself then
        made: Image.Image = in_bands(pixels, width, height, colours, is_negative=_is_negative(opened))
    made.getexif().update(exif)
    ImageOps.exif_transpose(made, in_place=True)
    made.info.clear()
    made.save(destination, format="PNG", compress_level=1)


def in_bands(
    image: "Image.Image",
    width: int,
    height: int,
    colours: PictureColours | None = None,
    *,
    is_negative: bool = False,
) -> "Image.Image":
    """Return an opened picture as sRGB, scaled to width×height, on white where it is transparent."""
    from PIL import Image

    image.load()
    white = _white(image)
    made = Image.new("RGB", (width, height))
    scale = image.height / height
    is_whole = image.size == (width, height)
    margin = 0 if is_whole else math.ceil(3 * scale) + 2  # the filter's reach
    rows = max(1, int(BAND_PIXELS / image.width / scale))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        first = max(0, math.floor(top * scale) - margin)
        last = min(image.height, math.ceil(bottom * scale) + margin)
        band = opaque(image.crop((0, first, image.width, last)), colours, white, is_negative=is_negative)
        if not is_whole:
            box = (0, top * scale - first, image.width, min(bottom * scale, image.height) - first)
            band = band.resize((width, bottom - top), Image.Resampling.LANCZOS, box=box)
        made.paste(band, (0, top))
    return made


def opaque(
    image: "Image.Image",
    colours: PictureColours | None = None,
    white: float | None = None,
    *,
    is_negative: bool = False,
) -> "Image.Image":
    """Return a picture of any mode as sRGB, on white.

    Args:
        image: The picture or part of it.
        colours: The conversion to sRGB; by default the picture already is sRGB.
        white: The value of white in a picture of more than 8 bits; by default derived from `image`.
        is_negative: Whether 0 is white there, and `white` is black.
    """
    from PIL import Image

    colours = colours or PictureColours()
    if image.mode.startswith(_DEEP_MODES):  # Pillow would clip, not scale
        image = _in_bytes(image, white or _white(image), is_negative=is_negative)
    is_gray = image.mode in _GRAY_MODES
    if not image.has_transparency_data:
        return colours.to_srgb(image, is_gray=is_gray)
    image = image.convert("RGBA")
    made = Image.new("RGB", image.size, "white")
    made.paste(colours.to_srgb(image.convert("RGB"), is_gray=is_gray), mask=image.getchannel("A"))
    return made


def _in_bytes(image: "Image.Image", white: float, *, is_negative: bool) -> "Image.Image":
    """Return a deep gray picture in 8 bits, with alpha if one of its colours is transparent."""
    scale, offset = (-255 / white, 255) if is_negative else (255 / white, 0)
    clear = alpha_of_gray(image)
    made = image.convert("F").point(lambda value: value * scale + offset).convert("L")
    if clear is not None:
        made.info.pop("transparency")
        made.putalpha(clear)
    return made


def _is_negative(image: "Image.Image") -> bool:
    """Return whether a TIFF declares that 0 is white, and Pillow did not invert it."""
    from PIL.TiffImagePlugin import TiffImageFile

    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    return image.mode.startswith(_DEEP_MODES) and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _white(image: "Image.Image") -> float:
    if image.mode.startswith("I;16"):
        return _WORD
    if not image.mode.startswith(_DEEP_MODES):
        return _BYTE
    largest = image.getextrema()[1]
    assert isinstance(largest, int | float)
    if image.mode == "F":
        return white_of(largest)
    return _WORD if largest <= _WORD else _LONG
