"""The values of a node's widgets, which the editor stores as a bare list in the order in which it shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ltx_studio.graph.definitions import Definitions, Input

SEEDS = ("seed", "noise_seed")
_UPLOADS = ("image_upload", "audio_upload", "video_upload", "file_upload")


def widget_values(node: Mapping[str, Any], definitions: Definitions) -> dict[str, Any]:
    """Return input name → value for every widget of an editor-format `node`, dotted for what dynamic choices bring.

    Widgets that steer the editor only (what happens to a seed after a run, upload buttons) take their place in the
    list and are left out. Values that the file has by name (``widgets_values_named``) come before those by place.
    """
    class_type = node["type"]
    stored = node.get("widgets_values") or []
    named = _named(node)
    if class_type == "CustomCombo" and not isinstance(stored, Mapping):
        # the front end grows it: the choice, its place, and the options one may choose
        names = ["choice", "index", *(f"option{i}" for i in range(1, len(stored) - 1))]
        return {name: named.get(name, value) for name, value in zip(names, stored, strict=False)}
    if isinstance(stored, Mapping):
        return {item.name: stored[item.name] for item in definitions.inputs(class_type) if item.name in stored}
    values = iter(_without_sockets(stored, definitions.inputs(class_type)))
    found = {name: value for name, _, value in _walk(definitions.inputs(class_type), "", values, named)}
    if class_type == "SaveGLB":  # the front end's 3D view
        found["image"] = next(values, "")
    if class_type == "ImageCompare":  # the front end's slider, which holds two pictures
        found["compare_view"] = ["", ""]
    return found


def declared_widgets(node: Mapping[str, Any], definitions: Definitions) -> dict[str, Input]:
    """Return input name → declaration for the widgets that `widget_values` gives, but for those of the front end."""
    stored = node.get("widgets_values") or []
    if isinstance(stored, Mapping):
        return {item.name: item for item in definitions.inputs(node["type"]) if item.name in stored}
    values = iter(_without_sockets(stored, definitions.inputs(node["type"])))
    return {name: item for name, item, _ in _walk(definitions.inputs(node["type"]), "", values, _named(node))}


def _named(node: Mapping[str, Any]) -> Mapping[str, Any]:
    named = node.get("widgets_values_named")
    return named if isinstance(named, Mapping) else {}


def _without_sockets(stored: list[Any], inputs: Sequence[Input]) -> list[Any]:
    """Drop the values that front ends before 1.16 stored for inputs that are sockets only."""
    is_socket: list[bool] = []
    for item in inputs:
        forced = bool(item.options.get("forceInput"))
        if item.is_widget or forced:
            is_socket += [forced, False] if item.options.get("control_after_generate") else [forced]
    if not any(is_socket) or len(is_socket) != len(stored):
        return stored
    return [value for value, socket in zip(stored, is_socket, strict=True) if not socket]


def stored_values(class_type: str, values: Mapping[str, Any], definitions: Definitions) -> list[Any]:
    """The other way round: the list in which the editor stores a node's `values`, by dotted input name."""
    return list(_stored(definitions.inputs(class_type), "", values))


def prompts(class_type: str, definitions: Definitions) -> set[str]:
    """The names of a class's text fields that the editor reads as dynamic prompts; none if it is not installed."""
    if class_type not in definitions:
        return set()
    return {item.name for item in definitions.inputs(class_type) if item.options.get("dynamicPrompts")}


def _stored(inputs: Sequence[Input], prefix: str, values: Mapping[str, Any]) -> Iterator[Any]:
    for item in inputs:
        if not item.is_widget:
            continue
        value = values.get(prefix + item.name, item.default)
        yield value
        if item.is_dynamic:
            yield from _stored(item.chosen(value), f"{prefix}{item.name}.", values)
            continue
        yield from steering(item, prefix + item.name)


def steering(item: Input, name: str) -> Iterator[str | None]:
    """Yield what the editor stores after a widget for those that steer it only."""
    if item.options.get("control_after_generate") or (item.kind == "INT" and name in SEEDS):
        yield "fixed"
    if item.kind == "COMBO" and any(item.options.get(upload) for upload in _UPLOADS):
        yield "image"


def _walk(
    inputs: Sequence[Input], prefix: str, values: Iterator[Any], named: Mapping[str, Any]
) -> Iterator[tuple[str, Input, Any]]:
    for item in inputs:
        if not item.is_widget:
            continue
        name = prefix + item.name
        value = named.get(name, next(values, item.default))
        yield name, item, value
        if item.is_dynamic:
            yield from _walk(item.chosen(value), f"{name}.", values, named)
            continue
        for _ in steering(item, name):
            next(values, None)
