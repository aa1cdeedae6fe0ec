"""Pictures with floats and long integers, which Pillow does not open: colour TIFF, OpenEXR and Radiance."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltx_studio.media.colour import srgb_of

MOST_PIXELS = 12_000_000
"""Each pixel takes up to 40 bytes during conversion."""

_KINDS = (
    (b"II*\0", "tiff_pipe", "tiff", False),
    (b"MM\0*", "tiff_pipe", "tiff", False),
    (b"v/1\x01", "exr_pipe", "exr", True),
    (b"#?RADIANCE", "hdr_pipe", "hdr", True),
    (b"#?RGBE", "hdr_pipe", "hdr", True),
)
"""Signature of a file, its format, its decoder, and whether its numbers are linear light rather than sRGB codes."""

_BITS, _PHOTOMETRIC, _ORIENTATION, _PREDICTOR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 262, 274, 317, 338, 339
"""TIFF tags."""

_NO_ALPHA, _PREMULTIPLIED, _STRAIGHT = 0, 1, 2
"""Kinds of a fourth channel, as in TIFF; straight if a TIFF does not say, as in Pillow. OpenEXR is premultiplied."""

_UNSIGNED, _SIGNED, _FLOATS = 1, 2, 3
"""Sample formats, as in TIFF."""

_WHITE_IS_ZERO, _FOR_PRINT = 0, 5
_NO_PREDICTOR = 1
_LONG = 32
"""Bits."""

_UNIT, _BYTE, _WORD = 16.0, 255.0, 65_535.0
"""White as derived from the largest float: 1 (light may be brighter), 255, 65,535 or the largest itself."""


def white_of(largest: float) -> float:
    """Return the value of white in a float picture whose largest value is `largest`."""
    if largest <= _UNIT:
        return 1.0
    return next((white for white in (_BYTE, _WORD) if largest <= white), largest)


def float_picture(path: Path) -> Any:
    """Return a picture as an upright Pillow image, RGB, on white; None if it is of another kind or too large.

    The limit is `MOST_PIXELS`. Light brighter than white becomes white.

    Raises:
        OSError: It cannot be read.
    """
    import av
    import numpy as np
    from PIL import Image, ImageOps

    with path.open("rb") as file:
        head = file.read(16)
    found = next(((form, codec, linear) for begin, form, codec, linear in _KINDS if head.startswith(begin)), None)
    if found is None:
        return None
    form, codec, is_light = found
    options = {"codec_whitelist": codec, "max_pixels": str(MOST_PIXELS)}
    try:
        with av.open(
            path,
            format=form,
            options={"protocol_whitelist": "file", "codec_whitelist": codec},
            stream_options=[options],
        ) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = options
            frame = next(iter(container.decode(stream)), None)
        if frame is None or frame.width * frame.height > MOST_PIXELS:
            return None
        tags = _tiff_tags(path) if codec == "tiff" else {_SAMPLE_FORMAT: (_FLOATS,)}
        if _is_misread(tags):
            return None
        colours, alpha = _numbers(frame, tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0])
        alpha_kind = tags.get(_EXTRA_SAMPLES, (_STRAIGHT,))[0] if codec == "tiff" else _PREMULTIPLIED
    except (av.error.FFmpegError, ValueError, IndexError):
        return None
    if not is_light:
        colours, alpha = _scaled(colours), None if alpha is None else _scaled(alpha)
    if alpha is not None:
        colours = _on_white(colours, alpha, alpha_kind)
    rgb = np.nan_to_num(colours).clip(0, 1)
    if is_light:
        rgb = srgb_of(rgb)
    image = Image.fromarray(np.rint(rgb * 255).astype(np.uint8))
    image.getexif()[_ORIENTATION] = tags.get(_ORIENTATION, 1)
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _is_misread(tags: Mapping[int, Any]) -> bool:
    """Return whether FFmpeg decodes a TIFF with such tags incorrectly.

    It takes print colours for red, green and blue, inverts floats bit by bit, and undoes a predictor of floats
    or of 32-bit numbers byte by byte.
    """
    is_inverted = bool(tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)
    predictor = tags.get(_PREDICTOR, _NO_PREDICTOR)
    is_long = bool(tags.get(_BITS, (0,))[0] == _LONG)
    is_float = bool(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] == _FLOATS)
    is_for_print = bool(tags.get(_PHOTOMETRIC) == _FOR_PRINT)
    return is_for_print or (is_inverted and is_float) or (predictor != _NO_PREDICTOR and (is_long or is_float))


def _numbers(frame: Any, sample_format: int) -> tuple[Any, Any]:
    """Return the colours as (height, width, 3) and the alpha as (height, width, 1), or None without one.

    Integers become floats from 0 to 1. Floats are copied unchanged: FFmpeg's scaler refuses some kinds of them, and
    crashes the process for others.

    Args:
        frame: The decoded frame.
        sample_format: The TIFF sample format. FFmpeg takes a TIFF's numbers for integers if they have 16 bits, and for
            floats if they have 32.

    Raises:
        ValueError: The numbers are of another kind.
    """
    import numpy as np

    components = frame.format.components
    has_alpha = any(component.is_alpha for component in components)
    number = _number(frame.format.name, sample_format)
    if number is None:
        numbers = frame.reformat(format="gbrapf32le" if has_alpha else "gbrpf32le").to_ndarray()
        return numbers[..., :3], numbers[..., 3:] if has_alpha else None
    found = []
    for index, component in enumerate(components):
        plane = frame.planes[component.plane]
        beside = [other for other, each in enumerate(components) if each.plane == component.plane]
        rows = np.frombuffer(plane, number).reshape(-1, plane.line_size // np.dtype(number).itemsize)
        found.append(rows[: frame.height, beside.index(index) : frame.width * len(beside) : len(beside)])
    if number[1] in "iu":
        found = [plane / np.iinfo(number).max for plane in found]
    alpha = found.pop()[..., None] if has_alpha else None
    return np.stack(found * (3 // len(found)), axis=-1).astype(np.float32), alpha


def _number(kind: str, sample_format: int) -> str | None:
    """Return NumPy's type for FFmpeg's pixel format `kind`; None if FFmpeg's scaler reads it."""
    if found := re.search("f(16|32)(le|be)$", kind):
        letter, size = {_UNSIGNED: "u", _SIGNED: "i", _FLOATS: "f"}.get(sample_format), int(found[1]) // 8
    elif sample_format == _FLOATS and (found := re.search("(16|48|64)(le|be)$", kind)):
        letter, size = "f", 2
    else:
        return None
    if letter is None:
        raise ValueError(f"A TIFF has numbers of the unknown kind {sample_format}.")
    return f"{'>' if found[2] == 'be' else '<'}{letter}{size}"


def _scaled(numbers: Any) -> Any:
    """Return numbers scaled so that white, or full opacity, is 1."""
    import numpy as np

    return numbers / np.float32(white_of(float(numbers.max(initial=0, where=np.isfinite(numbers)))))


def _on_white(colours: Any, alpha: Any, kind: int) -> Any:
    """Return colours over white; `kind` is the kind of alpha."""
    import numpy as np

    if kind == _NO_ALPHA:
        return colours
    opacity = np.nan_to_num(alpha.astype(np.float32)).clip(0, 1)
    return (colours if kind == _PREMULTIPLIED else colours * opacity) + (1 - opacity)


def _tiff_tags(path: Path) -> Mapping[int, Any]:
    from PIL import TiffImagePlugin

    with path.open("rb") as file:
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
    return tags
