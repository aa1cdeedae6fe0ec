"""Editor format → API format, with the editor's own rules.

An editor-format workflow is what one draws: nodes with widget values, links by number, reroutes, primitives, notes,
muted and bypassed nodes, and subgraphs, which are defined once and stand for their contents wherever they are used.
The rules here are those of ComfyUI's front end 1.47 (`graphToPrompt`), held against its answers by a test.

Whatever a file says, the work is bounded: what subgraphs stand for is counted before they are written out, each step
along a link is taken once and remembered, and all steps are counted.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import StudioError, WorkflowError
from ltx_studio.graph.api import ApiGraph
from ltx_studio.graph.definitions import ANY, Definitions, unknown_nodes
from ltx_studio.graph.prompts import settle
from ltx_studio.graph.scopes import PRIMITIVE, Contents, Json, Scope, check_expansion, make_ids_unique
from ltx_studio.graph.values import Scale, shown
from ltx_studio.graph.widgets import prompts, widget_values

log = logging.getLogger(__name__)

MUTED, BYPASSED = 2, 4
SUBGRAPH_INPUT = -10
"""The id of the node that stands for a subgraph's inputs inside of it."""

NOTES = {"Note", "MarkdownNote"}
REROUTE = "Reroute"
VIRTUAL = NOTES | {PRIMITIVE, REROUTE}
"""Nodes that exist in the editor only."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input's value comes from: an executable node's output."""

    node_id: str
    slot: int


@dataclass(frozen=True, slots=True)
class Value:
    """Where an input's value comes from: a widget on the outside of a subgraph."""

    value: Any


Origin = Source | Value | None

_SHORT = 4
"""Steps of a way that is followed again rather than remembered; most are of two."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An input or an output on the way along the links. Its `kind` is that of the input where the way began."""

    scope: Scope
    node: Json
    slot: int
    kind: str | None
    is_output: bool

    @property
    def key(self) -> tuple[Any, ...]:
        return self.scope, self.node["id"], self.slot, self.kind, self.is_output


@dataclass(frozen=True, slots=True)
class _Found:
    """The end of the way."""

    origin: Origin


def is_editor_format(data: object) -> bool:
    """Whether parsed JSON is a workflow as the editor saves it."""
    return isinstance(data, Mapping) and isinstance(data.get("nodes"), list)


def to_api(workflow: Json, definitions: Definitions) -> ApiGraph:
    """Return the API-format graph that the editor would queue for `workflow`.

    Raises:
        WorkflowError: It uses node classes that `definitions` lacks, it is too large (see `limits`), or it is damaged.
    """
    try:
        return _Converter(workflow, definitions).convert()
    except (StudioError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file leads to
        log.info("a damaged workflow", exc_info=True)
        raise WorkflowError(
            f"The workflow is damaged: {type(error).__name__}: {shown(str(error), 200)}.",
            "Open it in ComfyUI's editor, and save it again.",
        ) from error


class _Converter:
    def __init__(self, workflow: Json, definitions: Definitions) -> None:
        subgraphs = [dict(item) for item in (workflow.get("definitions") or {}).get("subgraphs") or []]
        make_ids_unique(workflow, subgraphs)
        self._root = Scope("", Contents(workflow))
        self._subgraphs = {item["id"]: Contents(item) for item in subgraphs}
        self._definitions = definitions
        self._scale = Scale()
        self._steps = 0
        self._found: dict[tuple[Any, ...], Origin] = {}
        self._inner: dict[tuple[Scope, int], Value | None] = {}
        self._shown: dict[Scope, dict[int, int]] = {}
        self._widgets: dict[int, tuple[Json, dict[str, Any]]] = {}
        self._slots: dict[int, tuple[Json, dict[Any, int]]] = {}
        self._prompts: dict[str, set[str]] = {}
        self._settled: dict[str, str] = {}

    def convert(self) -> ApiGraph:
        self._refuse_unknown_nodes()
        check_expansion(self._root.contents, self._subgraphs)
        graph = dict(self._emit(self._root))
        for node in graph.values():  # what a muted node would have fed is not fed
            for name, value in list(node["inputs"].items()):
                if isinstance(value, list) and value[0] not in graph:
                    del node["inputs"][name]
        return graph

    def _refuse_unknown_nodes(self) -> None:
        graphs = [self._root.contents.graph, *(contents.graph for contents in self._subgraphs.values())]
        known = set(self._subgraphs) | VIRTUAL
        missing = {
            node["type"]: str((node.get("properties") or {}).get("cnr_id") or "")
            for graph in graphs
            for node in graph["nodes"]
            if node["type"] not in known and node["type"] not in self._definitions
        }
        if missing:
            raise unknown_nodes(missing)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > limits.WORKFLOW_STEPS.most:
            limits.WORKFLOW_STEPS.check(self._steps, "The workflow", error=WorkflowError)

    def _emit(self, scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
        for node in scope.contents.nodes.values():
            off = node.get("mode") in (MUTED, BYPASSED)
            if node["type"] in self._subgraphs and (not off or scope.parent is not None):
                # the editor looks at the mode of a subgraph in the workflow itself only
                yield from self._emit(self._child(scope, node))
            elif not off and node["type"] not in VIRTUAL and node["type"] not in self._subgraphs:
                title = node.get("title") or self._definitions.title(node["type"])
                node_id = scope.id_of(node)
                self._scale.weigh_name(node_id, _title(node))
                self._scale.weigh(title, "title", _title(node))
                inputs = self._inputs(scope, node)
                yield node_id, {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}

    def _inputs(self, scope: Scope, node: Json) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        dynamic = self._prompts_of(node["type"])
        for name, stored in self._widgets_of(node).items():
            value = scope.contents.primitives.get((node["id"], name), stored)
            if name in dynamic and isinstance(value, str):
                value = self._settle(value)
            self._weigh(node, name, value)
            inputs[name] = {"__value__": value} if isinstance(value, list) else value  # a bare list would be a link
        for slot, item in enumerate(node.get("inputs") or []):
            match self._origin_of(scope, node, slot):
                case Source(node_id, origin_slot):
                    self._weigh(node, item["name"], node_id)
                    inputs[item["name"]] = [node_id, origin_slot]
                case Value(value):
                    self._weigh(node, item["name"], value)
                    inputs[item["name"]] = value
        return inputs

    def _weigh(self, node: Json, name: Any, value: Any) -> None:
        self._scale.weigh_name(name, _title(node))
        self._scale.weigh(value, name, _title(node))

    def _settle(self, prompt: str) -> str:
        if prompt not in self._settled:
            self._settled[prompt] = settle(prompt)
        return self._settled[prompt]

    def _prompts_of(self, class_type: str) -> set[str]:
        if class_type not in self._prompts:
            self._prompts[class_type] = prompts(class_type, self._definitions)
        return self._prompts[class_type]

    def _widgets_of(self, node: Json) -> dict[str, Any]:
        """Of a node as it is written; kept with it, so that its `id` stays its own."""
        if id(node) not in self._widgets:
            self._widgets[id(node)] = node, widget_values(node, self._definitions)
        return self._widgets[id(node)][1]

    def _slot_named(self, node: Json, name: Any) -> int | None:
        """The place of the input `name` of a node or a subgraph."""
        if id(node) not in self._slots:
            slots: dict[Any, int] = {}
            for slot, item in enumerate(node.get("inputs") or []):
                slots.setdefault(item["name"], slot)
            self._slots[id(node)] = node, slots
        return self._slots[id(node)][1].get(name)

    def _origin_of(self, scope: Scope, node: Json, slot: int) -> Origin:
        """Follow the links from an input to where its value comes from."""
        way: dict[tuple[Any, ...], None] = {}
        place = _Place(scope, node, slot, None, is_output=False)
        while True:
            self._spend(1)
            key = place.key
            if key in way:
                title = shown(_title(place.node))
                raise WorkflowError(
                    f"The links of the workflow form a loop through {title!r}.",
                    "Open it in ComfyUI's editor and break the loop.",
                    where=title,
                )
            if key in self._found:
                origin = self._found[key]
                break
            way[key] = None
            step = self._from_output(place) if place.is_output else self._from_input(place)
            if isinstance(step, _Found):
                origin = step.origin
                break
            place = step
        if len(way) > _SHORT:
            self._found.update(dict.fromkeys(way, origin))
        return origin

    def _from_input(self, place: _Place) -> _Place | _Found:
        scope, node, slot = place.scope, place.node, place.slot
        inputs = node.get("inputs") or []
        link = scope.contents.links.get(inputs[slot].get("link")) if slot < len(inputs) else None
        if link is None:
            return _Found(None)
        kind = place.kind or inputs[slot]["type"]
        if link.origin == SUBGRAPH_INPUT and scope.parent is not None:
            outside = self._slot_named(scope.host, scope.contents.graph["inputs"][link.origin_slot]["name"])
            if outside is None or scope.host["inputs"][outside].get("link") is None:
                return _Found(self._promoted(scope, link.origin_slot))
            return _Place(scope.parent, scope.host, outside, kind, is_output=False)
        origin = scope.contents.nodes.get(link.origin)
        return _Found(None) if origin is None else _Place(scope, origin, link.origin_slot, kind, is_output=True)

    def _from_output(self, place: _Place) -> _Place | _Found:  # noqa: PLR0911  (one for each kind of node)
        scope, node, slot, kind = place.scope, place.node, place.slot, place.kind
        if node.get("mode") == BYPASSED:
            through = self._bypass_slot(node, slot, kind)
            return _Found(None) if through is None else _Place(scope, node, through, kind, is_output=False)
        if node["type"] == REROUTE:
            return _Place(scope, node, 0, kind, is_output=False)
        if node["type"] in VIRTUAL:
            return _Found(None)
        if node["type"] not in self._subgraphs:
            return _Found(Source(scope.id_of(node), slot))
        inner = self._child(scope, node)
        linked = inner.contents.graph["outputs"][slot].get("linkIds") or []
        link = inner.contents.links.get(linked[0]) if linked else None
        if link is None:
            return _Found(None)
        if link.origin == SUBGRAPH_INPUT:
            outside = self._slot_named(node, inner.contents.graph["inputs"][link.origin_slot]["name"])
            return _Found(None) if outside is None else _Place(scope, node, outside, kind, is_output=False)
        return _Place(inner, inner.contents.nodes[link.origin], link.origin_slot, kind, is_output=True)

    def _promoted(self, scope: Scope, slot: int) -> Value | None:
        """The value of the widget that a subgraph shows on its outside for its input `slot`."""
        inner = self._inner_value(scope, slot)
        if inner is None or "proxyWidgets" in (scope.host.get("properties") or {}):
            return inner  # in older files the outside only mirrors the widget inside
        stored = scope.host.get("widgets_values")
        if scope not in self._shown:
            count = len(scope.contents.graph["inputs"])
            with_widget = [index for index in range(count) if self._inner_value(scope, index) is not None]
            self._shown[scope] = {index: place for place, index in enumerate(with_widget)}
        place = self._shown[scope][slot]
        return Value(stored[place]) if isinstance(stored, list) and place < len(stored) else None

    def _inner_value(self, scope: Scope, slot: int) -> Value | None:
        """The value of the first widget inside that a subgraph's input feeds, or None when it feeds none."""
        if (scope, slot) not in self._inner:
            self._inner[scope, slot] = self._found_inside(scope, slot)
        return self._inner[scope, slot]

    def _found_inside(self, scope: Scope, slot: int) -> Value | None:
        self._spend(1)
        for number in scope.contents.graph["inputs"][slot].get("linkIds") or []:
            self._spend(1)
            link = scope.contents.links.get(number)
            target = scope.contents.nodes.get(link.target) if link is not None else None
            if link is None or target is None or target["type"] in VIRTUAL:
                continue
            item = target["inputs"][link.target_slot]
            name = (item.get("widget") or {}).get("name")
            if name is None:
                continue
            if target["type"] in self._subgraphs:
                inner = self._child(scope, target)
                place = self._slot_named(inner.contents.graph, item["name"])
                value = None if place is None else self._promoted(inner, place)
                if value is not None:
                    return value
            elif name in (values := self._widgets_of(target)):
                return Value(values[name])
        return None

    def _child(self, scope: Scope, node: Json) -> Scope:
        if node["id"] not in scope.children:
            prefix = f"{scope.id_of(node)}:"
            self._scale.weigh_name(prefix, _title(node))
            scope.children[node["id"]] = Scope(prefix, self._subgraphs[node["type"]], node, scope)
        return scope.children[node["id"]]

    def _bypass_slot(self, node: Json, slot: int, kind: Any) -> int | None:
        """The input that a bypassed node passes on through its output `slot`."""
        kinds = [item["type"] for item in node.get("inputs") or []]
        out = node["outputs"][slot]["type"]
        self._spend(sum(1 + len(str(each)) // 64 for each in (*kinds, out, kind)))
        if ANY in (kind, out):
            return slot if slot < len(kinds) else 0 if kinds else None
        if slot < len(kinds) and _fits(kinds[slot], out) and _fits(kinds[slot], kind):
            return slot
        exact = (index for index, given in enumerate(kinds) if given == kind)
        loose = (index for index, given in enumerate(kinds) if _fits(given, out) and _fits(given, kind))
        return next(exact, next(loose, None))


def _title(node: Json) -> str:
    return str(node.get("title") or node["type"])


def _fits(one: Any, other: Any) -> bool:
    kinds = [set(str(kind).lower().split(",")) if kind not in ("", 0, None) else {ANY} for kind in (one, other)]
    return ANY in kinds[0] | kinds[1] or bool(kinds[0] & kinds[1])
