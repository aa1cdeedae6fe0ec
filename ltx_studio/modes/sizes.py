"""Legal sizes: what width and height are rounded to, and a size in the shape of a picture."""

import math
from collections.abc import Mapping
from typing import Any

from ltx_studio.modes.fields import MAX_SIZE, MIN_SIZE

SIZE_STEP = 64
"""Pixels. The finished picture of a two-stage graph: latent cells are 32 pixels, and stage 1 has half of them."""


def snap(pixels: float, step: int = SIZE_STEP) -> int:
    """The nearest legal width or height."""
    return min(max(round(pixels / step), math.ceil(MIN_SIZE / step)), MAX_SIZE // step) * step


def fitting(width: float, height: float, given: Mapping[str, Any], area: float) -> Mapping[str, int]:
    """About `area` pixels in the shape of width×height.

    A side that is given decides the other.
    """
    shape = width / height
    across, down = math.sqrt(area * shape), math.sqrt(area / shape)
    asked_width, asked_height = (_legal(given.get(name)) for name in ("width", "height"))
    if asked_width and given.get("height") is None:
        down = asked_width / shape
    elif asked_height and given.get("width") is None:
        across = asked_height * shape
    return {"width": snap(across), "height": snap(down)}


def _legal(side: Any) -> float:
    """A side that can be made; 0 for what the declaration will refuse."""
    return side if isinstance(side, int | float) and MIN_SIZE <= side <= MAX_SIZE else 0


SHAPES: Mapping[str, tuple[int, int]] = {
    f"{across}:{down}": (across, down)
    for across, down in ((21, 9), (16, 9), (3, 2), (4, 3), (1, 1), (3, 4), (2, 3), (9, 16))
}
"""Usual shapes of pictures, width to height, widest first."""


def nearest_shape(width: float, height: float) -> str:
    """The key of `SHAPES` that is nearest."""
    return min(SHAPES, key=lambda name: abs(math.log(SHAPES[name][0] / SHAPES[name][1] * height / width)))
