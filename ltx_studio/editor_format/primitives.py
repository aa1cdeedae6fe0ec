"""Primitives: editor nodes that write their value into the widgets they are linked to."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ltx_studio.editor_format.editor_nodes import PRIMITIVE
from ltx_studio.editor_format.ids import Json, node_key
from ltx_studio.editor_format.promoted_widgets import widget_of
from ltx_studio.editor_format.scopes import Contents
from ltx_studio.graph.definitions import Input

_MOST_EXACT = 2**53
_STEP, _LARGEST = 0.5, 2048.0
"""The editor's defaults for numbers whose definition gives none."""

_NOTHING = 1e-10
_NUMBERS = {"INT", "FLOAT"}
_PRIVATE = {"min", "max", "step", "default", "forceInput", "defaultInput", "control_after_generate"}
_PRIVATE |= {"multiline", "tooltip", "dynamicPrompts"}
"""Options that may differ between two widgets fed by one primitive."""

WidgetOf = Callable[[Json, Any], tuple[Input, Any] | None]


def primitive_values(contents: Contents, widget: WidgetOf) -> dict[tuple[str, str], Any]:
    """Return the values that primitives write into the widgets of one graph: (node id, widget) → value.

    Args:
        contents: The graph.
        widget: Returns declaration and value of a node's widget by name; None if there is none.
    """
    values: dict[tuple[str, str], Any] = {}
    for node in contents.nodes.values():
        if node["type"] != PRIMITIVE:
            continue
        fed = [_widget_fed(contents, number, widget) for number in _links(node)]
        if not fed or fed[0] is None:  # it takes its kind from the first widget; without one it has no value
            continue
        items = [each[2] for each in fed if each is not None]
        value = _adapted(_stored(node, fed[0][3]), items)
        for each in fed:
            if each is not None:
                key, name, item, _ = each
                values[key, name] = rounded(value, item)
    return values


def _links(node: Json) -> list[Any]:
    outputs = node.get("outputs") or []
    return list(outputs[0].get("links") or []) if outputs else []


def _widget_fed(contents: Contents, number: Any, widget: WidgetOf) -> tuple[str, str, Input, Any] | None:
    target = contents.target_of(number) or contents.target_by_place(number)
    if target is None:
        return None
    node, socket = target
    name = widget_of(socket)
    found = widget(node, name)
    return None if found is None else (node_key(node["id"]), name, *found)


def _stored(node: Json, otherwise: Any) -> Any:
    values = node.get("widgets_values")
    return values[0] if isinstance(values, list) and values else otherwise


def _adapted(value: Any, items: list[Input]) -> Any:
    """Clamp and round a number to the limits and steps of all widgets it feeds, as far as these agree."""
    agreed = items[0]
    if agreed.kind not in _NUMBERS or not _is_number(value):
        return value
    for item in items:
        both = _agreement(agreed, item)
        if both is not None:
            agreed = both
            low, high = both.options["min"], both.options["max"]
            value = rounded(high if value > high else max(value, low), both)
    return value


def _agreement(one: Input, other: Input) -> Input | None:
    """Return the limits common to two number widgets, or None if they are incompatible."""
    low, high = (max(_bounds(one)[0], _bounds(other)[0]), min(_bounds(one)[1], _bounds(other)[1]))
    names = {*one.options, *other.options} - _PRIVATE
    if one.kind != other.kind or low > high:
        return None
    if any(one.options.get(name) != other.options.get(name) for name in names):
        return None
    step = _common_multiple(one.options.get("step", 1), other.options.get("step", 1))
    return replace(one, options={**one.options, **other.options, "min": low, "max": high, "step": step})


def _bounds(item: Input) -> tuple[float, float]:
    return item.options.get("min", -math.inf), item.options.get("max", math.inf)


def _common_multiple(one: float, other: float) -> float:
    rest, divisor = one, other
    while divisor > _NOTHING:
        rest, divisor = divisor, math.fmod(rest, divisor)
    return abs(one * other) / rest if rest else one


def rounded(value: Any, item: Input) -> Any:
    """Return a number as the widget of `item` accepts it: rounded to its step, and within its range."""
    if not _is_number(value) or not math.isfinite(value) or abs(value) > _MOST_EXACT:
        return value
    options = item.options
    if item.kind == "INT":
        step = options.get("step") or 1
        low = options.get("min") or 0
        offset = math.fmod(low, step) if math.isfinite(low) else 0
        return _plain(math.floor((value - offset) / step + 0.5) * step + offset)
    if item.kind == "FLOAT":
        digits = max(0, -math.floor(math.log10(options.get("step") or _STEP)))
        unit = options.get("round") or (10.0**-digits if digits else 0)
        if unit:
            near = float(f"{math.floor(value / unit + 0.5) * unit:.{digits}f}")
            return _plain(min(max(near, options.get("min", 0)), options.get("max", _LARGEST)))
    return value


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
