"""Group nodes: the predecessor of subgraphs in older editors. The editor converts them into subgraphs."""

from collections.abc import Iterator, Mapping
from typing import Any

from ltx_studio import limits
from ltx_studio.editor_format.editor_nodes import PRIMITIVE
from ltx_studio.editor_format.ids import Json, highest, node_key
from ltx_studio.editor_format.links import with_plain_links
from ltx_studio.editor_format.widgets import buttons, steering
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions, Input

_PREFIXES = ("workflow>", "workflow/")
_REROUTE = "Reroute"
_SIDES = (-10, -20)
"""Ids of the nodes that represent a subgraph's inputs and outputs inside it."""


def unpack_groups(workflow: Json, subgraphs: list[dict[str, Any]], definitions: Definitions) -> Json:
    """Return a workflow whose group nodes refer to subgraphs, which are added to `subgraphs`.

    New nodes get the same ids as in the editor: it counts up from the highest.
    """
    groups = (workflow.get("extra") or {}).get("groupNodes") or {}
    packed = [node for node in workflow["nodes"] if _name(node) in groups]
    if not packed:
        return workflow
    _check_size([groups[_name(node)] for node in packed], len(workflow["nodes"]))
    nodes = {id(node): node for node in workflow["nodes"]}
    last = highest(workflow, subgraphs)
    moved: dict[str, int] = {}
    for node in packed:
        group = _Group(with_plain_links(groups[_name(node)]), definitions, last)
        host, subgraph = group.unpack(node)
        last = host["id"]
        subgraphs.append(subgraph)
        nodes[id(node)] = host
        moved[node_key(node["id"])] = host["id"]
    links = [_moved(link, moved) for link in workflow.get("links") or []]
    return {**workflow, "nodes": list(nodes.values()), "links": links}


def _name(node: Json) -> Any:
    kind = str(node["type"])
    return next((kind.removeprefix(prefix) for prefix in _PREFIXES if kind.startswith(prefix)), None)


def _moved(link: Any, moved: Mapping[str, int]) -> Any:
    """Return a link of the workflow with the nodes' new ids; `moved` maps old ids to new ones."""
    if isinstance(link, Mapping):
        return {**link, **{end: moved.get(node_key(link[end]), link[end]) for end in ("origin_id", "target_id")}}
    origin, target = (moved.get(node_key(link[place]), link[place]) for place in (1, 3))
    return [link[0], origin, link[2], target, *link[4:]]


def _check_size(groups: list[Json], nodes: int) -> None:
    nodes += sum(len(group["nodes"]) for group in groups)
    limits.WORKFLOW_NODES.check(nodes, "The workflow with its group nodes unpacked", error=WorkflowError)
    links = sum(len(group.get("links") or []) for group in groups)
    limits.WORKFLOW_LINKS.check(links, "The workflow with its group nodes unpacked", error=WorkflowError)


class _Group:
    """One use of a group node."""

    def __init__(self, group: Json, definitions: Definitions, last: int) -> None:
        self._definitions = definitions
        self._nodes: list[dict[str, Any]] = [
            {**node, "id": last + 1 + index, "inputs": [dict(item) for item in node.get("inputs") or []]}
            for index, node in enumerate(group["nodes"])
        ]
        self._by_id = {node["id"]: node for node in self._nodes}
        self._written = [link for link in group.get("links") or [] if None not in link[:4]]
        self._feeding, self._fed = {link[0] for link in self._written}, {link[2] for link in self._written}
        self._ordered: dict[int, list[dict[str, Any]]] = {}
        self._shown_outside = {(ext[0], ext[1]) for ext in group.get("external") or [] if ext[2] is not None}
        self._settings: Mapping[str, Any] = group.get("config") or {}
        self._links: list[dict[str, Any]] = []

    def unpack(self, node: Json) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the node that represents the subgraph, and the subgraph."""
        for index, inner in enumerate(self._nodes):
            for item in inner["inputs"]:
                item["link"] = None
            inner["outputs"] = [{**item, "links": []} for item in self._outputs(index)]
        for origin, origin_slot, target, target_slot, *_ in self._written:
            item = self._socket(target, target_slot)
            if item is not None:
                self._link(self._nodes[origin]["id"], origin_slot, self._nodes[target], item)
        self._fill_in(node.get("widgets_values"))
        inputs, outside = self._inputs(node)
        outputs = list(self._outputs_outside())
        identity = f"group {node_key(node['id'])}"
        host = {**node, "id": self._nodes[-1]["id"] + 1, "type": identity, "mode": 0, "inputs": outside}
        host["widgets_values"] = []
        return host, {
            "id": identity,
            "name": _name(node),
            "nodes": self._nodes,
            "links": self._links,
            "inputs": inputs,
            "outputs": outputs,
        }

    def _link(self, origin: int, slot: int, target: dict[str, Any], item: dict[str, Any]) -> int:
        number = len(self._links) + 1
        item["link"] = number
        ends = {"origin_id": origin, "origin_slot": slot, "target_id": target["id"]}
        place = next(place for place, each in enumerate(target["inputs"]) if each is item)
        self._links.append({"id": number, **ends, "target_slot": place})
        if origin in self._by_id:
            self._by_id[origin]["outputs"][slot]["links"].append(number)
        return number

    def _declared(self, index: int) -> list[Input]:
        """Return the declared inputs of a node's class; none if this ComfyUI does not know it."""
        kind = self._nodes[index]["type"]
        return list(self._definitions.inputs(kind)) if kind in self._definitions else []

    def _converted(self, index: int) -> list[dict[str, Any]]:
        """Return the inputs that were converted from widgets."""
        return [item for item in self._nodes[index]["inputs"] if item.get("widget")]

    def _sockets(self, index: int) -> list[dict[str, Any]]:
        """Return the inputs that are not widgets, in the order of the class."""
        if index not in self._ordered:
            self._ordered[index] = self._in_order(index)
        return self._ordered[index]

    def _in_order(self, index: int) -> list[dict[str, Any]]:
        node = self._nodes[index]
        if node["type"] == _REROUTE:
            return list(node["inputs"][:1])
        given = {each["name"] for each in node["inputs"]}
        for item in self._declared(index):
            if not item.is_widget and item.name not in given:
                node["inputs"].append({"name": item.name, "type": item.kind, "link": None})
        order = {item.name: place for place, item in enumerate(self._declared(index))}
        plain = [item for item in node["inputs"] if not item.get("widget")]
        return sorted(plain, key=lambda item: order.get(item["name"], len(order)))

    def _socket(self, index: int, slot: int) -> dict[str, Any] | None:
        items = self._sockets(index)
        if slot < len(items):
            return items[slot]
        converted = self._converted(index)
        return converted[slot - len(items)] if slot - len(items) < len(converted) else None

    def _outputs(self, index: int) -> list[Json]:
        node = self._nodes[index]
        given = node.get("outputs") or []
        if node["type"] not in self._definitions:
            return given
        return [
            {"name": kind, "type": given[slot].get("type", kind) if slot < len(given) else kind}
            for slot, kind in enumerate(self._definitions.outputs(node["type"]))
        ]

    def _is_inside_only(self, index: int) -> bool:
        """Return whether a reroute only joins nodes inside the group."""
        return index in self._feeding and index in self._fed and (index, 0) not in self._shown_outside

    def _inputs(self, node: Json) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the inputs of the subgraph, and of the node that represents it: sockets, then converted widgets."""
        free: list[tuple[dict[str, Any], dict[str, Any]]] = []
        for index, inner in enumerate(self._nodes):
            if inner["type"] != _REROUTE or not self._is_inside_only(index):
                hidden = {name for name, each in self._setting(index, "input").items() if each.get("visible") is False}
                items = self._sockets(index)
                free += [(inner, item) for item in items if item["link"] is None and item["name"] not in hidden]
        for index, inner in enumerate(self._nodes):
            free += [(inner, item) for item in self._converted(index) if item["link"] is None]
        given = node.get("inputs") or []
        inputs: list[dict[str, Any]] = []
        outside: list[dict[str, Any]] = []
        for slot, (inner, item) in enumerate(free):
            link = given[slot].get("link") if slot < len(given) else None
            if link is not None:
                number = self._link(_SIDES[0], len(inputs), inner, item)
                inputs.append({"name": f"{slot}", "type": item["type"], "linkIds": [number]})
                outside.append({**given[slot], "name": f"{slot}"})
        return inputs, outside

    def _outputs_outside(self) -> Iterator[dict[str, Any]]:
        linked = {(link[0], link[1]) for link in self._written} - self._shown_outside
        for index, inner in enumerate(self._nodes):
            if inner["type"] == PRIMITIVE or (inner["type"] == _REROUTE and self._is_inside_only(index)):
                continue
            for slot, item in enumerate(inner["outputs"]):
                shown = self._setting(index, "output").get(str(slot), {}).get("visible")
                if shown if shown is not None else (index, slot) not in linked:
                    number = len(self._links) + 1
                    ends = {"origin_id": inner["id"], "origin_slot": slot, "target_id": _SIDES[1], "target_slot": 0}
                    self._links.append({"id": number, **ends})
                    yield {"name": item.get("name"), "type": item["type"], "linkIds": [number]}

    def _setting(self, index: int, side: str) -> Mapping[str, Any]:
        return (self._settings.get(str(index)) or {}).get(side) or {}

    def _fill_in(self, stored: Any) -> None:
        """Write the values of the group node's widgets into the inner nodes."""
        values = iter(stored if isinstance(stored, list) else [])
        for index, node in enumerate(self._nodes):
            if node["type"] == PRIMITIVE:
                node["widgets_values"] = [next(values, each) for each in (node.get("widgets_values") or [])[:2]]
                continue
            converted = {item["name"] for item in self._converted(index)}
            own = iter(node.get("widgets_values") or [])
            filled: list[Any] = []
            declared = self._declared(index)
            for item in declared:
                if item.is_widget:
                    value = next(own, item.default)
                    filled.append(value if item.name in converted else next(values, value))
                    for extra in steering(item, item.name):
                        filled.append(next(own, extra))
                        if item.name not in converted:
                            next(values, None)
            for button in buttons(declared):
                filled.append(next(own, button))
                next(values, None)
            if filled:
                node["widgets_values"] = filled
