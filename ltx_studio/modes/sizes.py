"""Sizes in the shape of a picture."""

import math
from collections.abc import Mapping
from typing import Any

from ltx_studio.families import Geometry


def fitting(width: float, height: float, given: Mapping[str, Any], area: float, legal: Geometry) -> Mapping[str, int]:
    """Return a width and a height of about `area` pixels in the shape of width×height.

    If one side is given, it determines the other.
    """
    shape = width / height
    across, down = math.sqrt(area * shape), math.sqrt(area / shape)
    asked_width, asked_height = (_legal(given.get(name), legal) for name in ("width", "height"))
    if asked_width and given.get("height") is None:
        down = asked_width / shape
    elif asked_height and given.get("width") is None:
        across = asked_height * shape
    return {name: legal.snap(side, legal.size_step) for name, side in (("width", across), ("height", down))}


def _legal(side: Any, legal: Geometry) -> float:
    """Return a possible side; 0 for one that the declaration will refuse."""
    return side if isinstance(side, int | float) and legal.min_size <= side <= legal.max_size else 0


SHAPES: Mapping[str, tuple[int, int]] = {
    f"{across}:{down}": (across, down)
    for across, down in ((21, 9), (16, 9), (3, 2), (4, 3), (1, 1), (3, 4), (2, 3), (9, 16))
}
"""Common aspect ratios, width to height, widest first."""


def nearest_shape(width: float, height: float) -> str:
    """Return the nearest key of `SHAPES`."""
    return min(SHAPES, key=lambda name: abs(math.log(SHAPES[name][0] / SHAPES[name][1] * height / width)))
