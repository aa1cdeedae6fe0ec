"""Canny edges as found by ComfyUI's node, without its libraries, for analysing a clip before the run.

The node calls Kornia, whose steps these are: gray, Gaussian blur of 5×5 with sigma 1, Sobel gradient (not normalised),
non-maximum suppression along eight directions, hysteresis. `tests/media/test_edges.py` compares the two.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL_THRESHOLD = 0.8
"""The node's higher threshold; the lower one is always half of it."""

BAND_PIXELS = 1_000_000
"""Pixels of a picture that are processed together."""

_REACH = 4
"""Rows around a pixel that affect it: two for the blur, one for the gradient, one for its neighbours."""

_EPSILON = 1e-6
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""(down, right) to the neighbour in each direction, clockwise from the right."""

_TIES = (0, 2)
"""Directions in which a pixel equal to its neighbour is kept."""


def low_of(high: float) -> float:
    """Return the lower threshold for a higher one, both in the node's steps of 0.01."""
    return max(0.01, round(high / 2, 2))


def gradient(picture: "NDArray[np.uint8]") -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """Return the horizontal and vertical slope of a picture's brightness (1 is white).

    Args:
        picture: (height, width, 3), RGB.

    Returns:
        Two arrays of (height, width): rightwards and downwards.
    """
    import numpy as np

    gray = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    weights = np.exp(-((np.arange(5, dtype=np.float32) - 2) ** 2) / 2)
    blurred = _along(_along(np.pad(gray, 2, mode="reflect"), weights / weights.sum(), 0), weights / weights.sum(), 1)
    padded = np.pad(blurred, 1, mode="edge")
    rise, smooth = np.array([-1, 0, 1], np.float32), np.array([1, 2, 1], np.float32)
    return _along(_along(padded, rise, 1), smooth, 0), _along(_along(padded, rise, 0), smooth, 1)


def slopes(picture: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """Return the slope of each pixel in a picture (height, width, 3): (height, width)."""
    found: NDArray[np.float32] = _in_bands(picture, _slopes)
    return found


def ridges(picture: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """Return the slope of each pixel that is steeper than those beside it, and 0 elsewhere: (height, width)."""
    found: NDArray[np.float32] = _in_bands(picture, _ridges)
    return found


def _in_bands(picture: Any, look: Callable[[Any], Any]) -> Any:
    """Process a picture a few rows at a time, so that a large one takes no more memory than a small one."""
    import numpy as np

    height, width = picture.shape[:2]
    rows, bands = max(_REACH, BAND_PIXELS // width), []
    for top in range(0, height, rows):
        first, bottom = max(0, top - _REACH), min(height, top + rows)
        band = look(picture[first : min(height, bottom + _REACH)])
        bands.append(band[top - first : bottom - first])
    return np.concatenate(bands)


def _slopes(picture: Any) -> Any:
    import numpy as np

    return np.hypot(*gradient(picture))


def _ridges(picture: Any) -> Any:
    import numpy as np

    across, down = gradient(picture)
    steep = np.sqrt(across**2 + down**2 + np.float32(_EPSILON))
    direction = np.round(np.degrees(np.arctan2(down, across)) / 45).astype(np.int8) % 8
    padded = np.pad(steep, 1)
    stays = np.zeros(steep.shape, dtype=bool)
    for number in range(4):  # a direction and its opposite
        one, other = (_beats(padded, steep, each) for each in (number, number + 4))
        stays |= (direction % 4 == number) & one & other
    stays &= (across != 0) | (down != 0)
    return np.where(stays, steep, np.float32(0))


def edges(picture: "NDArray[np.uint8]", high: float) -> "NDArray[np.bool_]":
    """Return the edges of a picture (height, width, 3) with the higher threshold `high`: (height, width)."""
    import numpy as np

    ridge = ridges(picture)
    weak, found = ridge > low_of(high), ridge > high
    while True:
        grown = np.pad(found, 1)
        grown = grown[:-2] | grown[1:-1] | grown[2:]
        grown = (grown[:, :-2] | grown[:, 1:-1] | grown[:, 2:]) & weak
        if (grown == found).all():
            return found
        found = grown


def _beats(padded: Any, steep: Any, direction: int) -> Any:
    """Return where a pixel is steeper than its neighbour in a direction; `padded` has a border of 1."""
    down, right = _STEPS[direction]
    height, width = steep.shape
    neighbour = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
    return steep >= neighbour if direction in _TIES else steep > neighbour


def _along(values: Any, kernel: Any, axis: int) -> Any:
    """Correlate with a short kernel, without a border."""
    count = values.shape[axis] - len(kernel) + 1
    pieces = (values[offset : offset + count] if axis == 0 else values[:, offset : offset + count]
              for offset in range(len(kernel)))  # fmt: skip
    return sum(weight * piece for weight, piece in zip(kernel, pieces, strict=True))
