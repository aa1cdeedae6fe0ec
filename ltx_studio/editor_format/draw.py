"""API format → editor format: draw a graph so that ComfyUI's editor opens it and would queue the same graph again."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ltx_studio.editor_format.dynamic_prompts import escape, is_plain
from ltx_studio.editor_format.widgets import prompts, stored_values
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import ANY, AUTOGROW, MATCH, Definitions, Input, unknown_nodes
from ltx_studio.graph.graph import ApiGraph, is_link

WIDTH, WIDE, TITLE, ROW, GAP = 270, 420, 30, 26, 40
"""Pixels: width of a node, width of one with much text, height of a title bar, of a row, and the gap between nodes."""
_TEXT = "PrimitiveStringMultiline"
_DIGITS = 15
"""Digits of the largest node id that is kept."""


def to_editor(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions, note: str = "") -> dict[str, Any]:
    """Return the workflow that the editor would show for a graph: nodes in columns, each to the right of its sources.

    Args:
        graph: API format. Ids that are not whole numbers are replaced by whole numbers.
        definitions: The node definitions of the ComfyUI whose editor opens it.
        note: Text of a note beside the graph; empty for no note.

    Raises:
        WorkflowError: It uses node classes that `definitions` lacks.
    """
    missing = {node["class_type"]: "" for node in graph.values() if node["class_type"] not in definitions}
    if missing:
        raise unknown_nodes(missing)
    return _Drawing(_with_plain_texts(_numbered(graph), definitions), definitions).draw(note)


class _Drawing:
    def __init__(self, graph: ApiGraph, definitions: Definitions) -> None:
        self._graph, self._definitions = graph, definitions
        self._links: list[list[Any]] = []
        self._outgoing: dict[tuple[str, int], list[int]] = {}
        self._texts: dict[str, set[str]] = {}

    def draw(self, note: str) -> dict[str, Any]:
        places = dict(self._places())
        nodes = [self._node(node_id, place, order) for order, (node_id, place) in enumerate(places.items())]
        for node in nodes:
            for slot, output in enumerate(node["outputs"]):
                output["links"] = self._outgoing.get((str(node["id"]), slot))
        last = max((node["id"] for node in nodes), default=0)
        if note:
            last += 1
            nodes.append(_note(last, note))
        return {
            "last_node_id": last,
            "last_link_id": len(self._links),
            "nodes": nodes,
            "links": self._links,
            "groups": [],
            "config": {},
            "extra": {},
            "version": 0.4,
        }

    def _node(self, node_id: str, place: tuple[int, int], order: int) -> dict[str, Any]:
        node = self._graph[node_id]
        class_type = node["class_type"]
        return {
            "id": int(node_id),
            "type": class_type,
            "pos": list(place),
            "size": [self._width(node), self._height(node)],
            "flags": {},
            "order": order,
            "mode": 0,
            "inputs": list(self._inputs(node_id)),
            "outputs": [{"name": kind, "type": kind, "links": None} for kind in self._definitions.outputs(class_type)],
            "title": _title(node, self._definitions),
            "properties": {"Node name for S&R": class_type},
            "widgets_values": stored_values(class_type, self._values(node), self._definitions),
        }

    def _values(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Return the widget values; text that the editor would read as a dynamic prompt is escaped."""
        dynamic = prompts(node["class_type"], self._definitions)
        values = {name: value for name, value in node["inputs"].items() if not is_link(value)}
        return {
            name: escape(value)
            if name in dynamic and isinstance(value, str)
            else value["__value__"]
            if isinstance(value, Mapping) and "__value__" in value
            else value
            for name, value in values.items()
        }

    def _inputs(self, node_id: str) -> Iterator[dict[str, Any]]:
        node = self._graph[node_id]
        for slot, (name, item) in enumerate(_sockets(node, self._definitions)):
            value = node["inputs"].get(name)
            link = self._link(value, node_id, slot, item) if is_link(value) else None
            kind = self._links[link - 1][5] if link and item.kind in (ANY, MATCH, AUTOGROW) else item.kind
            yield {
                "name": name,
                "type": kind,
                "link": link,
                **({"widget": {"name": name}} if item.is_widget else {}),
            }

    def _link(self, source: Sequence[Any], target: str, slot: int, item: Input) -> int | None:
        origin, origin_slot = str(source[0]), int(source[1])
        kinds = self._definitions.outputs(self._graph[origin]["class_type"])
        if not 0 <= origin_slot < len(kinds):  # ComfyUI ignores links from outputs that do not exist
            return None
        kind = kinds[origin_slot]
        number = len(self._links) + 1
        shown = item.kind if kind in (ANY, MATCH) else kind
        self._links.append([number, int(origin), origin_slot, int(target), slot, shown])
        self._outgoing.setdefault((origin, origin_slot), []).append(number)
        return number

    def _places(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield (id, (x, y) in pixels), column by column."""
        columns: dict[int, list[str]] = {}
        depths = _depths(self._graph)
        for node_id in self._graph:
            columns.setdefault(depths[node_id], []).append(node_id)
        x = 0
        for _, column in sorted(columns.items()):
            y = 0
            for node_id in column:
                yield node_id, (x, y)
                y += self._height(self._graph[node_id]) + TITLE + GAP
            x += max(self._width(self._graph[node_id]) for node_id in column) + GAP

    def _width(self, node: Mapping[str, Any]) -> int:
        return WIDE if self._texts_of(node) else WIDTH

    def _height(self, node: Mapping[str, Any]) -> int:
        rows = max(len(list(_sockets(node, self._definitions))), len(self._definitions.outputs(node["class_type"])), 1)
        return ROW * (rows + 4 * self._texts_of(node)) + ROW

    def _texts_of(self, node: Mapping[str, Any]) -> int:
        """Return the number of a node's inputs that are multi-line texts."""
        class_type = node["class_type"]
        if class_type not in self._texts:
            declared = self._definitions.inputs(class_type)
            self._texts[class_type] = {item.name for item in declared if item.options.get("multiline")}
        return sum(name in node["inputs"] for name in self._texts[class_type])


def _sockets(node: Mapping[str, Any], definitions: Definitions) -> Iterator[tuple[str, Input]]:
    """Yield (dotted name, declaration) of a node's inputs, including those from dynamic choices and growing lists."""
    given = node["inputs"]

    def walk(inputs: Sequence[Input], prefix: str) -> Iterator[tuple[str, Input]]:
        for item in inputs:
            name = prefix + item.name
            if item.kind == AUTOGROW:
                yield from ((each, item) for each in given if each.startswith(f"{name}."))
                continue
            yield name, item
            if item.is_dynamic:
                yield from walk(item.chosen(given.get(name, item.default)), f"{name}.")

    yield from walk(definitions.inputs(node["class_type"]), "")


def _depths(graph: ApiGraph) -> dict[str, int]:
    """Return the length of the longest path from the left to each node."""
    sources = {
        node_id: [value[0] for value in node["inputs"].values() if is_link(value)] for node_id, node in graph.items()
    }
    depths: dict[str, int] = {}
    try:
        for node_id in TopologicalSorter(sources).static_order():  # not recursive: a chain may have 20,000 nodes
            depths[node_id] = max((depths[each] + 1 for each in sources[node_id]), default=0)
    except CycleError:
        raise WorkflowError(
            "The links of the graph form a loop.", "Open it in ComfyUI's editor and break the loop."
        ) from None
    return depths


def _is_number(node_id: str) -> bool:
    """Return whether an id is a whole number that JavaScript represents exactly and writes the same way."""
    return node_id.isascii() and node_id.isdecimal() and len(node_id) <= _DIGITS and str(int(node_id)) == node_id


def _numbered(graph: Mapping[str, Mapping[str, Any]]) -> ApiGraph:
    """Return the graph with whole numbers as ids: nodes from subgraphs have ids such as ``267:1``."""
    last = max((int(node_id) for node_id in graph if _is_number(node_id)), default=0)
    names = {}
    for node_id in graph:
        last += not _is_number(node_id)
        names[node_id] = node_id if _is_number(node_id) else str(last)
    return {
        names[node_id]: {
            **node,
            "inputs": {
                name: [names[str(value[0])], *value[1:]] if is_link(value) else value
                for name, value in node["inputs"].items()
            },
        }
        for node_id, node in graph.items()
    }


def _with_plain_texts(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> ApiGraph:
    """Return the graph with a separate node for each text that the editor would change even when escaped."""
    drawn: ApiGraph = {node_id: {**node, "inputs": dict(node["inputs"])} for node_id, node in graph.items()}
    last = max(int(node_id) for node_id in graph) if graph else 0
    for node in list(drawn.values()):
        for name in sorted(prompts(node["class_type"], definitions)):
            text = node["inputs"].get(name)
            if isinstance(text, str) and not is_plain(text):
                last += 1
                title = f"{_title(node, definitions)}: {name}"
                drawn[str(last)] = {"class_type": _TEXT, "inputs": {"value": text}, "_meta": {"title": title}}
                node["inputs"][name] = [str(last), 0]
    return drawn


def _title(node: Mapping[str, Any], definitions: Definitions) -> str:
    return str(node.get("_meta", {}).get("title") or definitions.title(node["class_type"]))


def _note(number: int, text: str) -> dict[str, Any]:
    return {
        "id": number,
        "type": "MarkdownNote",
        "pos": [-WIDE - GAP, 0],
        "size": [WIDE, ROW * 8],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "title": "About this workflow",
        "properties": {},
        "widgets_values": [text],
    }
