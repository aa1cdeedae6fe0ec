"""The modes: what each takes, and how that becomes a graph."""

from collections.abc import Mapping

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
]

MODES: Mapping[str, Mode] = {mode.id: mode for mode in (T2V, A2V, I2V, LIPSYNC, KEYFRAME, STYLE)}


def get_mode(mode_id: str) -> Mode:
    """Look a mode up.

    Raises:
        RequestError: There is no such mode.
    """
    try:
        return MODES[mode_id]
    except (KeyError, TypeError):  # a client may send any JSON
        raise RequestError(f"There is no mode {quoted(mode_id)}.", f"Choose one of: {', '.join(MODES)}.") from None
