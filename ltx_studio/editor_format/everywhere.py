"""Links without wires: those that the pack "Use Everywhere" makes from one output to every input that fits.

The pack finds these links in the browser and stores them in the file (`ue_links`), beside its own nodes, which only
declare what goes everywhere. Without a valid list of links, these nodes stay and count as missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ltx_studio.editor_format.ids import Json, node_key

_NODES = {"Anything Everywhere", "Anything Everywhere?", "Anything Everywhere3", "Prompts Everywhere"}
_INPUT_SIDE, _OUTPUT_SIDE = "-10", "-20"
"""Ids of the nodes that represent a subgraph's inputs and outputs inside it."""

Noted = tuple[str, int, str, int]
"""The source node and slot of a link, then its target node and slot."""


def with_wires(graph: Json) -> dict[str, Any]:
    """Return a workflow or a subgraph with real links in place of those that the pack stored, and without its nodes."""
    notes = (graph.get("extra") or {}).get("ue_links")
    if not isinstance(notes, list):
        return dict(graph)
    wired = _Wired(graph)
    fits = [wired.add(*noted) for noted in _noted(notes)]
    return wired.graph(keeps_nodes=len(fits) < len(notes) or not all(fits))


def _noted(notes: list[Any]) -> Iterator[Noted]:
    """Yield the links that are stored completely."""
    for note in notes:
        if isinstance(note, Mapping):
            origin, target = note.get("upstream_slot"), note.get("downstream_slot")
            if isinstance(origin, int) and isinstance(target, int) and min(origin, target) >= 0:
                yield node_key(note.get("upstream")), origin, node_key(note.get("downstream")), target


class _Wired:
    """A graph that gains links; the file's own parts are not modified."""

    def __init__(self, graph: Json) -> None:
        self._graph = graph
        self._nodes: dict[str, Json] = {node_key(node["id"]): node for node in graph["nodes"]}
        self._copied: set[str] = set()
        self._links: list[Any] = list(graph.get("links") or [])
        self._outputs: list[Any] = [dict(each) for each in graph.get("outputs") or []]
        self._is_subgraph = "inputNode" in graph
        numbers = [link["id"] if isinstance(link, Mapping) else link[0] for link in self._links]
        self._last = max((number for number in numbers if isinstance(number, int)), default=0)

    def add(self, origin: str, origin_slot: int, target: str, target_slot: int) -> bool:
        """Add a link unless its input already has one; return whether both of its ends exist."""
        fed = self._fed(target)
        if not self._gives(origin, origin_slot) or target_slot >= len(fed):
            return False
        item = fed[target_slot]
        if target == _OUTPUT_SIDE:
            if not item.get("linkIds"):
                item["linkIds"] = [self._append(origin, origin_slot, target, target_slot)]
        elif item.get("link") is None:
            item["link"] = self._append(origin, origin_slot, target, target_slot)
        return True

    def graph(self, *, keeps_nodes: bool) -> dict[str, Any]:
        """Return the graph with the added links; it keeps the pack's own nodes if `keeps_nodes`."""
        nodes = [node for node in self._nodes.values() if keeps_nodes or node["type"] not in _NODES]
        outputs = {"outputs": self._outputs} if self._outputs else {}
        return {**self._graph, "nodes": nodes, "links": self._links, **outputs}

    def _fed(self, key: str) -> list[dict[str, Any]]:
        """Return the sockets that can be fed: a node's inputs or, inside a subgraph, its outputs."""
        if key == _OUTPUT_SIDE and self._is_subgraph:
            return self._outputs
        fed: list[dict[str, Any]] = self._own(key)["inputs"] if key in self._nodes else []
        return fed

    def _gives(self, key: str, slot: int) -> bool:
        if key == _INPUT_SIDE and self._is_subgraph:
            return slot < len(self._graph.get("inputs") or [])
        return key in self._nodes and slot < len(self._nodes[key].get("outputs") or [])

    def _own(self, key: str) -> Json:
        """Return a copy of a node with inputs and outputs that may be modified."""
        if key not in self._copied:
            self._copied.add(key)
            node = self._nodes[key]
            inputs = [dict(each) for each in node.get("inputs") or []]
            outputs = [{**each, "links": list(each.get("links") or [])} for each in node.get("outputs") or []]
            self._nodes[key] = {**node, "inputs": inputs, "outputs": outputs}
        return self._nodes[key]

    def _append(self, origin: str, origin_slot: int, target: str, target_slot: int) -> int:
        self._last += 1
        number = self._last
        ends = [self._nodes[key]["id"] if key in self._nodes else int(key) for key in (origin, target)]
        if self._is_subgraph:
            names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
            self._links.append(dict(zip(names, (number, ends[0], origin_slot, ends[1], target_slot), strict=True)))
        else:
            self._links.append([number, ends[0], origin_slot, ends[1], target_slot, ""])
        if origin in self._nodes:
            self._own(origin)["outputs"][origin_slot]["links"].append(number)
        return number
