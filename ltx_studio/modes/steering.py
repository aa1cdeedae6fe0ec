"""Fitting of Canny's threshold to a control clip, and notes about control maps that show nothing."""

from collections.abc import Iterator

from ltx_studio.families import ModelSet
from ltx_studio.media import probe_clip
from ltx_studio.media.edge_look import EdgeLook, Part, look_at_edges
from ltx_studio.modes.fields import Controlling, Params

_DARK = 0.15
"""Mean brightness of a dark clip, 1 being white."""


def used_part(params: Params, size: tuple[int, int]) -> Part | None:
    """Return the part of the control clip that is used, its pictures of `size` (width, height); None without a clip."""
    source = params.control_source() if isinstance(params, Controlling) else None
    if source is None:
        return None
    path, start = source
    seconds = min(params.duration, probe_clip(path).seconds - start)
    return Part(path, start, max(0.0, seconds), *size)


def fitted(params: Params, size: tuple[int, int]) -> Params:
    """Return the request with the edge threshold that fits its clip, if the clip steers and none was given.

    Raises:
        RequestError: The clip cannot be read.
    """
    part = used_part(params, size)
    if part is None or not isinstance(params, Controlling) or params.control != "canny":
        return params
    if params.edge_threshold is not None or not params.control_strength:
        return params
    return params.model_copy(update={"edge_threshold": look_at_edges(part).threshold})


def own_threshold(params: Params, size: tuple[int, int]) -> float | None:
    """Return the edge threshold of a request if it is not the one that fits its clip, otherwise None.

    Raises:
        RequestError: The clip cannot be read.
    """
    given = params.edge_threshold if isinstance(params, Controlling) else None
    if given is None or fitted(params.model_copy(update={"edge_threshold": None}), size) == params:
        return None
    return given


def steering_notes(params: Params, size: tuple[int, int], model_set: ModelSet) -> Iterator[str]:
    """Yield a note if the control map shows nothing in all or part of the clip, and what to do about it."""
    part = used_part(params, size)
    if part is None or not isinstance(params, Controlling) or not params.control_strength:
        return  # at strength 0 no clip steers; the settings without effect report that
    if params.control == "canny":
        look = _look(part, params.edge_threshold)
        if look.sees_nothing:
            yield (
                "Canny finds no edges in the clip, so the clip does not guide the motion: only the prompt does. "
                f"{_instead(look, model_set)}"
            )
        elif look.is_partly_empty:
            yield "Canny finds no edges in part of the clip; there, only the prompt guides the motion."
    elif params.control == "ready" and look_at_edges(part).is_flat:
        yield (
            "The clip is a single colour, so it does not guide the motion: only the prompt does. "
            "Use a clip that shows something."
        )


def _look(part: Part, threshold: float | None) -> EdgeLook:
    """Look for edges with a threshold, first with the fitting one, which is mostly cached."""
    look = look_at_edges(part)
    return look if threshold in (None, look.threshold) else look_at_edges(part, threshold)


def _instead(look: EdgeLook, model_set: ModelSet) -> str:
    """Return advice for a clip without edges, from the controls that the model set has."""
    *others, last = [name for name in ("depth", "pose") if name in model_set.control_models] + ["ready"]
    controls = f"{', '.join(others)} or {last}" if others else last
    light = "brighten the clip" if look.brightness < _DARK else "use a clip with more contrast"
    return f"Choose the control {controls}, or {light}."
