"""Look at a few pictures of a clip before anything is rendered: what a control map of edges would show of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltx_studio import sandbox
from ltx_studio.errors import BusyError
from ltx_studio.media.edges import USUAL_THRESHOLD, edges, ridges, slopes
from ltx_studio.media.input_requests import ClipFile
from ltx_studio.media.open import locate
from ltx_studio.media.seek import SEEK_SECONDS
from ltx_studio.media.trim import pictures_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENOUGH = 0.004
"""Share of the pixels that are clearly an edge, from which on the usual threshold is kept."""

NEARLY_NONE = 0.05
"""Of a picture's width and height together: the outline of the smallest thing that can be followed."""

FAINTEST = 0.06
"""Threshold. Below it compression and dithering make edges of their own."""

ABOVE_GRAIN = 5
"""Times the median slope. Grain is as steep as that now and then; an edge has to be steeper."""

FLAT = 0.01
"""Standard deviation of a picture in which nothing can be seen; a gradient has far more, though it has no edge."""

MANY = 0.5
"""Share of the pictures that are looked at; where so many have no edges, a good part of the clip has none."""

_FEW, _FEWEST = 4, 2
"""Pictures that are looked at; of large ones fewer."""

_AT_ONCE = 1000.0
"""Frames per second: of so short a frame the middle is its beginning."""

_PIXELS = 8_000_000
"""In all pictures that are looked at."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a clip that is used, and the size of its pictures in the graph.

    Attributes:
        path: The clip.
        start: Second of it at which the part begins.
        seconds: Its length.
        width: Pixels.
        height: Pixels.
    """

    path: Path
    start: float
    seconds: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class EdgeLook:
    """What was found in a few pictures of a clip.

    Attributes:
        threshold: Canny's higher threshold: one that fits the clip, or the one that was asked for.
        length: Pixels that are steeper than that, to the picture's width and height together; of the picture that has
            the most.
        brightness: Of the brightest of the pictures on the average, 0 to 1.
        contrast: Standard deviation of what is seen in the pictures, 0 to 1, the largest of them.
        empty: Share of the pictures that have no edges, or nearly none.
    """

    threshold: float
    length: float
    brightness: float
    contrast: float = 1.0
    empty: float = 0.0

    @property
    def is_flat(self) -> bool:
        """Whether the pictures have one colour all over, but for grain."""
        return self.contrast < FLAT

    @property
    def sees_nothing(self) -> bool:
        """Whether a map of these edges is empty, or nearly so."""
        return self.length < NEARLY_NONE

    @property
    def is_partly_empty(self) -> bool:
        """Whether a good part of the pictures has no edges, and another has some."""
        return not self.sees_nothing and self.empty >= MANY


def look_at_edges(part: Part, threshold: float | None = None) -> EdgeLook:
    """Look for edges; without a `threshold`, with one that fits the clip.

    A clip that cannot be looked at in the time that this may take counts as one with clear edges: it can still be used.

    Raises:
        RequestError: There is no such file.
    """
    path = locate(part.path)
    state = path.stat()
    place = (part.start, part.seconds, part.width, part.height)
    try:
        return _look(path, state.st_size, state.st_mtime_ns, place, threshold)
    except BusyError:  # the next look may succeed, so this one is not cached
        return _clear_edges(threshold)


@lru_cache(maxsize=64)
def _look(path: Path, size: int, changed: int, place: tuple[Any, ...], threshold: float | None) -> EdgeLook:  # noqa: ARG001
    """Look at each state of a file once, also where that fails: a form asks again with every key."""
    return sandbox.read_or(_clear_edges(threshold), _find_edges, path, place, threshold)


def _clear_edges(threshold: float | None) -> EdgeLook:
    return EdgeLook(USUAL_THRESHOLD if threshold is None else threshold, math.inf, 1.0)


def _find_edges(path: Path, place: tuple[Any, ...], threshold: float | None) -> EdgeLook:
    import numpy as np

    pictures = few_pictures(Part(path, *place))
    found = [ridges(picture) for picture in pictures]
    chosen = _fitting(pictures, found) if threshold is None else threshold
    brightness = max(float(picture.mean()) for picture in pictures) / 255
    lengths = [int(np.count_nonzero(ridge > chosen)) / sum(ridge.shape) for ridge in found]
    contrast = max(float(picture.std(axis=(0, 1)).max()) for picture in pictures) / 255
    empty = sum(length < NEARLY_NONE for length in lengths) / len(lengths)
    return EdgeLook(chosen, max(lengths), brightness, contrast, empty)


def _fitting(pictures: "list[NDArray[np.uint8]]", found: "list[NDArray[np.float32]]") -> float:
    """Return the usual threshold where it finds enough, else half of how steep the clip's clearest edges are."""
    import numpy as np

    every = np.concatenate([ridge.ravel() for ridge in found])
    if np.mean(every > USUAL_THRESHOLD) >= ENOUGH:
        return USUAL_THRESHOLD
    few = round(NEARLY_NONE * sum(found[0].shape) * len(found))
    clearest = float(np.partition(every, -few)[-few])
    grain = max(float(np.median(slopes(picture))) for picture in pictures)
    faintest = max(FAINTEST, ABOVE_GRAIN * grain)
    return round(min(USUAL_THRESHOLD, max(faintest, clearest / 2)), 2)


def few_pictures(part: Part, count: int = _FEW) -> "list[NDArray[np.uint8]]":
    """Return pictures from all over the part as the graph crops and scales them: (height, width, 3) each, RGB.

    Args:
        part: What is looked at.
        count: At most so many; fewer where they are large.

    Raises:
        RequestError: The clip cannot be read.
    """
    import numpy as np
    from PIL import Image, ImageOps

    count = max(min(count, _FEWEST), min(count, _PIXELS // (part.width * part.height)))
    pictures = []
    for want in _wants(part, count):
        for picture in pictures_of(want, lambda: None):
            image = ImageOps.fit(Image.fromarray(picture), (part.width, part.height), Image.Resampling.LANCZOS)
            pictures.append(np.asarray(image))
    return pictures


def _wants(part: Part, count: int) -> Iterator[ClipFile]:
    """Where pictures are taken: of a short part in one go, of a longer one each by itself, which seeks."""
    size = (part.width, part.height)
    if 0 < part.seconds <= SEEK_SECONDS:
        yield ClipFile(part.path, part.start, count, count / part.seconds, *size)
        return
    for number in range(count):
        yield ClipFile(part.path, part.start + part.seconds * (number + 0.5) / count, 1, _AT_ONCE, *size)


def map_of_edges(picture: "NDArray[np.uint8]", threshold: float) -> "NDArray[np.uint8]":
    """Return the control map of a picture as the graph makes it: white edges on black, of the picture's shape."""
    import numpy as np

    return np.repeat((edges(picture, threshold) * np.uint8(255))[:, :, None], 3, axis=2)
