"""App mode of ComfyUI's editor: the inputs that a workflow's author has chosen to show, in `extra.linearData`.

An entry is a node, an input and perhaps a layout. The node is named by its id; by its id within a subgraph, as older
editors wrote it; by the path of ids that the API format has (``12:34``); or by the id of the widget, which is
``<graph>:<node>:<input>``. See `appModeStore` in ComfyUI's front end (1.47).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

MOST = 200
"""Inputs that are looked at."""
_DEEPEST = 8
_MOST_NODES = 20_000
_OUTER_INPUT = -10
"""The id of the node that stands for a subgraph's inputs, in its links."""
_WIDGET_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:([^:]+):(.+)")


class Chosen(NamedTuple):
    """An input of a graph in API format, and what the author calls it; empty if nothing else than its name."""

    node_id: str
    name: str
    label: str = ""


def chosen_inputs(workflow: Mapping[str, Any]) -> list[Chosen]:
    """Return the inputs that the author of a workflow in editor format has chosen for app mode, in their order."""
    entries = _at(workflow, "extra", "linearData", "inputs")
    reader = _Reader(workflow)
    found = []
    for entry in _list(entries)[:MOST]:
        if isinstance(entry, Sequence) and len(entry) >= 2 and isinstance(entry[1], str):
            found.append(reader.resolved(str(entry[0]), entry[1]))
    return list(dict.fromkeys(each for each in found if each is not None))


class _Reader:
    def __init__(self, workflow: Mapping[str, Any]) -> None:
        self._nodes = _by_id(workflow.get("nodes"))
        subgraphs = _list(_at(workflow, "definitions", "subgraphs"))
        self._subgraphs = {str(each.get("id")): each for each in subgraphs if isinstance(each, Mapping)}

    def resolved(self, node_id: str, name: str) -> Chosen | None:
        widget = _WIDGET_ID.fullmatch(node_id)
        if widget is not None:
            node_id, name = widget.groups()
        if node_id in self._nodes:
            return self._followed((), self._nodes[node_id], name, "")
        if ":" in node_id:
            return Chosen(node_id, name)
        paths = [path for path in self._paths(self._nodes, (), [0]) if path[-1] == node_id]
        return Chosen(":".join(paths[0]), name) if len(paths) == 1 else None

    def _followed(self, path: tuple[str, ...], node: Mapping[str, Any], name: str, label: str) -> Chosen | None:
        """Return the input itself, or the one within a subgraph that it stands for."""
        path = (*path, str(node.get("id")))
        subgraph = self._subgraphs.get(str(node.get("type")))
        if subgraph is None:
            return Chosen(":".join(path), name, label)
        if len(path) > _DEEPEST:
            return None
        inside = _by_id(subgraph.get("nodes"))
        for slot, given in enumerate(_list(subgraph.get("inputs"))):
            if not isinstance(given, Mapping) or given.get("name") != name:
                continue
            label = label or str(given.get("label") or given.get("name") or "")
            for link in _list(subgraph.get("links")):
                if _at(link, "origin_id") == _OUTER_INPUT and _at(link, "origin_slot") == slot:
                    target = inside.get(str(_at(link, "target_id")), {})
                    slots = _list(target.get("inputs"))
                    index = _at(link, "target_slot")
                    inner = _at(slots[index], "name") if isinstance(index, int) and index in range(len(slots)) else None
                    if target and isinstance(inner, str):
                        return self._followed(path, target, inner, label)
        for entry in _list(_at(node, "properties", "proxyWidgets")):
            if isinstance(entry, Sequence) and len(entry) > 1 and entry[1] == name and str(entry[0]) in inside:
                return self._followed(path, inside[str(entry[0])], name, label)
        return None

    def _paths(
        self, nodes: Mapping[str, Mapping[str, Any]], path: tuple[str, ...], seen: list[int]
    ) -> Iterator[tuple[str, ...]]:
        """Yield the path of ids of every node in a subgraph."""
        for node_id, node in nodes.items():
            seen[0] += 1
            if seen[0] > _MOST_NODES:
                return
            if path:
                yield (*path, node_id)
            subgraph = self._subgraphs.get(str(node.get("type")))
            if subgraph is not None and len(path) < _DEEPEST:
                yield from self._paths(_by_id(subgraph.get("nodes")), (*path, node_id), seen)


def _by_id(nodes: Any) -> dict[str, Mapping[str, Any]]:
    return {str(each.get("id")): each for each in _list(nodes) if isinstance(each, Mapping)}


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
