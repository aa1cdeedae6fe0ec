"""Pictures of floats, which Pillow does not open: colour TIFF, OpenEXR and Radiance, decoded by FFmpeg."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_PIXELS = 12_000_000
"""Each takes up to 40 bytes on the way."""

_KINDS = (
    (b"II*\0", "tiff_pipe", "tiff", False),
    (b"MM\0*", "tiff_pipe", "tiff", False),
    (b"v/1\x01", "exr_pipe", "exr", True),
    (b"#?RADIANCE", "hdr_pipe", "hdr", True),
    (b"#?RGBE", "hdr_pipe", "hdr", True),
)
"""How a file begins, its format, its decoder, and whether its numbers are light rather than codes of sRGB."""

_EXTRA_SAMPLES, _SAMPLE_FORMAT = 338, 339
"""Tags of TIFF."""

_NO_ALPHA, _PREMULTIPLIED, _STRAIGHT = 0, 1, 2
"""What a fourth number is, as TIFF counts it; straight where a TIFF does not say, as for Pillow. OpenEXR multiplies."""

_INTEGERS, _OF_FLOATS = (1,), 3
"""What numbers are, as TIFF counts it."""


def float_picture(path: Path) -> Any:
    """Return a picture of floats as a Pillow image, RGB, on white; None when it is none, or larger than `MOST_PIXELS`.

    Light brighter than white becomes white.

    Raises:
        OSError: It cannot be read.
    """
    import av
    import numpy as np
    from PIL import Image

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
        tags = _tiff_tags(path) if codec == "tiff" else {}
        colours, alpha = _numbers(frame, has_halves=tags.get(_SAMPLE_FORMAT, _INTEGERS)[0] == _OF_FLOATS)
        alpha_kind = tags.get(_EXTRA_SAMPLES, (_STRAIGHT,))[0] if codec == "tiff" else _PREMULTIPLIED
    except (av.error.FFmpegError, ValueError, IndexError):
        return None
    if alpha is not None:
        colours = _on_white(colours, alpha, alpha_kind)
    rgb = np.nan_to_num(colours).clip(0, 1)
    if is_light:
        rgb = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(rgb * 255).astype(np.uint8))


def _numbers(frame: Any, *, has_halves: bool) -> tuple[Any, Any]:
    """Return the colours as (height, width, 3) and the alpha as (height, width, 1), or None without one.

    Floats are taken as they are: FFmpeg's scaler refuses some kinds of them, and ends the process for others.

    Args:
        frame: As it was decoded.
        has_halves: Whether what FFmpeg takes for integers of 16 bits are floats, as in TIFF.
    """
    import numpy as np

    components = frame.format.components
    has_alpha = any(component.is_alpha for component in components)
    number = _number(frame.format.name, has_halves=has_halves)
    if number is None:
        numbers = frame.reformat(format="gbrapf32le" if has_alpha else "gbrpf32le").to_ndarray()
        return numbers[..., :3], numbers[..., 3:] if has_alpha else None
    found = []
    for index, component in enumerate(components):
        plane = frame.planes[component.plane]
        beside = [other for other, each in enumerate(components) if each.plane == component.plane]
        rows = np.frombuffer(plane, number).reshape(-1, plane.line_size // np.dtype(number).itemsize)
        found.append(rows[: frame.height, beside.index(index) : frame.width * len(beside) : len(beside)])
    alpha = found.pop()[..., None] if has_alpha else None
    return np.stack(found * (3 // len(found)), axis=-1).astype(np.float32), alpha


def _number(kind: str, *, has_halves: bool) -> str | None:
    """Return NumPy's name of the floats in FFmpeg's `kind` of pixels; None where they are integers."""
    if found := re.search("f(16|32)(le|be)$", kind):
        size = int(found[1]) // 8
    elif has_halves and (found := re.search("(16|48|64)(le|be)$", kind)):
        size = 2
    else:
        return None
    return f"{'>' if found[2] == 'be' else '<'}f{size}"


def _on_white(colours: Any, alpha: Any, kind: int) -> Any:
    """Return colours over white; `kind` says what the alpha is."""
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
