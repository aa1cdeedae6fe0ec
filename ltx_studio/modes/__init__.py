"""The modes: what each takes, and how that becomes a graph."""

from collections.abc import Mapping

from ltx_studio.errors import RequestError
from ltx_studio.modes.base import MAX_SEED, Mode, Params
from ltx_studio.modes.t2v import T2V

__all__ = ["MAX_SEED", "MODES", "Mode", "Params", "get_mode"]

MODES: Mapping[str, Mode] = {mode.id: mode for mode in (T2V,)}


def get_mode(mode_id: str) -> Mode:
    """Look a mode up.

    Raises:
        RequestError: There is no such mode.
    """
    try:
        return MODES[mode_id]
    except KeyError:
        raise RequestError(f"There is no mode {mode_id!r}.", f"Choose one of: {', '.join(MODES)}.") from None
