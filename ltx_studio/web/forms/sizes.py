"""The sizes that a form offers: a shape and a resolution, and the legal width and height that they mean."""

import math
from collections.abc import Mapping

from ltx_studio.families import ModelSet
from ltx_studio.web import words

Pixels = tuple[int, int]

SHAPES: Mapping[str, Pixels] = {
    f"{across}:{down}": (across, down) for across, down in ((16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (21, 9))
}
"""The shapes that a form offers, width to height."""

SHORT_SIDES: Mapping[str, int] = {"480p": 480, "540p": 540, "720p": 720, "1080p": 1080}
"""Resolutions by the shorter side in pixels, as players name them."""

AREAS: Mapping[str, float] = {"small": 0.5, "normal": 1.0, "large": 2.0}
"""Resolutions of a model set that is smaller than any of `SHORT_SIDES`, as parts of its own area."""


class Sizes:
    """The sizes of one model set.

    Attributes:
        labels: The resolutions: the text for each id.
        usual: The id of the model set's own resolution.
        shape: The name of the model set's own shape.
    """

    def __init__(self, model_set: ModelSet) -> None:
        self._legal, own = model_set.family.geometry, (model_set.width, model_set.height)
        self._area = math.prod(own)
        self._is_small = min(own) + self._legal.size_step / 2 < min(SHORT_SIDES.values())
        self.labels = dict(words.SIZES) if self._is_small else {name: name for name in SHORT_SIDES}
        self.shape = min(SHAPES, key=lambda name: abs(math.log(_ratio(SHAPES[name]) / _ratio(own))))
        self.usual = min(self.labels, key=lambda size: math.dist(self.pixels(size, SHAPES[self.shape]), own))

    def pixels(self, size: str, shape: Pixels, step: int | None = None) -> Pixels:
        """Return the legal width and height nearest to a resolution in a shape, in multiples of `step` pixels."""
        ratio = _ratio(shape)
        if self._is_small:
            area = AREAS[size] * self._area
            across, down = math.sqrt(area * ratio), math.sqrt(area / ratio)
        else:
            across, down = SHORT_SIDES[size] * max(1, ratio), SHORT_SIDES[size] * max(1, 1 / ratio)
        step = step or self._legal.size_step
        return self._legal.snap(across, step), self._legal.snap(down, step)

    def find(self, pixels: Pixels, shapes: Mapping[str, Pixels], step: int) -> tuple[str, str] | None:
        """Return the first of `shapes` and the resolution that mean this width and height; None if none do."""
        pairs = ((shape, size) for shape in shapes for size in self.labels)
        return next((pair for pair in pairs if self.pixels(pair[1], shapes[pair[0]], step) == pixels), None)

    def choices(self, shape: Pixels, step: int | None = None) -> list[tuple[str, str]]:
        """Return the label and id of each resolution: its name, and below it its pixels in a shape."""
        meant = {size: "{}×{}".format(*self.pixels(size, shape, step)) for size in self.labels}
        return [(f"{label}\n{meant[size]}", size) for size, label in self.labels.items()]


def _ratio(shape: Pixels) -> float:
    return shape[0] / shape[1]
