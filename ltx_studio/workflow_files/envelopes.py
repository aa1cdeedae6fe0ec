"""Find the workflow in parsed JSON, whatever wrapper another program put around it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ltx_studio.editor_format.convert import is_editor_format
from ltx_studio.text.encodings import unpadded

_KEYS = (
    "prompt",
    "output",
    "graph",
    "workflow_api",
    "workflow_api_json",
    "workflow",
    "workflow_json",
    "extra_pnginfo",
    "extra_data",
    "input",
    "data",
)
"""Keys under which programs store a workflow, the executed graph before its drawing: requests to ComfyUI's
server, results of the editor's `graphToPrompt`, a take's recipe, and the requests of RunPod, Replicate and others."""

_MOST_LEVELS = 6
_QUEUES = ("queue_running", "queue_pending")
_QUEUED = 2
"""Index of the graph in an entry of ComfyUI's queue or history, which is a list."""

_BESIDE = frozenset({"extra", "extraMetadata", "extra_data", "_meta", "version"})
"""Keys that programs write beside the nodes of an API-format graph."""


def is_api_format(data: object) -> bool:
    """Return whether parsed JSON has a node in the format of ComfyUI's server; nothing else is checked."""
    return isinstance(data, Mapping) and any(
        isinstance(node, Mapping) and isinstance(node.get("class_type"), str) for node in data.values()
    )


def find_workflow(data: object) -> Any:
    """Return the editor-format workflow or API-format graph within `data`; None when there is none.

    Text is decoded as JSON repeatedly, as often as it was encoded.
    """
    return _find(data, _MOST_LEVELS)


def workflows_in_list(data: object) -> int:
    """Return the number of workflows in ComfyUI's history, its queue, or a list; 0 if `data` is none of these."""
    return sum(find_workflow(entry) is not None for entry in _entries(data))


def foreign_program(data: object) -> str:
    """Return the program other than ComfyUI whose workflow `data` is; empty if unknown."""
    if not isinstance(data, Mapping) or not isinstance(data.get("nodes"), list):
        return ""
    if isinstance(data.get("connections"), Mapping):
        return "n8n"
    return "InvokeAI" if isinstance(data.get("edges"), list) and "exposedFields" in data else ""


def tidy(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Return an API-format graph as ComfyUI understands it.

    Link slots become whole numbers, because other programs write ``["4", 0.0]``; entries beside the nodes are left
    out, unless a node refers to it.
    """
    tidied: dict[str, Any] = {}
    for node_id, node in graph.items():
        if not isinstance(node, Mapping) or "class_type" not in node:
            if node_id in _BESIDE:
                continue
            tidied[node_id] = node
        elif isinstance(node.get("inputs"), Mapping):
            tidied[node_id] = {**node, "inputs": {name: _link(value) for name, value in node["inputs"].items()}}
            if node.get("_meta", {}) is None:
                del tidied[node_id]["_meta"]
        else:
            tidied[node_id] = node
    return tidied


def _link(value: Any) -> Any:
    is_pair = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)
    return [value[0], int(value[1])] if is_pair and isinstance(value[1], float) and value[1].is_integer() else value


def _find(data: object, levels: int) -> Any:
    if isinstance(data, str):
        data = _parsed(data)
    if is_editor_format(data) or is_api_format(data):
        return data
    if levels == 0:
        return None
    if isinstance(data, str):
        return _find(data, levels - 1)
    return next((found for part in _parts(data) if (found := _find(part, levels - 1)) is not None), None)


def _parsed(text: str) -> Any:
    text = unpadded(text)
    if text[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _entries(data: object) -> list[object]:
    """Return the runs in ComfyUI's history (by id), its queue (two lists), or a list."""
    if isinstance(data, list):
        return data
    if not isinstance(data, Mapping):
        return []
    if all(isinstance(data.get(key), list) for key in _QUEUES):
        return [entry for key in _QUEUES for entry in data[key]]
    return list(data.values()) if all(isinstance(run, Mapping) and "prompt" in run for run in data.values()) else []


def _parts(data: object) -> Iterator[object]:
    if isinstance(data, Mapping):
        yield from (data[key] for key in _KEYS if key in data)
        entries = _entries(data)
        if len(entries) == 1:
            yield entries[0]
        if len(data) == 1:
            (only,) = data.values()
            if isinstance(only, Mapping):
                yield from (only[key] for key in _KEYS if key in only)
    elif isinstance(data, list):
        yield from data if len(data) == 1 else data[_QUEUED : _QUEUED + 1]
