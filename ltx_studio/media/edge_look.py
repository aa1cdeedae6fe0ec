"""Analysis of a few pictures of a clip before the run: what a control map of edges would show."""

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
"""Share of pixels that are clear edges above which the default threshold is kept."""

NEARLY_NONE = 0.05
"""Edge pixels relative to a picture's width plus height: the outline of the smallest thing that can be followed."""

FAINTEST = 0.06
"""Threshold. Below it, compression and dithering produce edges."""

ABOVE_GRAIN = 5
"""Multiple of the median slope. Grain is that steep now and then; an edge must be steeper."""

FLAT = 0.01
"""Standard deviation of a picture that shows nothing; a gradient has far more, though it has no edge."""

MANY = 0.5
"""Share of the examined pictures; if as many have no edges, a good part of the clip has none."""

_FEW, _FEWEST = 4, 2
"""Numbers of pictures to examine; fewer if they are large."""

_AT_ONCE = 1000.0
"""Frames per second: the middle of so short a frame is its beginning."""

_PIXELS = 8_000_000
"""Total pixels of all examined pictures."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a clip that is used, and its picture size in the graph.

    Attributes:
        path: The clip.
        start: Second at which the part begins.
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
    """The findings from a few pictures of a clip.

    Attributes:
        threshold: Canny's higher threshold: the one that fits the clip, or the requested one.
        length: Edge pixels above it, relative to the picture's width plus height; for the picture that has
            the most.
        brightness: Mean brightness of the brightest picture, 0 to 1.
        contrast: Largest standard deviation of the pictures, 0 to 1.
        empty: Share of the pictures with no or nearly no edges.
    """

    threshold: float
    length: float
    brightness: float
    contrast: float = 1.0
    empty: float = 0.0

    @property
    def is_flat(self) -> bool:
        """Return whether the pictures are of uniform colour, apart from grain."""
        return self.contrast < FLAT

    @property
    def sees_nothing(self) -> bool:
        """Return whether a map of these edges is empty, or nearly so."""
        return self.length < NEARLY_NONE

    @property
    def is_partly_empty(self) -> bool:
        """Return whether a good part of the pictures has no edges, but others do."""
        return not self.sees_nothing and self.empty >= MANY


def look_at_edges(part: Part, threshold: float | None = None) -> EdgeLook:
    """Analyse the edges of a clip; without a `threshold`, with one that fits the clip.

    A clip that cannot be analysed in time counts as one with clear edges: it can still be used.

    Raises:
        RequestError: There is no such file.
    """
    path = locate(part.path)
    state = path.stat()
    place = (part.start, part.seconds, part.width, part.height)
    try:
        return _look(path, state.st_size, state.st_mtime_ns, place, threshold)
    except BusyError:  # the next attempt may succeed, so this one is not cached
        return _clear_edges(threshold)


@lru_cache(maxsize=64)
def _look(path: Path, size: int, changed: int, place: tuple[Any, ...], threshold: float | None) -> EdgeLook:  # noqa: ARG001
    """Analyse each state of a file once, even if that fails: a form asks again on every key press."""
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
    """Return the default threshold if it finds enough, otherwise half the slope of the clip's clearest edges."""
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
    """Return pictures spread over the part, cropped and scaled as in the graph: (height, width, 3) each, RGB.

    Args:
        part: The part to sample.
        count: Maximum number; fewer if they are large.

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
    """Yield requests for pictures: one for a short part, one with a seek for each picture of a longer one."""
    size = (part.width, part.height)
    if 0 < part.seconds <= SEEK_SECONDS:
        yield ClipFile(part.path, part.start, count, count / part.seconds, *size)
        return
    for number in range(count):
        yield ClipFile(part.path, part.start + part.seconds * (number + 0.5) / count, 1, _AT_ONCE, *size)


def map_of_edges(picture: "NDArray[np.uint8]", threshold: float) -> "NDArray[np.uint8]":
    """Return the control map of a picture as the graph makes it: white edges on black, in the picture's shape."""
    import numpy as np

    return np.repeat((edges(picture, threshold) * np.uint8(255))[:, :, None], 3, axis=2)
