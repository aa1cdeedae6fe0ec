"""Requests of earlier editions: values for fields that did not exist then."""

from collections.abc import Mapping
from typing import Any

from ltx_studio.media.edges import USUAL_THRESHOLD
from ltx_studio.modes.fields import Controlling, Params


def with_former_values(params: type[Params], stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a stored request, completed with what its edition did for fields it lacks.

    Before `edge_threshold` existed, Canny used one threshold for every clip.
    """
    has_clip = stored.get("clip") is not None or stored.get("control_clip") is not None
    if has_clip and issubclass(params, Controlling) and stored.get("control", "canny") == "canny":
        return {"edge_threshold": USUAL_THRESHOLD, **stored}
    return stored
