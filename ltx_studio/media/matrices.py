"""Y'CbCr matrices that FFmpeg's scaler does not support: YCgCo, and the one derived from the primaries.

Codes and formulas are those of ITU-T H.273.
"""

from typing import Any

_BT709, _YCGCO, _DERIVED = 1, 8, 12
_PLAIN = {0, _BT709, 2, 4, 5, 6, 7, 9}
"""Matrices that FFmpeg's scaler converts."""

_CONVERTED = {_YCGCO, _DERIVED}
_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.2989, 0.1145),
    5: (0.2220, 0.0713),
    6: (0.2124, 0.0866),
    7: (0.2124, 0.0866),
    9: (0.2627, 0.0593),
    11: (0.2095, 0.0689),
    12: (0.2290, 0.0793),
}
"""Weights of red and blue in luminance, by primaries."""

_LARGEST = 65_535
_LIMITED = {"black": 16 << 8, "luma": 219 << 8, "chroma": 224 << 8}
_FULL = {"black": 0, "luma": _LARGEST, "chroma": 255 << 8}
_JPEG_RANGE = 2


def is_converted(frame: Any) -> bool:
    """Return whether a frame needs `rgb_of` instead of FFmpeg's scaler."""
    return not frame.format.is_rgb and frame.colorspace in _CONVERTED


def can_convert(frame: Any) -> bool:
    """Return whether FFmpeg's scaler or this module supports the matrix of a frame."""
    return frame.format.is_rgb or frame.colorspace in _PLAIN | _CONVERTED


def rgb_of(frame: Any, width: int, height: int, interpolation: int) -> Any:
    """Return a frame with one of this module's matrices (`is_converted`) as (height, width, 3) uint16: RGB."""
    import numpy as np

    matrix, primaries = frame.colorspace, frame.color_primaries
    frame.colorspace = _BT709  # the scaler refuses other matrices even when it only copies the planes
    planes = frame.reformat(
        width,
        height,
        format="yuv444p16le",
        src_colorspace=_BT709,
        dst_colorspace=_BT709,
        src_color_range=frame.color_range,
        dst_color_range=frame.color_range,
        interpolation=interpolation,
    ).to_ndarray()
    frame.colorspace = matrix
    levels = _FULL if frame.color_range == _JPEG_RANGE else _LIMITED
    y = (planes[..., 0].astype(np.float32) - levels["black"]) / levels["luma"]
    u, v = ((planes[..., plane].astype(np.float32) - (1 << 15)) / levels["chroma"] for plane in (1, 2))
    made = np.stack(_rgb(matrix, primaries, y, u, v), axis=-1)
    return np.rint(made.clip(0, 1) * _LARGEST).astype(np.uint16)


def _rgb(matrix: int, primaries: int, y: Any, u: Any, v: Any) -> tuple[Any, Any, Any]:
    """Return red, green and blue, 0 to 1."""
    if matrix == _YCGCO:
        return y - u + v, y + u, y - u - v
    red, blue = _WEIGHTS.get(primaries, _WEIGHTS[_BT709])
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return r, (y - red * r - blue * b) / (1 - red - blue), b
