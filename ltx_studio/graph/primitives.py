"""Primitives: nodes of the editor that put their value into the widgets that they are linked to."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from ltx_studio.graph.definitions import Input
from ltx_studio.graph.frontend import PRIMITIVE
from ltx_studio.graph.ids import Json, node_key
from ltx_studio.graph.promotion import widget_of
from ltx_studio.graph.scopes import Contents

_MOST_EXACT = 2**53
_STEP, _LARGEST = 0.5, 2048.0
"""What the editor takes for a number whose definition is silent."""

Widgets = Mapping[str, tuple[Input, Any]]


def primitive_values(contents: Contents, widgets_of: Callable[[Json], Widgets]) -> dict[tuple[str, str], Any]:
    """Return what primitives put into the widgets of one graph: (node id, widget) → value.

    Args:
        contents: The graph.
        widgets_of: The widgets of a node, by name: declaration and value. None for what has no declaration.
    """
    values: dict[tuple[str, str], Any] = {}
    for node in contents.nodes.values():
        if node["type"] != PRIMITIVE:
            continue
        fed = [_widget_fed(contents, number, widgets_of) for number in _links(node)]
        if not fed or fed[0] is None:  # it takes after the first widget; without one it has no value
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


def _widget_fed(
    contents: Contents, number: Any, widgets_of: Callable[[Json], Widgets]
) -> tuple[str, str, Input, Any] | None:
    target = contents.target_of(number) or contents.target_by_place(number)
    if target is None:
        return None
    node, socket = target
    name = widget_of(socket)
    found = widgets_of(node).get(name)
    return None if found is None else (node_key(node["id"]), name, *found)


def _stored(node: Json, otherwise: Any) -> Any:
    values = node.get("widgets_values")
    return values[0] if isinstance(values, list) and values else otherwise


def _adapted(value: Any, items: list[Input]) -> Any:
    """Keep a number within what all the widgets allow that it goes to, as far as they agree."""
    first = items[0]
    if first.kind not in {"INT", "FLOAT"} or not _is_number(value):
        return value
    low, high = _range(first)
    for item in items[1:]:
        other = _range(item)
        if item.kind == first.kind and low <= other[1] and high >= other[0]:
            low, high = max(low, other[0]), min(high, other[1])
    return min(max(value, low), high)


def _range(item: Input) -> tuple[float, float]:
    low, high = item.options.get("min", -math.inf), item.options.get("max", math.inf)
    return (low, high) if _is_number(low) and _is_number(high) else (-math.inf, math.inf)


def rounded(value: Any, item: Input) -> Any:
    """Return a number as the widget of `item` takes it: to its step, and within its range."""
    if not _is_number(value) or not math.isfinite(value) or abs(value) > _MOST_EXACT:
        return value
    options = item.options
    if item.kind == "INT":
        step = options.get("step") or 1
        offset = math.fmod(options.get("min") or 0, step)
        return _plain(math.floor((value - offset) / step + 0.5) * step + offset)
    if item.kind == "FLOAT":
        digits = max(0, -math.floor(math.log10(options.get("step") or _STEP)))
        unit = options.get("round") or (10.0**-digits if digits else 0)
        if unit:
            near = float(f"{math.floor(value / unit + 0.5) * unit:.{digits}f}")
            low, high = options.get("min", 0), options.get("max", _LARGEST)
            return _plain(min(max(near, low), high))
    return value


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
