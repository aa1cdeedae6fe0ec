"""The modes: what each takes, and how that becomes a graph."""

from ltx_studio.errors import RequestError
from ltx_studio.modes.a2v import A2V
from ltx_studio.modes.base import Mode
from ltx_studio.modes.fields import MAX_SEED, Media, Params, UserLora, drawn_seed
from ltx_studio.modes.i2v import I2V
from ltx_studio.modes.keyframe import KEYFRAME
from ltx_studio.modes.limits import Limit
from ltx_studio.modes.lipsync import LIPSYNC
from ltx_studio.modes.style import STYLE
from ltx_studio.modes.t2v import T2V
from ltx_studio.text.formatting import quoted

__all__ = [
    "MAX_SEED",
    "MODES",
    "Limit",
    "Media",
    "Mode",
    "Params",
    "UserLora",
    "drawn_seed",
    "get_mode",
    "register",
]

MODES: dict[str, Mode] = {}
"""By their id, in the order in which they are shown."""


def register(mode: Mode) -> None:
    """Offer a mode on the command line, on the page and in the API.

    Call it before these are built. The mode's graph template is that of the model family, or one of its own.

    Raises:
        ValueError: There is a mode with that id.
    """
    if mode.id in MODES:
        raise ValueError(f"there is a mode {mode.id!r} already")
    MODES[mode.id] = mode


for _mode in (T2V, A2V, I2V, LIPSYNC, KEYFRAME, STYLE):
    register(_mode)


def get_mode(mode_id: str) -> Mode:
    """Look a mode up.

    Raises:
        RequestError: There is no such mode.
    """
    try:
        return MODES[mode_id]
    except (KeyError, TypeError):  # a client may send any JSON
        raise RequestError(f"There is no mode {quoted(mode_id)}.", f"Choose one of: {', '.join(MODES)}.") from None
