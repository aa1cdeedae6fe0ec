"""Listen to a part of a sound before anything is rendered: whether anything is to be heard in it."""

from functools import lru_cache
from pathlib import Path

from ltx_studio import sandbox
from ltx_studio.errors import BusyError
from ltx_studio.media.open import locate
from ltx_studio.media.trim import cut_sound

_FULL_SCALE = 32_768

SILENT = 33
"""Of 32,768: -60 dBFS. Encoders fill their last block with silence, and decode it as very little."""


def is_silent(path: Path, start: float, seconds: float) -> bool:
    """Return whether nothing is to be heard for `seconds` from second `start` on; after the end nothing is.

    The sound is decoded from its beginning, so ask for what is near to what will be used anyway. What cannot be
    listened to in the time that this may take counts as heard.

    Raises:
        RequestError: There is no such file.
    """
    path = locate(path)
    state = path.stat()
    try:
        return _heard(path, state.st_size, state.st_mtime_ns, start, seconds) <= SILENT
    except BusyError:  # the next try may succeed, so this one is not cached
        return False


@lru_cache(maxsize=64)
def _heard(path: Path, size: int, changed: int, start: float, seconds: float) -> int:  # noqa: ARG001
    """Listen to each state of a file once, also where that fails: a form asks again with every key."""
    return sandbox.read_or(_FULL_SCALE, _peak, path, start, seconds)


def _peak(path: Path, start: float, seconds: float) -> int:
    """Return the largest sample, 0 to 32,768."""
    import numpy as np

    samples = cut_sound(path, start, seconds, lambda: None)
    return int(np.abs(samples.astype(np.int32)).max(initial=0))
