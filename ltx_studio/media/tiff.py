"""TIFF pictures that Pillow opens but reads wrongly."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltx_studio.errors import RequestError

if TYPE_CHECKING:
    from PIL import Image

_BITS, _PLANES, _SAMPLE_FORMAT = 258, 284, 339
"""TIFF tags."""

_APART = 2
_UNSIGNED = 1
_LONG = 32
_WORD = 65_535

_choosing = threading.Lock()


def with_planes(path: Path, image: Any) -> Any:
    """Return an opened picture, to be read by libtiff if it is a TIFF with its channels stored one after another.

    Pillow's own reader takes their 16 bits for 8, and supports only one kind of transparency.

    Raises:
        RequestError: Its gray and its transparency are stored separately, which neither reads.
        OSError: It cannot be read.
    """
    from PIL import Image, TiffImagePlugin

    if image.format != "TIFF" or image.tag_v2.get(_PLANES) != _APART:
        return image
    if image.mode in ("LA", "La"):
        image.close()
        raise RequestError(
            f"{path.name} is a TIFF with separate gray and alpha planes, which is not supported.",
            "Convert it to PNG, or save it with interleaved channels.",
        )
    if all(tile.codec_name != "raw" for tile in image.tile):
        return image
    image.close()
    with _choosing:  # another thread that opens a TIFF meanwhile gets the same pixels from libtiff
        TiffImagePlugin.READ_LIBTIFF = True
        try:
            return Image.open(path, formats=("TIFF",))
        finally:
            TiffImagePlugin.READ_LIBTIFF = False


def without_sign(image: "Image.Image") -> "Image.Image":
    """Return a gray TIFF of unsigned 32-bit numbers with each halved, because Pillow takes them for signed ones."""
    import numpy as np
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

    if not isinstance(image, TiffImageFile) or image.mode != "I":
        return image
    tags = image.tag_v2
    if tags.get(_BITS) != (_LONG,) or tags.get(_SAMPLE_FORMAT, (_UNSIGNED,)) != (_UNSIGNED,):
        return image
    numbers = np.asarray(image).view(np.uint32)
    return image if numbers.max() <= _WORD else Image.fromarray((numbers >> 1).astype(np.int32))
