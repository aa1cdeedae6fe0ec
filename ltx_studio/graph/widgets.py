"""The values of a node's widgets, which the editor stores as a bare list in the order in which it shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ltx_studio.graph.definitions import Definitions, Input

SEEDS = ("seed", "noise_seed")
_UPLOADS = ("image_upload", "audio_upload", "video_upload", "file_upload")


def widget_values(node: Mapping[str, Any], definitions: Definitions) -> dict[str, Any]:
    """Input name → value for every widget of an editor-format `node`, dotted for what dynamic choices bring.

    Widgets that steer the editor only (what happens to a seed after a run, upload buttons) take their place in the
    list and are left out.
    """
    stored = node.get("widgets_values") or []
    class_type = node["type"]
    if isinstance(stored, Mapping):
        return {item.name: stored[item.name] for item in definitions.inputs(class_type) if item.name in stored}
    if class_type == "CustomCombo":  # the front end grows it: the choice, its place, and the options one may choose
        return dict(zip(["choice", "index", *(f"option{i}" for i in range(1, len(stored) - 1))], stored, strict=False))
    values = iter(stored)
    found = dict(_walk(definitions.inputs(class_type), "", values))
    if class_type == "SaveGLB":  # the front end's 3D view
        found["image"] = next(values, "")
    if class_type == "ImageCompare":  # the front end's slider, which holds two pictures
        found["compare_view"] = ["", ""]
    return found


def stored_values(class_type: str, values: Mapping[str, Any], definitions: Definitions) -> list[Any]:
    """The other way round: the list in which the editor stores a node's `values`, by dotted input name."""
    return list(_stored(definitions.inputs(class_type), "", values))


def prompts(class_type: str, definitions: Definitions) -> set[str]:
    """The names of a class's text fields that the editor reads as dynamic prompts."""
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
        yield from _steering(item, prefix + item.name)


def _steering(item: Input, name: str) -> Iterator[str | None]:
    """What the editor stores after a widget for those that steer it only."""
    if item.options.get("control_after_generate") or (item.kind == "INT" and name in SEEDS):
        yield "fixed"
    if item.kind == "COMBO" and any(item.options.get(upload) for upload in _UPLOADS):
        yield "image"


def _walk(inputs: Sequence[Input], prefix: str, values: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    for item in inputs:
        if not item.is_widget:
            continue
        name = prefix + item.name
        value = next(values, item.default)
        yield name, value
        if item.is_dynamic:
            yield from _walk(item.chosen(value), f"{name}.", values)
            continue
        for _ in _steering(item, name):
            next(values, None)
