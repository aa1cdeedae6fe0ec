"""Nodes of a workflow as the editor loads them: widgets with values, and inputs in its own order."""

from typing import Any

from ltx_studio.editor_format.ids import Json
from ltx_studio.editor_format.scopes import Contents
from ltx_studio.editor_format.widgets import declared_widgets, widget_values
from ltx_studio.graph.definitions import ANY, AUTOGROW, MATCH, Definitions, Input


class Nodes:
    """A reader of stored nodes. Results are cached with the node itself, so that its `id` is not reused."""

    def __init__(self, definitions: Definitions, subgraphs: dict[Any, Contents]) -> None:
        self._definitions, self._subgraphs = definitions, subgraphs
        self._widgets: dict[int, tuple[Json, dict[str, Any]]] = {}
        self._declared: dict[int, tuple[Json, dict[str, Input]]] = {}
        self._slots: dict[int, tuple[Json, dict[Any, int]]] = {}
        self._sockets: dict[int, tuple[Json, list[tuple[Any, int | None]]]] = {}

    def widgets_of(self, node: Json) -> dict[str, Any]:
        """Return the values of a node's widgets, by name; empty for a class that is not installed."""
        if id(node) not in self._widgets:
            known = node["type"] in self._definitions
            self._widgets[id(node)] = node, widget_values(node, self._definitions) if known else {}
        return self._widgets[id(node)][1]

    def declared_of(self, node: Json) -> dict[str, tuple[Input, Any]]:
        """Return declaration and value of a node's widgets, by name."""
        if node["type"] not in self._definitions:
            return {}
        if id(node) not in self._declared:
            self._declared[id(node)] = node, declared_widgets(node, self._definitions)
        values = self.widgets_of(node)
        return {name: (item, values.get(name)) for name, item in self._declared[id(node)][1].items()}

    def slot_named(self, node: Json, name: Any) -> int | None:
        """Return the position of the input `name` of a node or a subgraph in the file; None if there is none."""
        if id(node) not in self._slots:
            slots: dict[Any, int] = {}
            for slot, item in enumerate(node.get("inputs") or []):
                slots.setdefault(item["name"], slot)
            self._slots[id(node)] = node, slots
        return self._slots[id(node)][1].get(name)

    def sockets_of(self, node: Json) -> list[tuple[Any, int | None]]:
        """Return the inputs of a node as the editor has them: kind, and position in the file, which may lack some."""
        if id(node) not in self._sockets:
            given = node.get("inputs") or []
            kinds = {item["name"]: item["type"] for item in reversed(given)}
            for name, kind in self._defined(node):
                kinds[name] = kinds.get(name, kind) if kind in (ANY, MATCH) else kind
            order = dict.fromkeys([*(name for name, _ in self._defined(node)), *(item["name"] for item in given)])
            self._sockets[id(node)] = node, [(kinds[name], self.slot_named(node, name)) for name in order]
        return self._sockets[id(node)][1]

    def _defined(self, node: Json) -> list[tuple[Any, Any]]:
        """Return the inputs of a node's class, name and kind: sockets, then widgets."""
        if node["type"] in self._subgraphs:
            inputs = self._subgraphs[node["type"]].graph.get("inputs") or []
            return [(item["name"], item.get("type", ANY)) for item in inputs]
        if node["type"] not in self._definitions:
            return []
        plain: list[tuple[Any, Any]] = []
        for item in self._definitions.inputs(node["type"]):
            if item.kind == AUTOGROW:
                given = (each["name"] for each in node.get("inputs") or [])
                plain += [(name, MATCH) for name in given if str(name).startswith(f"{item.name}.")]
            elif not item.is_widget:
                plain.append((item.name, item.kind))
        widgets = self.declared_of(node).items()
        return [*plain, *((name, item.kind) for name, (item, _) in widgets)]
