"""Promoted widgets: those that a subgraph shows on its outside, and the value that each of its uses has for them.

A subgraph's input that feeds an inner widget becomes a widget of the node that represents the subgraph. Older files
list such widgets by the inner node instead (``properties.proxyWidgets``); the editor makes inputs of them when it loads
a file, and so does this module.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltx_studio.editor_format.editor_nodes import PRIMITIVE
from ltx_studio.editor_format.ids import Json, node_key
from ltx_studio.editor_format.scopes import INPUT_SIDE, Contents, Link

_PREFIX = re.compile(r"\s*(\d+)\s*:\s*(.+)", re.DOTALL)
"""Prefix that older editors put before the name of an inner subgraph's widget: ``"12: text"``."""

_OWN = "-1"
"""Placeholder for the inner node where an entry names an input of the subgraph itself."""

_MOST_PREFIXES = 64
_MOST_STEPS = 100
_MARK = "proxyBypassedToSubgraphInput"

Use = tuple[Contents, str]
"""A node that represents a subgraph: the graph that contains it, and its id."""


@dataclass(frozen=True, slots=True)
class Value:
    """The source of an input's value: a widget on the outside of a subgraph."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Shown:
    """An entry of ``proxyWidgets``: an inner node's widget, and its properties on the outside."""

    source: str
    widget: str
    clue: str | None
    given: Value | None


class Promotions:
    """The promoted widgets of each use of a subgraph.

    Args:
        root: The workflow. Inputs that older files lack are added to it and to `subgraphs`.
        subgraphs: By id.
        widgets_of: Returns the widgets of a node, by name; empty for an unknown class.
        spend: Called with the number of steps about to be taken.
    """

    def __init__(
        self,
        root: Contents,
        subgraphs: Mapping[Any, Contents],
        widgets_of: Callable[[Json], Mapping[str, Any]],
        spend: Callable[[int], None],
    ) -> None:
        self._subgraphs, self._widgets_of, self._spend = subgraphs, widgets_of, spend
        self._values: dict[Use, dict[str, Any]] = {}
        self._uses: dict[Contents, list[Use]] = {}
        self._links = 0
        self._ready: set[Contents] = set()
        for contents in [*_in_order(subgraphs), root]:
            self._configure(contents)

    def of(self, contents: Contents, key: str, name: Any) -> Value | None:
        """Return the value of node `key` for the subgraph's input `name`, or None if that is not a widget."""
        values = self._values.get((contents, key), {})
        return Value(values[name]) if name in values else None

    def inner_widget(self, node: Json, name: Any) -> tuple[Json, Any] | None:
        """Return the inner node and widget name behind a widget of a subgraph's use."""
        for _ in range(_MOST_STEPS):
            if node["type"] not in self._subgraphs:
                return node, name
            inner = self._subgraphs[node["type"]]
            found = self._inner_source(inner, name)
            if found is None:
                return None
            node, name = inner.nodes[found[0]], found[1]
        return None

    def _configure(self, contents: Contents) -> None:
        uses = [key for key, node in contents.nodes.items() if node["type"] in self._subgraphs]
        for key in uses:
            self._register(contents, key)
        for key in uses:
            entries = _entries(contents.nodes[key])
            if entries and self._subgraphs[contents.nodes[key]["type"]] in self._ready:
                self._promote((contents, key), entries)
        self._ready.add(contents)
        for use in self._uses.get(contents, []):  # that came before the subgraph it uses
            for item in contents.graph.get("inputs") or []:
                found = self._value_inside(contents, {"linkIds": (item.get("linkIds") or [])[:1]})
                if found is not None:
                    self._values[use][item["name"]] = found.value

    def _register(self, contents: Contents, key: str) -> None:
        node = contents.nodes[key]
        inner = self._subgraphs[node["type"]]
        self._uses.setdefault(inner, []).append((contents, key))
        stored = node.get("widgets_values")
        stored = stored if isinstance(stored, list) else []
        values: dict[str, Any] = {}
        for item in (inner.graph.get("inputs") or []) if inner in self._ready else []:
            found = self._value_inside(inner, item)
            if found is not None:
                place = len(values)
                values[item["name"]] = stored[place] if place < len(stored) else found.value
        self._values[contents, key] = values

    def _targets(self, inner: Contents, item: Json) -> Iterator[tuple[Json, Json]]:
        for number in item.get("linkIds") or []:
            self._spend(1)
            target = inner.target_of(number)
            if target is not None:
                yield target

    def _value_inside(self, inner: Contents, item: Json) -> Value | None:
        """Return the value of the first inner widget that a subgraph's input feeds."""
        for node, socket in self._targets(inner, item):
            if node["type"] in self._subgraphs:
                found = self.of(inner, node_key(node["id"]), socket["name"])
                if found is not None:
                    return found
            else:
                name, widgets = widget_of(socket), self._widgets_of(node)
                if name in widgets:
                    return Value(widgets[name])
        return None

    def _source_of(self, inner: Contents, item: Json) -> tuple[str, Any] | None:
        """Return the inner node and widget that a subgraph's input represents."""
        for node, socket in self._targets(inner, item):
            if node["type"] in self._subgraphs:
                return node_key(node["id"]), socket["name"]
            if widget_of(socket) in self._widgets_of(node):
                return node_key(node["id"]), widget_of(socket)
        return None

    def _promote(self, use: Use, entries: Sequence[Sequence[str]]) -> None:
        """Convert the entries of ``proxyWidgets`` into inputs of the subgraph, with the values of this use."""
        contents, key = use
        node = contents.nodes[key]
        inner = self._subgraphs[node["type"]]
        stored = node.get("widgets_values")
        given = [Value(value) if value is not None else None for value in stored] if isinstance(stored, list) else []
        shown = [
            self._normalized(inner, entry, given[index] if index < len(given) else None)
            for index, entry in enumerate(entries)
        ]
        linked = self._linked(inner)
        names = [linked.get((each.source, each.widget)) or self._marked(inner, each) for each in shown]
        of_primitives: dict[str, list[_Shown]] = {}
        for each, name in zip(shown, names, strict=True):
            source = inner.nodes.get(each.source)
            if each.source == _OWN:
                self._give(use, each.widget, each.given)
            elif name is not None:
                self._give(use, name, each.given)
            elif source is not None and source["type"] == PRIMITIVE:
                of_primitives.setdefault(each.source, []).append(each)
            elif source is not None:
                self._add(use, inner, source, each)
        for source_key, group in of_primitives.items():
            self._replace_primitive(use, inner, source_key, group)

    def _linked(self, inner: Contents) -> dict[tuple[str, Any], Any]:
        """Return the names of a subgraph's inputs, by the inner widget that each feeds."""
        linked: dict[tuple[str, Any], Any] = {}
        for item in inner.graph.get("inputs") or []:
            source = self._source_of(inner, item)
            if source is not None:
                linked.setdefault(source, item["name"])
        return linked

    def _marked(self, inner: Contents, each: _Shown) -> Any:
        """Return the input that replaced a primitive for another use of the subgraph, or None."""
        source = inner.nodes.get(each.source)
        if source is None or source["type"] != PRIMITIVE:
            return None
        name = (source.get("properties") or {}).get(_MARK)
        return name if any(item["name"] == name for item in inner.graph.get("inputs") or []) else None

    def _normalized(self, inner: Contents, entry: Sequence[str], given: Value | None) -> _Shown:
        source, widget, *rest = entry
        clue = rest[0] if rest else None
        if not self._resolves(inner, source, widget):
            for _ in range(_MOST_PREFIXES):
                match = _PREFIX.fullmatch(widget)
                if match is None:
                    break
                clue, widget = match[1], match[2]
        return _Shown(source, widget, clue, given)

    def _resolves(self, inner: Contents, source: str, widget: Any) -> bool:
        """Return whether an entry leads directly to a widget."""
        for _ in range(_MOST_STEPS):
            node = inner.nodes.get(source)
            if node is None:
                return False
            if node["type"] not in self._subgraphs:
                return widget in self._widgets_of(node)
            inner = self._subgraphs[node["type"]]
            found = self._inner_source(inner, widget)
            if found is None:
                return False
            source, widget = found
        return False

    def _inner_source(self, inner: Contents, name: Any) -> tuple[str, Any] | None:
        inputs = inner.graph.get("inputs") or []
        self._spend(1 + len(inputs) // 16)
        item = next((each for each in inputs if each["name"] == name), None)
        return None if item is None else self._source_of(inner, item)

    def _give(self, use: Use, name: Any, given: Value | None) -> None:
        if given is not None and name in self._values[use]:
            self._values[use][name] = given.value

    def _add(self, use: Use, inner: Contents, source: Json, each: _Shown) -> None:
        """Add an input to a subgraph for the widget of an inner node."""
        if each.widget.startswith("$$"):  # a preview
            return
        name: Any = each.widget
        if source["type"] in self._subgraphs:
            name = self._nested_input(self._subgraphs[source["type"]], each)
            if name is None or self.of(inner, node_key(source["id"]), name) is None:
                return
        elif name not in self._widgets_of(source):
            return
        self._connect(use, inner, each.widget, [(source, name)], each.given)

    def _nested_input(self, nested: Contents, each: _Shown) -> Any:
        for item in nested.graph.get("inputs") or []:
            source = self._source_of(nested, item)
            if each.clue is not None:
                if source == (each.clue, each.widget):
                    return item["name"]
            elif item["name"] == each.widget or (source is not None and source[1] == each.widget):
                return item["name"]
        return None

    def _replace_primitive(self, use: Use, inner: Contents, key: str, group: Sequence[_Shown]) -> None:
        """Replace an inner primitive by an input of the subgraph."""
        primitive = inner.nodes[key]
        if len({each.widget for each in group}) > 1:
            return
        outputs = primitive.get("outputs") or [{}]
        targets = [inner.target_of(number) for number in outputs[0].get("links") or []]
        sockets = [(node, socket["name"]) for node, socket in filter(None, targets)]
        if not sockets or None in targets:
            return
        given = next((each.given for each in group if each.given is not None), None)
        name = self._connect(use, inner, str(primitive.get("title") or group[0].widget), sockets, given)
        inner.nodes[key] = {
            **primitive,
            "outputs": [{**outputs[0], "links": []}, *outputs[1:]],
            "properties": {**(primitive.get("properties") or {}), _MARK: name},
        }

    def _connect(
        self, use: Use, inner: Contents, wanted: str, sockets: Sequence[tuple[Json, Any]], given: Value | None
    ) -> str:
        """Add an input to a subgraph that feeds inputs of its nodes; return its name."""
        inputs = list(inner.graph.get("inputs") or [])
        taken = {item["name"] for item in inputs}
        self._spend(len(taken) + 1)
        name, number = wanted, 0
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        links = []
        for node, socket in sockets:
            self._links += 1
            links.append(f"promoted {self._links}")
            self._plug(inner, node_key(node["id"]), socket, links[-1], len(inputs))
        item = {"name": name, "linkIds": links}
        inner.graph = {**inner.graph, "inputs": [*inputs, item]}
        for each in self._uses.get(inner, []):
            found = self._value_inside(inner, item)
            if found is not None:
                self._values[each][name] = found.value
        self._give(use, name, given)
        return name

    def _plug(self, inner: Contents, key: str, name: Any, link: str, slot: int) -> None:
        node = inner.nodes[key]
        items = [dict(item) for item in node.get("inputs") or []]
        place = next((index for index, item in enumerate(items) if item["name"] == name), len(items))
        if place == len(items):
            items.append({"name": name, "type": "", "widget": {"name": name}})
        inner.links.pop(items[place].get("link"), None)  # the old link no longer feeds it
        items[place]["link"] = link
        inner.replace(key, {**node, "inputs": items})
        inner.links[link] = Link(INPUT_SIDE, slot, key, place)


def widget_of(socket: Json) -> Any:
    """Return the name of the widget that belongs to an input, if there is one."""
    widget = socket.get("widget")
    return (widget.get("name") if isinstance(widget, Mapping) else None) or socket["name"]


def _in_order(subgraphs: Mapping[Any, Contents]) -> list[Contents]:
    """Return subgraphs in the order in which the editor loads them: each after those inside it.

    It cannot find that order where one contains another twice; then it uses file order, and a use that comes
    before its subgraph has the inner values.
    """
    waiting = dict.fromkeys(subgraphs, 0)
    around: dict[Any, dict[Any, None]] = {kind: {} for kind in subgraphs}
    for kind, contents in subgraphs.items():
        for node in contents.graph["nodes"]:
            if node["type"] in subgraphs:
                around[node["type"]][kind] = None
                waiting[kind] += 1
    order = [kind for kind, number in waiting.items() if not number]
    for kind in order:  # grows during iteration
        for outer in around[kind]:
            waiting[outer] -= 1
            if not waiting[outer]:
                order.append(outer)
    return [subgraphs[kind] for kind in (order if len(order) == len(subgraphs) else subgraphs)]


def _entries(node: Json) -> list[list[str]]:
    """Return the ``proxyWidgets`` of a node; none if one of them is damaged, as in the editor."""
    entries = _listed((node.get("properties") or {}).get("proxyWidgets"))
    return entries if all(_is_entry(entry) for entry in entries) else []


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) in {2, 3} and all(isinstance(part, str) for part in entry)


def _listed(found: object) -> list[Any]:
    """Return a node property that is a list, or the JSON text of one."""
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return []
    return found if isinstance(found, list) else []
