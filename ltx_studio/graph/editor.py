"""Editor format → API format, with the editor's own rules.

An editor-format workflow is what one draws: nodes with widget values, links by number, reroutes, primitives, notes,
muted and bypassed nodes, and subgraphs, which are defined once and stand for their contents wherever they are used.
The rules here are those of ComfyUI's front end 1.47 (`graphToPrompt`), held against its answers by a test.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio.errors import WorkflowError
from ltx_studio.graph.api import ApiGraph
from ltx_studio.graph.definitions import ANY, Definitions, unknown_nodes
from ltx_studio.graph.prompts import settle
from ltx_studio.graph.widgets import prompts, widget_values

MUTED, BYPASSED = 2, 4
SUBGRAPH_INPUT = -10
"""The id of the node that stands for a subgraph's inputs inside of it."""

NOTES = {"Note", "MarkdownNote"}
PRIMITIVE, REROUTE = "PrimitiveNode", "Reroute"
VIRTUAL = NOTES | {PRIMITIVE, REROUTE}
"""Nodes that exist in the editor only."""

Json = Mapping[str, Any]
Visited = frozenset[tuple[str, Any, int, str]]


@dataclass(frozen=True, slots=True)
class Link:
    """From an output to an input, by node id and slot."""

    origin: Any
    origin_slot: int
    target: Any
    target_slot: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input's value comes from: an executable node's output."""

    node_id: str
    slot: int


@dataclass(frozen=True, slots=True)
class Value:
    """Where an input's value comes from: a widget on the outside of a subgraph."""

    value: Any


@dataclass(slots=True)
class Scope:
    """One graph in its place: the workflow itself, or a subgraph where it is used.

    Attributes:
        prefix: What the ids of its nodes begin with, such as ``"267:"``.
        graph: The nodes, links and, in a subgraph, inputs and outputs.
        host: The node that stands for the subgraph in `parent`.
    """

    prefix: str
    graph: Json
    host: Json = field(default_factory=dict)
    parent: "Scope | None" = None
    nodes: dict[Any, Json] = field(init=False)
    links: dict[Any, Link] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = {node["id"]: node for node in self.graph["nodes"]}
        self.links = dict(_links(self.graph.get("links") or []))

    def id_of(self, node: Json) -> str:
        return f"{self.prefix}{node['id']}"


def is_editor_format(data: object) -> bool:
    """Whether parsed JSON is a workflow as the editor saves it."""
    return isinstance(data, Mapping) and isinstance(data.get("nodes"), list)


def to_api(workflow: Json, definitions: Definitions) -> ApiGraph:
    """The API-format graph that the editor would queue for `workflow`.

    Raises:
        WorkflowError: It uses node classes that `definitions` lacks, or it is damaged.
    """
    try:
        return _Converter(workflow, definitions).convert()
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise WorkflowError(
            f"The workflow is damaged: {type(error).__name__}: {error}.",
            "Open it in ComfyUI's editor, and save it again.",
        ) from error


class _Converter:
    def __init__(self, workflow: Json, definitions: Definitions) -> None:
        subgraphs = [dict(item) for item in (workflow.get("definitions") or {}).get("subgraphs") or []]
        _make_ids_unique(workflow, subgraphs)
        self._root = Scope("", workflow)
        self._subgraphs = {item["id"]: item for item in subgraphs}
        self._definitions = definitions
        self._children: dict[str, Scope] = {}

    def convert(self) -> ApiGraph:
        self._refuse_unknown_nodes()
        graph = dict(self._emit(self._root))
        for node in graph.values():  # what a muted node would have fed is not fed
            for name, value in list(node["inputs"].items()):
                if isinstance(value, list) and value[0] not in graph:
                    del node["inputs"][name]
        return graph

    def _refuse_unknown_nodes(self) -> None:
        graphs = [self._root.graph, *self._subgraphs.values()]
        known = set(self._subgraphs) | VIRTUAL
        missing = {
            node["type"]: str((node.get("properties") or {}).get("cnr_id") or "")
            for graph in graphs
            for node in graph["nodes"]
            if node["type"] not in known and node["type"] not in self._definitions
        }
        if missing:
            raise unknown_nodes(missing)

    def _emit(self, scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
        primitives = dict(_primitive_values(scope))
        for node in scope.nodes.values():
            off = node.get("mode") in (MUTED, BYPASSED)
            if node["type"] in self._subgraphs and (not off or scope.parent is not None):
                # the editor looks at the mode of a subgraph in the workflow itself only
                yield from self._emit(self._child(scope, node))
            elif not off and node["type"] not in VIRTUAL and node["type"] not in self._subgraphs:
                yield (
                    scope.id_of(node),
                    {
                        "class_type": node["type"],
                        "inputs": self._inputs(scope, node, primitives),
                        "_meta": {"title": node.get("title") or self._definitions.title(node["type"])},
                    },
                )

    def _inputs(self, scope: Scope, node: Json, primitives: Mapping[tuple[Any, str], Any]) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        dynamic = prompts(node["type"], self._definitions)
        for name, stored in widget_values(node, self._definitions).items():
            value = primitives.get((node["id"], name), stored)
            if name in dynamic and isinstance(value, str):
                value = settle(value)
            inputs[name] = {"__value__": value} if isinstance(value, list) else value  # a bare list would be a link
        for slot, item in enumerate(node.get("inputs") or []):
            match self._resolve_input(scope, node, slot, None, frozenset()):
                case Source(node_id, origin_slot):
                    inputs[item["name"]] = [node_id, origin_slot]
                case Value(value):
                    inputs[item["name"]] = value
        return inputs

    def _resolve_input(
        self, scope: Scope, node: Json, slot: int, kind: str | None, visited: Visited
    ) -> Source | Value | None:
        visited = _visit(visited, scope, node, slot, "input")
        inputs = node.get("inputs") or []
        link = scope.links.get(inputs[slot].get("link")) if slot < len(inputs) else None
        if link is None:
            return None
        kind = kind or inputs[slot]["type"]
        if link.origin == SUBGRAPH_INPUT and scope.parent is not None:
            outside = _slot_named(scope.host, scope.graph["inputs"][link.origin_slot]["name"])
            if outside is None or scope.host["inputs"][outside].get("link") is None:
                return self._promoted(scope, link.origin_slot)
            return self._resolve_input(scope.parent, scope.host, outside, kind, visited)
        origin = scope.nodes.get(link.origin)
        return self._resolve_output(scope, origin, link.origin_slot, kind, visited) if origin is not None else None

    def _resolve_output(  # noqa: PLR0911  (one for each kind of node)
        self, scope: Scope, node: Json, slot: int, kind: str, visited: Visited
    ) -> Source | Value | None:
        visited = _visit(visited, scope, node, slot, "output")
        if node.get("mode") == BYPASSED:
            through = _bypass_slot(node, slot, kind)
            return None if through is None else self._resolve_input(scope, node, through, kind, visited)
        if node["type"] == REROUTE:
            return self._resolve_input(scope, node, 0, kind, visited)
        if node["type"] in VIRTUAL:
            return None
        if node["type"] not in self._subgraphs:
            return Source(scope.id_of(node), slot)
        inner = self._child(scope, node)
        linked = inner.graph["outputs"][slot].get("linkIds") or []
        link = inner.links.get(linked[0]) if linked else None
        if link is None:
            return None
        if link.origin == SUBGRAPH_INPUT:
            outside = _slot_named(node, inner.graph["inputs"][link.origin_slot]["name"])
            return None if outside is None else self._resolve_input(scope, node, outside, kind, visited)
        return self._resolve_output(inner, inner.nodes[link.origin], link.origin_slot, kind, visited)

    def _promoted(self, scope: Scope, slot: int) -> Value | None:
        """The value of the widget that a subgraph shows on its outside for its input `slot`."""
        inner = self._inner_value(scope, slot)
        if inner is None or "proxyWidgets" in (scope.host.get("properties") or {}):
            return inner  # in older files the outside only mirrors the widget inside
        stored = scope.host.get("widgets_values")
        shown = [index for index in range(len(scope.graph["inputs"])) if self._inner_value(scope, index) is not None]
        place = shown.index(slot)
        return Value(stored[place]) if isinstance(stored, list) and place < len(stored) else None

    def _inner_value(self, scope: Scope, slot: int) -> Value | None:
        """The value of the first widget inside that a subgraph's input feeds, or None when it feeds none."""
        for number in scope.graph["inputs"][slot].get("linkIds") or []:
            link = scope.links.get(number)
            target = scope.nodes.get(link.target) if link is not None else None
            if link is None or target is None or target["type"] in VIRTUAL:
                continue
            item = target["inputs"][link.target_slot]
            name = (item.get("widget") or {}).get("name")
            if name is None:
                continue
            if target["type"] in self._subgraphs:
                inner = self._child(scope, target)
                place = _slot_named(inner.graph, item["name"])
                value = None if place is None else self._promoted(inner, place)
                if value is not None:
                    return value
            elif name in (values := widget_values(target, self._definitions)):
                return Value(values[name])
        return None

    def _child(self, scope: Scope, node: Json) -> Scope:
        prefix = f"{scope.id_of(node)}:"
        if prefix not in self._children:
            self._children[prefix] = Scope(prefix, self._subgraphs[node["type"]], node, scope)
        return self._children[prefix]


def _links(links: list[Any]) -> Iterator[tuple[Any, Link]]:
    for link in links:
        if isinstance(link, Mapping):
            yield link["id"], Link(link["origin_id"], link["origin_slot"], link["target_id"], link["target_slot"])
        else:
            yield link[0], Link(*link[1:5])


def _visit(visited: Visited, scope: Scope, node: Json, slot: int, side: str) -> Visited:
    step = (scope.prefix, node["id"], slot, side)
    if step in visited:
        raise WorkflowError(
            f"The links of the workflow run in a circle through {_title(node)!r}.",
            "Open it in ComfyUI's editor, and break the circle.",
            where=_title(node),
        )
    return visited | {step}


def _title(node: Json) -> str:
    return str(node.get("title") or node["type"])


def _slot_named(node: Json, name: str) -> int | None:
    """The place of the input `name` of a node or a subgraph."""
    return next((slot for slot, item in enumerate(node.get("inputs") or []) if item["name"] == name), None)


def _primitive_values(scope: Scope) -> Iterator[tuple[tuple[Any, str], Any]]:
    """(node id, widget) → the value that a primitive puts there."""
    for node in scope.nodes.values():
        if node["type"] != PRIMITIVE:
            continue
        value = next(iter(node.get("widgets_values") or []), None)
        for number in (number for output in node.get("outputs") or [] for number in output.get("links") or []):
            link = scope.links.get(number)
            target = scope.nodes.get(link.target) if link is not None else None
            if link is None or target is None:
                continue
            widget = target["inputs"][link.target_slot].get("widget")
            if widget:
                yield (target["id"], widget["name"]), value


def _bypass_slot(node: Json, slot: int, kind: str) -> int | None:
    """The input that a bypassed node passes on through its output `slot`."""
    kinds = [item["type"] for item in node.get("inputs") or []]
    out = node["outputs"][slot]["type"]
    if ANY in (kind, out):
        return slot if slot < len(kinds) else 0 if kinds else None
    if slot < len(kinds) and _fits(kinds[slot], out) and _fits(kinds[slot], kind):
        return slot
    exact = (index for index, given in enumerate(kinds) if given == kind)
    loose = (index for index, given in enumerate(kinds) if _fits(given, out) and _fits(given, kind))
    return next(exact, next(loose, None))


def _fits(one: Any, other: Any) -> bool:
    kinds = [set(str(kind).lower().split(",")) if kind not in ("", 0, None) else {ANY} for kind in (one, other)]
    return ANY in kinds[0] | kinds[1] or bool(kinds[0] & kinds[1])


def _make_ids_unique(workflow: Json, subgraphs: list[dict[str, Any]]) -> None:
    """Renumber nodes of `subgraphs` whose ids are taken, as the editor does when it loads a file."""
    taken = {node["id"] for node in workflow["nodes"]}
    last = max([int(workflow.get("last_node_id") or 0), *(number for number in taken if isinstance(number, int))])
    for subgraph in subgraphs:
        renamed = {}
        for node in subgraph["nodes"]:
            if node["id"] in taken:
                last += 1
                renamed[node["id"]] = last
            taken.add(renamed.get(node["id"], node["id"]))
        if renamed:
            subgraph["nodes"] = [{**node, "id": renamed.get(node["id"], node["id"])} for node in subgraph["nodes"]]
            subgraph["links"] = [_renumber(link, renamed) for link in subgraph.get("links") or []]


def _renumber(link: Any, renamed: Mapping[Any, int]) -> Any:
    if isinstance(link, Mapping):
        ends = {key: renamed.get(link[key], link[key]) for key in ("origin_id", "target_id")}
        return {**link, **ends}
    return [link[0], renamed.get(link[1], link[1]), link[2], renamed.get(link[3], link[3]), *link[4:]]
