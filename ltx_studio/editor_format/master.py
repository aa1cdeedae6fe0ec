"""Extraction of the modes from the master workflow: the nodes that each mode's output depends on, in API format."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltx_studio.editor_format.convert import BYPASSED, MUTED, is_editor_format, to_api
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.graph import ApiGraph, upstream

SAVE = "Save "
"""Prefix of output titles: a node titled ``Save t2v`` ends the mode ``t2v``."""


def cut(master: Mapping[str, Any], definitions: Definitions) -> dict[str, ApiGraph]:
    """Return mode id → graph. Modes that are muted or bypassed in the editor are included.

    Raises:
        WorkflowError: It is not an editor-format workflow, uses unknown nodes, or has no output titled ``Save …``.
    """
    if not is_editor_format(master):
        raise WorkflowError(
            "The master is not an editor-format workflow.", "Save it in ComfyUI's editor with File, Save."
        )
    if not all(isinstance(node, Mapping) for node in master["nodes"]):
        raise WorkflowError("The master contains something that is not a node.", "Save it again in ComfyUI's editor.")
    active = {**master, "nodes": [_switched_on(node) for node in master["nodes"]]}
    whole = to_api(active, definitions)
    modes = {}
    for node_id, node in whole.items():
        title = str(node["_meta"]["title"])
        if title.startswith(SAVE) and definitions.saves(node["class_type"]):
            modes[title.removeprefix(SAVE)] = _in_order(whole, upstream(whole, [node_id]))
    if not modes:
        raise WorkflowError(
            "The master has no output node whose title begins with 'Save '.",
            "Title each mode's Save Video node accordingly.",
        )
    return modes


def write_modes(modes: Mapping[str, ApiGraph], folder: Path) -> list[Path]:
    """Write one file for each mode, named by its id; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for mode, graph in modes.items():
        path = folder / f"{mode}.json"
        path.write_text(json.dumps(graph, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _switched_on(node: Mapping[str, Any]) -> dict[str, Any]:
    return {**copy.deepcopy(dict(node)), "mode": 0 if node.get("mode") in (MUTED, BYPASSED) else node.get("mode", 0)}


def _in_order(graph: ApiGraph, ids: set[str]) -> ApiGraph:
    """Return the graph sorted by node number, so that diffs stay small."""
    return {
        node_id: graph[node_id] for node_id in sorted(ids, key=lambda text: [int(part) for part in text.split(":")])
    }
