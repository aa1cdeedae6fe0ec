"""The colours of the world: plain sRGB, by the names that captions use."""

from collections.abc import Mapping

RGB = tuple[float, float, float]

COLOURS: Mapping[str, RGB] = {
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 0.65, 0.0),  # between CSS's green and its lime
    "blue": (0.0, 0.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "orange": (1.0, 0.55, 0.0),
    "purple": (0.55, 0.0, 0.65),
}
"""Colours of subjects, 0 to 1."""

BACKGROUNDS: Mapping[str, RGB] = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "gray": (0.5, 0.5, 0.5),
    "navy": (0.0, 0.0, 0.5),
    "teal": (0.0, 0.5, 0.5),
    "pink": (1.0, 0.75, 0.8),
    "brown": (0.45, 0.25, 0.1),
}
"""Plain background colours, 0 to 1."""

SKINS: tuple[RGB, ...] = ((1.0, 0.85, 0.2), (0.96, 0.78, 0.62), (0.78, 0.55, 0.38), (0.5, 0.33, 0.22))
HAIRS: tuple[RGB, ...] = ((0.1, 0.07, 0.05), (0.4, 0.22, 0.1), (0.9, 0.7, 0.25), (0.8, 0.25, 0.1), (0.6, 0.6, 0.62))

SKY_BLUE: RGB = (0.53, 0.81, 0.92)
GRASS: RGB = (0.3, 0.6, 0.2)
SEA: RGB = (0.1, 0.35, 0.75)
SAND: RGB = (0.93, 0.84, 0.6)
DUSK: RGB = (0.98, 0.6, 0.35)
NIGHT: RGB = (0.03, 0.03, 0.18)

MIN_DISTANCE = 0.5
"""Minimum RGB distance of a subject from its background: closer colours fade into one another."""


def distance(one: RGB, other: RGB) -> float:
    """Return the Euclidean distance in RGB from 0 to 1."""
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
