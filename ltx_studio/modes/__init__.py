"""The modes: their parameters, and how these become a graph."""

from ltx_studio.errors import RequestError
from ltx_studio.modes.a2v import A2V
from ltx_studio.modes.base import Mode
from ltx_studio.modes.fields import COMFYUI_NAMES, MAX_SEED, OF_PRESET, TUNING, Media, Params, UserLora, drawn_seed
from ltx_studio.modes.i2v import I2V
from ltx_studio.modes.keyframe import KEYFRAME
from ltx_studio.modes.limits import Limit
from ltx_studio.modes.lipsync import LIPSYNC
from ltx_studio.modes.style import STYLE
from ltx_studio.modes.t2v import T2V
from ltx_studio.text.formatting import quoted

__all__ = [
    "COMFYUI_NAMES",
    "MAX_SEED",
    "MODES",
    "OF_PRESET",
    "TUNING",
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
"""Modes by id, in display order."""


def register(mode: Mode) -> None:
    """Register a mode for the command line, the page and the API.

    Call it before these are built. The mode's graph template is the model family's, or a custom one.

    Raises:
        ValueError: A mode with that id exists.
    """
    if mode.id in MODES:
        raise ValueError(f"there is a mode {mode.id!r} already")
    MODES[mode.id] = mode


for _mode in (T2V, A2V, I2V, LIPSYNC, KEYFRAME, STYLE):
    register(_mode)


def get_mode(mode_id: str) -> Mode:
    """Return a mode by its id.

    Raises:
        RequestError: There is no such mode.
    """
    try:
        return MODES[mode_id]
    except (KeyError, TypeError):  # clients may send any JSON
        raise RequestError(f"There is no mode {quoted(mode_id)}.", f"Choose one of: {', '.join(MODES)}.") from None
