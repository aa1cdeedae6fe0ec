"""Detection of silence in part of a sound, before the run."""

from functools import lru_cache
from pathlib import Path

from ltx_studio import sandbox
from ltx_studio.errors import BusyError
from ltx_studio.media.open import locate
from ltx_studio.media.trim import cut_sound

_FULL_SCALE = 32_768

SILENT = 33
"""Of 32,768: -60 dBFS. Encoders pad their last block with silence, which decodes to very low values."""


def is_silent(path: Path, start: float, seconds: float) -> bool:
    """Return whether `seconds` from second `start` on are silent; everything after the end is.

    The sound is decoded from its beginning, so use it only near a part that will be used anyway. A sound that cannot be
    analysed in time counts as audible.

    Raises:
        RequestError: There is no such file.
    """
    path = locate(path)
    state = path.stat()
    try:
        return _heard(path, state.st_size, state.st_mtime_ns, start, seconds) <= SILENT
    except BusyError:  # the next attempt may succeed, so this one is not cached
        return False


@lru_cache(maxsize=64)
def _heard(path: Path, size: int, changed: int, start: float, seconds: float) -> int:  # noqa: ARG001
    """Analyse each state of a file once, even if that fails: a form asks again on every key press."""
    return sandbox.read_or(_FULL_SCALE, _peak, path, start, seconds)


def _peak(path: Path, start: float, seconds: float) -> int:
    """Return the largest sample, 0 to 32,768."""
    import numpy as np

    samples = cut_sound(path, start, seconds, lambda: None)
    return int(np.abs(samples.astype(np.int32)).max(initial=0))
