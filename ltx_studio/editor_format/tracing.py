"""Tracing an input of a workflow to its source: along links, through subgraphs and pass-through nodes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ltx_studio.editor_format.editor_nodes import VIRTUAL, Setters, is_getter
from ltx_studio.editor_format.ids import Json, node_key
from ltx_studio.editor_format.nodes import Nodes
from ltx_studio.editor_format.promoted_widgets import Promotions, Value
from ltx_studio.editor_format.scopes import BYPASSED, INPUT_SIDE, MUTED, Contents, Scope
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import ANY
from ltx_studio.graph.values import Scale, shown


@dataclass(frozen=True, slots=True)
class Source:
    """The source of an input's value: an executable node's output."""

    node_id: str
    slot: int


Origin = Source | Value | None

_SHORT = 4
"""Longest path, in steps, that is traced again rather than cached; most have two."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An input or an output on the path along the links.

    Its `kind` is that of the requesting input: where the path began, or after the last bypassed node. None for that
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
    """The end of the path."""

    origin: Origin


class Tracer:
    """A tracer of links.

    Args:
        subgraphs: By id.
        nodes: Reader of nodes.
        promotions: The promoted widgets of the subgraphs' uses.
        scale: Counts the size of long ids.
        spend: Called with the number of steps about to be taken.
    """

    def __init__(
        self,
        subgraphs: dict[Any, Contents],
        nodes: Nodes,
        promotions: Promotions,
        scale: Scale,
        spend: Callable[[int], None],
    ) -> None:
        self._subgraphs, self._nodes, self._promotions = subgraphs, nodes, promotions
        self._scale, self._spend = scale, spend
        self._ends: dict[tuple[Any, ...], _Found] = {}
        self._ahead: dict[tuple[Any, ...], _Place | _Found] = {}
        self._setters = Setters()

    def origin_of(self, scope: Scope, node: Json, slot: int) -> Origin:
        """Return the source of an input's value, following the links; None if there is none.

        The kind of the first input matters only to bypassed nodes. So a stretch without one is cached for
        all kinds, and after one the path no longer depends on where it began.
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
            title = shown(title_of(place.node))
            raise WorkflowError(
                f"The links of the workflow form a loop through {title!r}.",
                "Open it in ComfyUI's editor and break the loop.",
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
            outside = self._nodes.slot_named(scope.host, name)
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
        inner = self.child(scope, node)
        linked = inner.contents.graph["outputs"][place.slot].get("linkIds") or []
        link = inner.contents.links.get(linked[0]) if linked else None
        if link is None:
            return _Found(None)
        if link.origin == INPUT_SIDE:
            outside = self._nodes.slot_named(node, inner.contents.graph["inputs"][link.origin_slot]["name"])
            return _Found(None) if outside is None else _Place(scope, node, outside, kind, is_output=False)
        return _Place(inner, inner.contents.nodes[link.origin], link.origin_slot, kind, is_output=True)

    def _from_setter(self, place: _Place) -> _Place | _Found:
        """Go to the input of the getter's setter: one in the same graph, otherwise the only one in outer graphs."""
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

    def child(self, scope: Scope, node: Json) -> Scope:
        """Return the scope inside a node that represents a subgraph."""
        key = node_key(node["id"])
        if key not in scope.children:
            prefix = f"{scope.id_of(node)}:"
            self._scale.weigh_name(prefix, title_of(node))
            scope.children[key] = Scope(prefix, self._subgraphs[node["type"]], node, scope)
        return scope.children[key]

    def _bypass_slot(self, node: Json, slot: int, kind: Any) -> int | None:
        """Return the input that a bypassed node passes on through its output `slot`."""
        sockets = self._nodes.sockets_of(node)
        kinds = [each for each, _ in sockets]
        self._spend(sum(1 + len(str(each)) // 64 for each in (*kinds, kind)))
        found = _matching(kinds, node["outputs"][slot]["type"], slot, kind)
        return None if found is None else sockets[found][1]


def _matching(kinds: list[Any], out: Any, slot: int, kind: Any) -> int | None:
    """Return the input that a bypassed node passes to its output `slot` of kind `out`, for a target of `kind`."""
    if kind in (ANY, ""):
        return slot if slot < len(kinds) else 0 if kinds else None
    if slot < len(kinds) and _fits(kinds[slot], out) and _fits(kinds[slot], kind):
        return slot
    exact = (index for index, given in enumerate(kinds) if given == kind)
    loose = (index for index, given in enumerate(kinds) if _fits(given, out) and _fits(given, kind))
    return next(exact, next(loose, None))


def title_of(node: Json) -> str:
    """Return the name of a node for errors."""
    return str(node.get("title") or node["type"])


def _fits(one: Any, other: Any) -> bool:
    kinds = [set(str(kind).lower().split(",")) if kind not in ("", 0, None) else {ANY} for kind in (one, other)]
    return ANY in kinds[0] | kinds[1] or bool(kinds[0] & kinds[1])
