"""Adapt a workflow of a newer or older ComfyUI to the installed one, where the result looks the same.

A value unknown to the installed node becomes its default if it only affects how something is stored or computed.
An input that the node did not have yet gets its default, as in the editor. A note reports every change.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ltx_studio.advice import Advice, Do, Note
from ltx_studio.graph.definitions import Definitions, Input
from ltx_studio.graph.graph import ApiGraph, is_link
from ltx_studio.graph.input_values import fits
from ltx_studio.graph.model_inputs import loader_table
from ltx_studio.graph.node_versions import value_since
from ltx_studio.graph.validate import expected
from ltx_studio.graph.values import quoted, title_of

_HARMLESS = frozenset({
    "attention", "backend", "bit_depth", "chroma_subsampling", "codec", "color_range", "color_space", "colorspace",
    "compression", "container", "device", "dtype", "encoder_preset", "file_format", "format", "load_device",
    "offload_device", "pix_fmt", "precision", "profile", "weight_dtype",
})  # fmt: skip
"""Inputs that affect how a file is stored, or where and how precisely something is computed, not the content."""

_MOST_NOTES = 20


def fit_to(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> tuple[ApiGraph, list[Note]]:
    """Return the graph with defaults for what is unknown to the installed nodes, and a note for each change.

    Values that are not harmless stay unchanged, and `problems` reports them.

    Args:
        graph: API format, checked by `check_graph`.
        definitions: The node definitions of the ComfyUI that would run it.
    """
    fitted: ApiGraph = {node_id: {**node, "inputs": dict(node["inputs"])} for node_id, node in graph.items()}
    notes: list[Note] = []
    for node_id, node in fitted.items():
        if node["class_type"] in definitions:
            notes += _fit_node(node_id, node, definitions)
    if len(notes) > _MOST_NOTES:
        notes = [*notes[:_MOST_NOTES], Note(f"and {len(notes) - _MOST_NOTES} more inputs use their default.")]
    return fitted, notes


def _fit_node(node_id: str, node: dict[str, Any], definitions: Definitions) -> Iterator[Note]:
    inputs = node["inputs"]
    for name, item in expected(definitions.inputs(node["class_type"]), inputs, ""):
        if not item.is_widget:
            continue
        if name not in inputs:
            if item.required and "default" in item.options and fits(item, item.default):
                inputs[name] = item.default
                yield _note(node_id, node, name, f"is not set; its default {quoted(item.default)} is used")
            continue
        value = inputs[name] = _with_slashes(node["class_type"], name, inputs[name])
        if is_link(value) or fits(item, value) or not _is_harmless(name, item):
            continue
        since = value_since(node["class_type"], name, value)
        why = f"needs ComfyUI {since}" if since else "is not available"
        inputs[name] = item.default
        said = f"{quoted(value)} {why}; {quoted(item.default)} is used instead"
        yield _note(node_id, node, name, said)


def _note(node_id: str, node: Mapping[str, Any], name: str, what: str) -> Note:
    title = title_of(node)
    return Note(f"{title}: {name} {what}.", Advice.to(Do.CHANGE_VALUE, key=f"{node_id}.{name}"))


def _with_slashes(class_type: str, name: str, value: Any) -> Any:
    """Return the name of a model file with forward slashes, even if it was written on Windows."""
    if isinstance(value, str) and "\\" in value and name in loader_table().get(class_type, {}):
        return value.replace("\\", "/")
    return value


def _is_harmless(name: str, item: Input) -> bool:
    return name.rpartition(".")[2] in _HARMLESS and item.default is not None and fits(item, item.default)
