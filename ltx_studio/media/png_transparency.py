"""PNG transparency, where Pillow reads grays and the one transparent colour differently from browsers."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_UPPER, _LOWER = "RGB;16B", "RGB;16L"
"""Pillow's modes for 16-bit colours: the upper byte of each or, with the bytes swapped, the lower one."""


_STEPS = {"L;2": 85, "L;4": 17}
"""Step in 8 bits between neighbouring grays of low bit depth; Pillow does not scale the transparent one."""

_GRAY_AND_ALPHA = "LA;16B"
"""Pillow's mode for 16-bit grays with alpha, which it reads as colours."""


def decoded(path: Path, image: "Image.Image") -> "Image.Image":
    """Decode an opened picture; return a PNG with its one transparent colour scaled like its pixels, or as alpha.

    A gray picture stays gray.

    Raises:
        OSError: It cannot be decoded.
    """
    import numpy as np
    from PIL import Image
    from PIL.PngImagePlugin import PngImageFile

    clear = image.info.get("transparency")
    kind = image.tile[0].args if isinstance(image, PngImageFile) and image.tile else ""
    image.load()
    if kind == _GRAY_AND_ALPHA:
        return image.convert("LA")
    if kind in _STEPS and isinstance(clear, int):
        image.info["transparency"] = clear * _STEPS[kind] & 0xFF
    if kind != _UPPER or not isinstance(clear, tuple):
        return image
    with Image.open(path, formats=("PNG",)) as lower:
        assert isinstance(lower, PngImageFile)
        lower.tile = [tile._replace(args=_LOWER) for tile in lower.tile]
        seen = np.zeros((image.height, image.width), dtype=bool)
        for bytes_of, shift in ((image, 8), (lower, 0)):
            wanted = np.array([value >> shift & 255 for value in clear], dtype=np.uint8)
            seen |= (np.asarray(bytes_of) != wanted).any(axis=-1)
    made = image.copy()
    made.info.pop("transparency")
    made.putalpha(Image.fromarray(seen.astype(np.uint8) * np.uint8(255)))
    return made


def alpha_of_gray(image: "Image.Image") -> "Image.Image | None":
    """Return the alpha of a 16-bit gray picture with one transparent gray; None if it has none."""
    import numpy as np
    from PIL import Image

    clear = image.info.get("transparency")
    if not image.mode.startswith("I") or not isinstance(clear, int):
        return None
    return Image.fromarray((np.asarray(image) != clear).astype(np.uint8) * np.uint8(255))
