"""Pictures of floats, which Pillow does not open: colour TIFF, OpenEXR and Radiance, decoded by FFmpeg."""

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
    except (av.error.FFmpegError, ValueError, IndexError):
        return None
    if frame is None or frame.width * frame.height > MOST_PIXELS:
        return None
    has_alpha = any(component.is_alpha for component in frame.format.components)
    numbers = frame.reformat(format="gbrapf32le" if has_alpha else "gbrpf32le").to_ndarray()
    rgb = np.nan_to_num(numbers[..., :3])
    if has_alpha:  # the colours of OpenEXR are multiplied by it
        rgb = rgb + (1 - numbers[..., 3:])
    rgb = rgb.clip(0, 1)
    if is_light:
        rgb = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(rgb * 255).astype(np.uint8))
