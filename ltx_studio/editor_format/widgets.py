"""Widget values of nodes, which the editor stores as a bare list in display order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ltx_studio.graph.definitions import SEEDS, Definitions, Input

_MEDIA = ("image_upload", "video_upload", "animated_image_upload")
_BUTTONS_OF_3D = ("upload3dmodel", "uploadExtraResources", "clear")
_VIEW_OF_3D = "LOAD_3D"


def widget_values(node: Mapping[str, Any], definitions: Definitions) -> dict[str, Any]:
    """Return input name → value for every widget of an editor-format `node`; names from dynamic choices are dotted.

    Widgets that only control the editor (what happens to a seed after a run, buttons) occupy entries in the list and
    are skipped. Values stored by name (``widgets_values_named``) override those stored by position.
    """
    class_type = node["type"]
    stored = node.get("widgets_values") or []
    named = _named(node)
    if class_type == "CustomCombo" and not isinstance(stored, Mapping):
        # the front end extends it: the choice, its index, and the available options
        names = ["choice", "index", *(f"option{i}" for i in range(1, len(stored) - 1))]
        return {name: named.get(name, value) for name, value in zip(names, stored, strict=False)}
    if isinstance(stored, Mapping):
        return {item.name: stored[item.name] for item in definitions.inputs(class_type) if item.name in stored}
    values = iter(_without_sockets(stored, definitions.inputs(class_type)))
    found = {name: value for name, _, value in _walk(definitions.inputs(class_type), "", values, named)}
    if class_type == "SaveGLB":  # the front end's 3D view
        found["image"] = next(values, "")
    if class_type == "ImageCompare":  # the front end's slider, which compares two pictures
        found["compare_view"] = ["", ""]
    return found


def declared_widgets(node: Mapping[str, Any], definitions: Definitions) -> dict[str, Input]:
    """Return input name → declaration for the widgets of `widget_values`, without those of the front end."""
    stored = node.get("widgets_values") or []
    if isinstance(stored, Mapping):
        return {item.name: item for item in definitions.inputs(node["type"]) if item.name in stored}
    values = iter(_without_sockets(stored, definitions.inputs(node["type"])))
    return {name: item for name, item, _ in _walk(definitions.inputs(node["type"]), "", values, _named(node))}


def _named(node: Mapping[str, Any]) -> Mapping[str, Any]:
    named = node.get("widgets_values_named")
    return named if isinstance(named, Mapping) else {}


def _without_sockets(stored: list[Any], inputs: Sequence[Input]) -> list[Any]:
    """Remove the values that front ends before 1.16 stored for inputs that are only sockets."""
    is_socket: list[bool] = []
    for item in inputs:
        forced = bool(item.options.get("forceInput"))
        if item.is_widget or forced:
            is_socket += [forced, False] if item.options.get("control_after_generate") else [forced]
    if not any(is_socket) or len(is_socket) != len(stored):
        return stored
    return [value for value, socket in zip(stored, is_socket, strict=True) if not socket]


def stored_values(class_type: str, values: Mapping[str, Any], definitions: Definitions) -> list[Any]:
    """Return the list in which the editor stores `values` (by dotted input name): the inverse of `widget_values`."""
    inputs = definitions.inputs(class_type)
    return [*_stored(inputs, "", values), *buttons(inputs)]


def prompts(class_type: str, definitions: Definitions) -> set[str]:
    """Return the names of a class's text fields that the editor reads as dynamic prompts; empty if not installed."""
    if class_type not in definitions:
        return set()
    return {item.name for item in definitions.inputs(class_type) if item.options.get("dynamicPrompts")}


def buttons(inputs: Sequence[Input]) -> list[str | None]:
    """Return the entries that the editor stores for a node's upload button, after the widgets of all inputs.

    A node has one such button, for its first required picture or video choice; an audio player comes before the
    one for sounds.
    """
    required = [item for item in inputs if item.required and item.kind == "COMBO"]
    if any(item.name == "audio" and item.options.get("audio_upload") for item in required):
        return [None, None]
    return ["image"] if any(item.options.get(upload) for item in required for upload in _MEDIA) else []


def steering(item: Input, name: str, inputs: Sequence[Input] = ()) -> Iterator[str | None]:
    """Yield the entries that the editor stores after an input's value for widgets that only control the editor.

    Args:
        item: A widget, or another input that has such widgets.
        name: Its dotted name.
        inputs: All inputs of the node; a 3D view has buttons if one of these names a model.
    """
    if item.is_widget and (item.options.get("control_after_generate") or (item.kind == "INT" and name in SEEDS)):
        yield "fixed"
    if item.kind == _VIEW_OF_3D:
        yield from _BUTTONS_OF_3D if any(each.name == "model_file" for each in inputs) else ()
        yield ""


def _stored(inputs: Sequence[Input], prefix: str, values: Mapping[str, Any]) -> Iterator[Any]:
    for item in inputs:
        name = prefix + item.name
        if item.is_widget:
            value = values.get(name, item.default)
            yield value
            if item.is_dynamic:
                yield from _stored(item.chosen(value), f"{name}.", values)
                continue
        yield from steering(item, name, inputs)


def _walk(
    inputs: Sequence[Input], prefix: str, values: Iterator[Any], named: Mapping[str, Any]
) -> Iterator[tuple[str, Input, Any]]:
    for item in inputs:
        name = prefix + item.name
        if item.is_widget:
            value = named.get(name, next(values, item.default))
            yield name, item, value
            if item.is_dynamic:
                yield from _walk(item.chosen(value), f"{name}.", values, named)
                continue
        for _ in steering(item, name, inputs):
            next(values, None)
