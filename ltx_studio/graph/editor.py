"""Editor format → API format, with the editor's own rules.

An editor-format workflow is what one draws: nodes with widget values, links by number, reroutes, primitives, notes,
muted and bypassed nodes, and subgraphs, which are defined once and stand for their contents wherever they are used.
The rules here are those of ComfyUI's front end 1.47 (`graphToPrompt`), held against its answers by a test.

Whatever a file says, the work is bounded: what subgraphs stand for is counted before they are written out, each step
along a link is taken once and remembered, and all steps are counted.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import StudioError, WorkflowError
from ltx_studio.graph.api import ApiGraph
from ltx_studio.graph.definitions import ANY, Definitions, Input, unknown_nodes
from ltx_studio.graph.frontend import VIRTUAL, Setters, is_getter
from ltx_studio.graph.ids import Json, make_ids_unique, node_key
from ltx_studio.graph.primitives import primitive_values
from ltx_studio.graph.promotion import Promotions, Value, widget_of
from ltx_studio.graph.prompts import settle
from ltx_studio.graph.scopes import BYPASSED, INPUT_SIDE, MUTED, SUBGRAPH_INPUT, Contents, Scope, check_expansion
from ltx_studio.graph.values import Scale, shown
from ltx_studio.graph.widgets import declared_widgets, prompts, widget_values

__all__ = ["BYPASSED", "MUTED", "SUBGRAPH_INPUT", "is_editor_format", "to_api"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input's value comes from: an executable node's output."""

    node_id: str
    slot: int


Origin = Source | Value | None

_SHORT = 4
"""Steps of a way that is followed again rather than remembered; most are of two."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An input or an output on the way along the links.

    Its `kind` is that of the input which asks: where the way began, or behind the last bypassed node. None for that
    input itself.
    """

    scope: Scope
    node: Json
    slot: int
    kind: str | None
    is_output: bool

    @property
    def spot(self) -> tuple[Any, ...]:
        return self.scope, node_key(self.node["id"]), self.slot, self.is_output

    def asked_for(self, kind: Any) -> "_Place":
        return replace(self, kind=kind)


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
        workflow = make_ids_unique(workflow, subgraphs)
        self._root = Scope("", Contents(workflow))
        self._subgraphs = {item["id"]: Contents(item) for item in subgraphs}
        self._definitions = definitions
        self._scale = Scale()
        self._steps = 0
        self._ends: dict[tuple[Any, ...], _Found] = {}
        self._ahead: dict[tuple[Any, ...], _Place | _Found] = {}
        self._widgets: dict[int, tuple[Json, dict[str, Any]]] = {}
        self._declared: dict[int, tuple[Json, dict[str, Input]]] = {}
        self._slots: dict[int, tuple[Json, dict[Any, int]]] = {}
        self._primitives: dict[Contents, dict[tuple[str, str], Any]] = {}
        self._prompts: dict[str, set[str]] = {}
        self._settled: dict[str, str] = {}
        self._setters = Setters()

    def convert(self) -> ApiGraph:
        check_expansion(self._root.contents, self._subgraphs)
        self._refuse_unknown_nodes()
        self._promotions = Promotions(self._root.contents, self._subgraphs, self._widgets_of, self._spend)
        graph = dict(self._emit(self._root))
        for node in graph.values():  # what a muted node would have fed is not fed
            for name, value in list(node["inputs"].items()):
                if isinstance(value, list) and value[0] not in graph:
                    del node["inputs"][name]
        return graph

    def _refuse_unknown_nodes(self) -> None:
        """Look at the nodes that the editor would queue: those that are off, or in unused subgraphs, may be unknown."""
        missing: dict[str, str] = {}
        used, waiting = {self._root.contents}, [self._root.contents]
        while waiting:
            contents = waiting.pop()
            for node in contents.nodes.values():
                off = _is_off(node)
                if node["type"] in self._subgraphs:
                    inner = self._subgraphs[node["type"]]
                    if inner not in used and not (off and contents is self._root.contents):
                        used.add(inner)
                        waiting.append(inner)
                elif not off and node["type"] not in VIRTUAL and node["type"] not in self._definitions:
                    missing[node["type"]] = str((node.get("properties") or {}).get("cnr_id") or "")
        if missing:
            raise unknown_nodes(missing)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > limits.WORKFLOW_STEPS.most:
            limits.WORKFLOW_STEPS.check(self._steps, "The workflow", error=WorkflowError)

    def _emit(self, scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
        for node in scope.contents.nodes.values():
            off = _is_off(node)
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
        primitives = self._primitives_of(scope.contents)
        for name, stored in self._widgets_of(node).items():
            value = primitives.get((node_key(node["id"]), name), stored)
            if name in dynamic and isinstance(value, str):
                value = self._settle(value)
            self._weigh(node, name, value)
            inputs[name] = {"__value__": value} if isinstance(value, list) else value  # a bare list would be a link
        for slot, item in enumerate(node.get("inputs") or []):
            if item.get("widget") and widget_of(item) not in inputs:  # of a widget that the installed node lacks
                continue
            match self._origin_of(scope, node, slot):
                case Source(node_id, origin_slot):
                    self._weigh(node, item["name"], node_id)
                    inputs[item["name"]] = [node_id, origin_slot]
                case Value(value):
                    self._weigh(node, item["name"], value)
                    inputs[item["name"]] = {"__value__": value} if isinstance(value, list) else value
        return inputs

    def _primitives_of(self, contents: Contents) -> dict[tuple[str, str], Any]:
        if contents not in self._primitives:
            self._primitives[contents] = primitive_values(contents, self._declared_of)
        return self._primitives[contents]

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
            known = node["type"] in self._definitions
            self._widgets[id(node)] = node, widget_values(node, self._definitions) if known else {}
        return self._widgets[id(node)][1]

    def _declared_of(self, node: Json) -> dict[str, tuple[Input, Any]]:
        if node["type"] not in self._definitions:
            return {}
        if id(node) not in self._declared:
            self._declared[id(node)] = node, declared_widgets(node, self._definitions)
        values = self._widgets_of(node)
        return {name: (item, values.get(name)) for name, item in self._declared[id(node)][1].items()}

    def _slot_named(self, node: Json, name: Any) -> int | None:
        """The place of the input `name` of a node or a subgraph."""
        if id(node) not in self._slots:
            slots: dict[Any, int] = {}
            for slot, item in enumerate(node.get("inputs") or []):
                slots.setdefault(item["name"], slot)
            self._slots[id(node)] = node, slots
        return self._slots[id(node)][1].get(name)

    def _origin_of(self, scope: Scope, node: Json, slot: int) -> Origin:
        """Follow the links from an input to where its value comes from.

        What kind of input the way began at matters to bypassed nodes only. So a stretch without one is remembered for
        all kinds, and after one the way no longer depends on where it began.
        """
        way: dict[tuple[Any, ...], None] = {}
        inputs: list[tuple[Any, ...]] = []
        stretch: list[tuple[Any, ...]] = []
        step: _Place | _Found = _Place(scope, node, slot, None, is_output=False)
        while isinstance(step, _Place):
            place = step
            self._spend(1)
            self._refuse_circle(place, way)
            spot = place.spot
            if place.kind is None:
                inputs.append(spot)
                step = self._ends.get(spot) or self._from_input(place)
            elif place.is_output and place.node.get("mode") == BYPASSED:
                self._remember(stretch, place)
                stretch = []
                step = self._from_output(place)
            else:
                stretch.append(spot)
                known = self._ahead.get(spot)
                if isinstance(known, _Place):
                    step = known.asked_for(place.kind)
                else:
                    step = known or (self._from_output if place.is_output else self._from_input)(place)
        if len(way) > _SHORT:
            self._remember(stretch, step)
            self._ends.update(dict.fromkeys(inputs, step))
        return step.origin

    def _remember(self, stretch: list[tuple[Any, ...]], end: "_Place | _Found") -> None:
        if len(stretch) > _SHORT // 2:
            self._ahead.update(dict.fromkeys(stretch, end))

    def _refuse_circle(self, place: _Place, way: dict[tuple[Any, ...], None]) -> None:
        key = (*place.spot, place.kind)
        if key in way:
            title = shown(_title(place.node))
            raise WorkflowError(
                f"The links of the workflow run in a circle through {title!r}.",
                "Open it in ComfyUI's editor, and break the circle.",
                where=title,
            )
        way[key] = None

    def _from_input(self, place: _Place) -> _Place | _Found:
        scope, node, slot = place.scope, place.node, place.slot
        inputs = node.get("inputs") or []
        link = scope.contents.links.get(inputs[slot].get("link")) if slot < len(inputs) else None
        if link is None:
            return _Found(None)
        if link.origin == INPUT_SIDE and scope.parent is not None:
            name = scope.contents.graph["inputs"][link.origin_slot]["name"]
            outside = self._slot_named(scope.host, name)
            if outside is None or scope.host["inputs"][outside].get("link") is None:
                key = node_key(scope.host["id"])
                return _Found(self._promotions.of(scope.parent.contents, key, name))
            return _Place(scope.parent, scope.host, outside, None, is_output=False)
        origin = scope.contents.nodes.get(link.origin)
        kind = inputs[slot]["type"] if place.kind is None else place.kind
        return _Found(None) if origin is None else _Place(scope, origin, link.origin_slot, kind, is_output=True)

    def _from_output(self, place: _Place) -> _Place | _Found:
        scope, node, slot, kind = place.scope, place.node, place.slot, place.kind
        if node.get("mode") == MUTED:
            return _Found(None)
        if node.get("mode") == BYPASSED:
            through = self._bypass_slot(node, slot, kind)
            return _Found(None) if through is None else _Place(scope, node, through, None, is_output=False)
        if node["type"] in self._subgraphs:
            return self._into_subgraph(place)
        if is_getter(node):
            return self._from_setter(place)
        if node["type"] in VIRTUAL:
            return _Place(scope, node, slot, kind, is_output=False)
        return _Found(Source(scope.id_of(node), slot))

    def _into_subgraph(self, place: _Place) -> _Place | _Found:
        scope, node, kind = place.scope, place.node, place.kind
        inner = self._child(scope, node)
        linked = inner.contents.graph["outputs"][place.slot].get("linkIds") or []
        link = inner.contents.links.get(linked[0]) if linked else None
        if link is None:
            return _Found(None)
        if link.origin == INPUT_SIDE:
            outside = self._slot_named(node, inner.contents.graph["inputs"][link.origin_slot]["name"])
            return _Found(None) if outside is None else _Place(scope, node, outside, kind, is_output=False)
        return _Place(inner, inner.contents.nodes[link.origin], link.origin_slot, kind, is_output=True)

    def _from_setter(self, place: _Place) -> _Place | _Found:
        """Go to what the setter of a getter's name is fed: one of its own graph, else the only one around it."""
        setters = self._setters.of(place.scope.contents, place.node)
        if setters:
            return _Place(place.scope, setters[0], place.slot, place.kind, is_output=False)
        around: list[tuple[Scope, Json]] = []
        scope = place.scope.parent
        while scope is not None:
            self._spend(1)
            around += [(scope, setter) for setter in self._setters.of(scope.contents, place.node)]
            scope = scope.parent
        if len(around) != 1:
            return _Found(None)
        scope, setter = around[0]
        inputs = setter.get("inputs") or []
        link = scope.contents.links.get(inputs[place.slot].get("link")) if place.slot < len(inputs) else None
        origin = scope.contents.nodes.get(link.origin) if link is not None else None
        if link is None or origin is None:
            return _Found(None)
        return _Place(scope, origin, link.origin_slot, place.kind, is_output=True)

    def _child(self, scope: Scope, node: Json) -> Scope:
        key = node_key(node["id"])
        if key not in scope.children:
            prefix = f"{scope.id_of(node)}:"
            self._scale.weigh_name(prefix, _title(node))
            scope.children[key] = Scope(prefix, self._subgraphs[node["type"]], node, scope)
        return scope.children[key]

    def _bypass_slot(self, node: Json, slot: int, kind: Any) -> int | None:
        """The input that a bypassed node passes on through its output `slot`."""
        kinds = [item["type"] for item in node.get("inputs") or []]
        self._spend(sum(1 + len(str(each)) // 64 for each in (*kinds, kind)))
        if kind in (ANY, ""):
            return slot if slot < len(kinds) else 0 if kinds else None
        out = node["outputs"][slot]["type"]
        if slot < len(kinds) and _fits(kinds[slot], out) and _fits(kinds[slot], kind):
            return slot
        exact = (index for index, given in enumerate(kinds) if given == kind)
        loose = (index for index, given in enumerate(kinds) if _fits(given, out) and _fits(given, kind))
        return next(exact, next(loose, None))


def _is_off(node: Json) -> bool:
    return node.get("mode") in (MUTED, BYPASSED)


def _title(node: Json) -> str:
    return str(node.get("title") or node["type"])


def _fits(one: Any, other: Any) -> bool:
    kinds = [set(str(kind).lower().split(",")) if kind not in ("", 0, None) else {ANY} for kind in (one, other)]
    return ANY in kinds[0] | kinds[1] or bool(kinds[0] & kinds[1])
