"""Frames of a clip as players show them: upright, with square pixels, on white, in SDR colours."""

import struct
from typing import Any

from ltx_studio.media.colour import UNSPECIFIED, is_hdr, needs_conversion, to_sdr
from ltx_studio.media.matrices import is_converted, rgb_of
from ltx_studio.media.side_data import side_data

Matrix = tuple[int, int, int, int]
_BT2020 = 9
"""Default matrix of HDR."""

_STRAIGHT: Matrix = (1, 0, 0, 1)
_FORMATS = {(False, False): "rgb24", (False, True): "rgba", (True, False): "rgb48le", (True, True): "rgba64le"}
"""Pixel formats by whether colours are converted, and whether there is transparency."""


def turned(frame: Any) -> bool:
    """Return whether a frame is displayed with width and height swapped."""
    return _orientation(frame)[0]


class Orientations:
    """A cache of the rotations of a clip's frames, by FFmpeg's angle: reading the matrix takes milliseconds."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bool, bool, bool]] = {}

    def of(self, frame: Any) -> tuple[bool, bool, bool]:
        """Return whether rows and columns are swapped, then whether the frame is mirrored and upside down."""
        if frame.rotation not in self._known:
            self._known[frame.rotation] = _orientation(frame)
        return self._known[frame.rotation]


def upright(frame: Any, width: int, height: int, aspect: Any, orientations: Orientations) -> Any:
    """Return a frame as RGB with even sides and square pixels, no larger than needed to cover width×height.

    Args:
        frame: As decoded by PyAV.
        width: Maximum pixels needed.
        height: Maximum pixels needed.
        aspect: Width of a pixel divided by its height.
        orientations: The rotations of this clip's frames.

    Returns:
        (height, width, 3) uint8. Transparent parts are on white.
    """
    import numpy as np

    swapped, mirrored, flipped = orientations.of(frame)
    across, down = (height, width) if swapped else (width, height)
    seen = float(frame.width * aspect), float(frame.height)
    scale = min(1.0, max(across / seen[0], down / seen[1]))
    sides = tuple(max(2, round(side * scale / 2) * 2) for side in seen)
    pixels = _pixels(frame, *sides)
    if swapped:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[:: -1 if flipped else 1, :: -1 if mirrored else 1])


def _pixels(frame: Any, width: int, height: int) -> Any:
    import numpy as np
    from av.video.reformatter import Interpolation

    exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    codes = frame.color_primaries, frame.color_trc
    converted, clear = needs_conversion(*codes), has_alpha(frame)
    kind = _FORMATS[converted, clear]
    if is_hdr(frame.color_trc) and frame.colorspace == UNSPECIFIED:
        frame.colorspace = _BT2020
    if is_converted(frame):
        return _of_matrix(frame, width, height, int(exact))
    pixels = frame.reformat(width, height, format=kind, interpolation=int(exact)).to_ndarray()
    opacity = pixels[..., 3:].astype(np.float32) / np.iinfo(pixels.dtype).max if clear else None
    pixels = to_sdr(pixels[..., :3], *codes) if converted else pixels[..., :3]
    if opacity is None:
        return pixels
    return np.round(255 - opacity * (255 - pixels.astype(np.float32))).astype(np.uint8)


def _of_matrix(frame: Any, width: int, height: int, interpolation: int) -> Any:
    """Return the pixels of a frame that FFmpeg's scaler cannot convert; such video has no transparency."""
    import numpy as np

    codes = frame.color_primaries, frame.color_trc
    deep = rgb_of(frame, width, height, interpolation)
    return to_sdr(deep, *codes) if needs_conversion(*codes) else np.rint(deep / 257).astype(np.uint8)


def has_alpha(frame: Any) -> bool:
    """Return whether a frame can be transparent."""
    return any(component.is_alpha for component in frame.format.components) or frame.format.name == "pal8"


def is_mirrored(frame: Any) -> bool:
    """Return whether a frame is displayed mirrored, whatever its rotation."""
    a, b, c, d = _matrix(frame)
    return a * d < b * c


def _orientation(frame: Any) -> tuple[bool, bool, bool]:
    """Return whether rows and columns are swapped, and whether the result is then mirrored and upside down.

    A display matrix maps the point (x, y) to (ax + cy, bx + dy).
    """
    a, b, c, d = _matrix(frame)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _matrix(frame: Any) -> Matrix:
    found = side_data(frame, "DISPLAYMATRIX")
    if found is None:
        return _STRAIGHT
    a, b, _, c, d = struct.unpack_from("=5i", found)
    return a, b, c, d
