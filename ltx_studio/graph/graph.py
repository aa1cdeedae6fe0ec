"""One API-format graph: nodes by id, addressed by their titles, which survive a re-export from the editor.

A node is ``{"class_type": str, "inputs": {name: value}, "_meta": {"title": str}}``. An input's value is a
leaf, or a link ``[node id, output slot]``. Nested options have dotted names (``"codec.encoding.crf"``).
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.values import Scale, quoted, shown

ApiGraph = dict[str, dict[str, Any]]
Socket = tuple[str, int]
"""An output: the title of its node, and the slot."""


def is_link(value: object) -> bool:
    """Return whether an input's value is a link to another node's output rather than a literal."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def upstream(graph: Mapping[str, Mapping[str, Any]], node_ids: Iterable[str]) -> set[str]:
    """Return `node_ids` and every node that they depend on."""
    found: set[str] = set()
    frontier = list(node_ids)
    while frontier:
        node_id = frontier.pop()
        if node_id not in found:
            found.add(node_id)
            frontier += [value[0] for value in graph[node_id]["inputs"].values() if is_link(value)]
    return found


def check_graph(nodes: object) -> None:
    """Refuse anything that is not an API-format graph, or is too large, before ComfyUI fails on it.

    Raises:
        WorkflowError: The shape is wrong, a link leads nowhere, a limit is exceeded (see `limits`), or a value is
            not valid in a graph (see `Scale.weigh`).
    """
    if not isinstance(nodes, Mapping):
        raise _no_graph("It is not a JSON object of nodes")
    limits.WORKFLOW_NODES.check(len(nodes), "The workflow", error=WorkflowError)
    scale, links = Scale(), 0
    for node_id, node in nodes.items():
        title = _checked_title(node_id, node, scale)
        for name, value in node["inputs"].items():
            scale.weigh_name(name, title)
            scale.weigh(value, name, title)
            if not is_link(value):
                continue
            links += 1
            if value[0] not in nodes:
                raise WorkflowError(
                    f"Input {quoted(name)} of node {quoted(title)} comes from node {quoted(value[0])}, "
                    "which does not exist.",
                    "Reconnect it in ComfyUI's editor, then export the workflow again.",
                    where=shown(title),
                )
    limits.WORKFLOW_LINKS.check(links, "The workflow", error=WorkflowError)


def _checked_title(node_id: object, node: object, scale: Scale) -> str:
    """Return the node's title after checking its structure."""
    if not isinstance(node_id, str) or not isinstance(node, Mapping):
        raise _no_graph(f"Node {quoted(node_id)} is not a JSON object", node_id)
    if not isinstance(node.get("class_type"), str) or not isinstance(node.get("inputs"), Mapping):
        raise _no_graph(f"Node {quoted(node_id)} has no class_type or no inputs", node_id)
    meta = node.get("_meta", {})
    if not isinstance(meta, Mapping) or not isinstance(meta.get("title", ""), str):
        raise _no_graph(f"The title of node {quoted(node_id)} is not text", node_id)
    title = str(meta.get("title") or node["class_type"])
    scale.weigh_name(node_id, title)
    scale.weigh_name(node["class_type"], title)
    scale.weigh(title, "title", title)
    return title


def _no_graph(what: str, where: object = "") -> WorkflowError:
    return WorkflowError(
        f"{what}, so this is not an API-format graph.",
        "Export the workflow again in ComfyUI's editor: File, Export (API).",
        where=shown(where),
    )


@dataclass(frozen=True, slots=True)
class Fragment:
    """A group of nodes with named outputs, such as the loaders of one model set.

    Attributes:
        nodes: Nodes by title, in API format; their links name titles.
        outputs: The fragment's outputs: name → (title, output slot).
    """

    nodes: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Socket]


class Node:
    """A node of a `Graph`; its inputs are attributes: ``graph["Prompt"].text = "a red ball"``."""

    __slots__ = ("_inputs", "id", "title")

    id: str
    title: str
    _inputs: dict[str, Any]

    def __init__(self, node_id: str, title: str, inputs: dict[str, Any]) -> None:
        object.__setattr__(self, "id", node_id)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "_inputs", inputs)

    def __getitem__(self, name: str) -> Any:
        self._require(name)
        return self._inputs[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._require(name)
        if is_link(self._inputs[name]):
            raise WorkflowError(
                f"Input {name!r} of node {self.title!r} is connected to another node, so it cannot be set.",
                "Set the value on the connected node.",
                where=self.title,
            )
        self._inputs[name] = value

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def _require(self, name: str) -> None:
        if name not in self._inputs:
            raise WorkflowError(
                f"Node {self.title!r} has no input {name!r}.",
                f"Its inputs are: {', '.join(sorted(self._inputs)) or 'none'}.",
                where=self.title,
            )


class Graph:
    """An API-format graph with unique titles. Every instance owns its data."""

    def __init__(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        """Copy `nodes` (id → node).

        Raises:
            WorkflowError: It is not an API-format graph, or two nodes have the same title.
        """
        check_graph(nodes)
        self._nodes: ApiGraph = copy.deepcopy({key: dict(node) for key, node in nodes.items()})
        self._ids: dict[str, str] = {}
        for node_id, node in self._nodes.items():
            title = node.get("_meta", {}).get("title") or node["class_type"]
            if title in self._ids:
                raise WorkflowError(
                    f"Two nodes are titled {title!r}.", "Give each node of the template its own title.", where=title
                )
            self._ids[title] = node_id

    def __getitem__(self, title: str) -> Node:
        try:
            node_id = self._ids[title]
        except KeyError:
            raise WorkflowError(
                f"The graph has no node titled {title!r}.", f"Its nodes are: {', '.join(sorted(self._ids))}."
            ) from None
        return Node(node_id, title, self._nodes[node_id]["inputs"])

    def __contains__(self, title: object) -> bool:
        return title in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._nodes)

    def class_type(self, title: str) -> str:
        return str(self._nodes[self[title].id]["class_type"])

    def set_input(self, title: str, name: str, value: Any) -> None:
        """Set an input to a literal value.

        Raises:
            WorkflowError: There is no such node or input, or the input is linked.
        """
        self[title][name] = value

    def bypass(self, title: str, definitions: Definitions) -> None:
        """Remove a node; users of its outputs are connected to its first input of the same kind.

        Raises:
            WorkflowError: It has no such input, so its users would be left without one.
        """
        node_id, class_type = self[title].id, self.class_type(title)
        declared = {item.name: item.kind for item in definitions.inputs(class_type)}
        fed = {declared[name]: link for name, link in reversed(self._nodes[node_id]["inputs"].items()) if is_link(link)}
        for user, name, link in self._users_of(node_id):
            kind = definitions.outputs(class_type)[link[1]]
            if kind not in fed:
                raise WorkflowError(
                    f"Node {title!r} cannot be bypassed: it has no {kind} input to pass on to {user!r}.",
                    f"Keep it, or connect {name!r} of {user!r} to another node first.",
                    where=title,
                )
            self._nodes[self._ids[user]]["inputs"][name] = list(fed[kind])
        del self._nodes[self._ids.pop(title)]

    def insert(self, title: str, node: Mapping[str, Any], *, on: tuple[str, str], through: str) -> None:
        """Insert a node between ``on`` (title, input) and its source.

        The new node's input `through` takes over the link, and its first output feeds ``on``. Other users of the
        same output keep it.

        Raises:
            WorkflowError: ``on`` is not linked, or the title is taken.
        """
        link = self._link(*on)
        self.add({title: node})
        self._nodes[self._ids[title]]["inputs"][through] = link
        self.connect(*on, (title, 0))

    def insert_after(self, source: Socket, title: str, node: Mapping[str, Any], *, through: str) -> None:
        """Insert a node after an output: whatever used `source` uses the new node's first output.

        Raises:
            WorkflowError: There is no such node, or the title is taken.
        """
        origin, slot = self[source[0]].id, source[1]
        users = [(user, name) for user, name, link in self._users_of(origin) if link[1] == slot]
        self.add({title: node})
        self._nodes[self._ids[title]]["inputs"][through] = [origin, slot]
        for user, name in users:
            self.connect(user, name, (title, 0))

    def add(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        """Add nodes by title; their links name titles of each other or of existing nodes.

        Raises:
            WorkflowError: A title is taken, or a link names a title that does not exist.
        """
        self._add(nodes)

    def connect(self, title: str, name: str, source: Socket) -> None:
        """Feed an input from `source`, replacing its value or link; an optional input may be new.

        Raises:
            WorkflowError: There is no such node.
        """
        self._nodes[self[title].id]["inputs"][name] = [self[source[0]].id, source[1]]

    def disconnect(self, title: str, name: str) -> None:
        """Remove an optional input.

        Raises:
            WorkflowError: There is no such node or input.
        """
        node = self[title]
        _ = node[name]
        del self._nodes[node.id]["inputs"][name]

    def source(self, title: str, name: str) -> Socket:
        """Return the output that feeds an input.

        Raises:
            WorkflowError: The input is not linked.
        """
        node_id, slot = self._link(title, name)
        node = self._nodes[node_id]
        return node.get("_meta", {}).get("title") or node["class_type"], slot

    def replace(self, title: str, node: Mapping[str, Any]) -> None:
        """Replace a node by another and keep its users.

        Inputs of `node` whose value is None take over the link of the old node's input of that name.

        Raises:
            WorkflowError: There is no such node, or the old one has no such link.
        """
        node_id = self[title].id
        inputs = {
            name: list(self._link(title, name)) if value is None else self._with_ids(value)
            for name, value in node["inputs"].items()
        }
        self._nodes[node_id] = {"class_type": node["class_type"], "inputs": inputs, "_meta": {"title": title}}

    def prune(self, *outputs: str) -> None:
        """Drop every node that the nodes titled `outputs` do not depend on."""
        kept = upstream(self._nodes, [self[title].id for title in outputs])
        for title in [title for title, node_id in self._ids.items() if node_id not in kept]:
            del self._nodes[self._ids.pop(title)]

    def _link(self, title: str, name: str) -> list[Any]:
        link = self[title][name]
        if not is_link(link):
            raise WorkflowError(
                f"Input {name!r} of node {title!r} is not connected.", "Use another input.", where=title
            )
        return list(link)

    def _with_ids(self, value: Any, new: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Return a literal unchanged, and a link with the title it names replaced by an id."""
        if not is_link(value):
            return copy.deepcopy(value)
        return [new.get(value[0]) or self[value[0]].id, value[1]]

    def _users_of(self, node_id: str) -> list[tuple[str, str, list[Any]]]:
        """Return (title, input, link) of every input that the node feeds."""
        return [
            (title, name, value)
            for title, user in self._ids.items()
            for name, value in self._nodes[user]["inputs"].items()
            if is_link(value) and value[0] == node_id
        ]

    def attach(self, fragment: Fragment, *, instead_of: Fragment) -> None:
        """Replace `instead_of` by `fragment`: users of its outputs use the new ones of the same name.

        A graph may lack parts of `instead_of`: a mode without a second stage has no upscaler.

        Raises:
            WorkflowError: The graph uses an output that `fragment` lacks.
        """
        present = [title for title in instead_of.nodes if title in self]
        old_nodes = {self[title].id for title in present}
        names = {(self[title].id, slot): name for name, (title, slot) in instead_of.outputs.items() if title in present}
        users = [
            (node["inputs"], key, names.get((value[0], value[1])))
            for node_id, node in self._nodes.items()
            if node_id not in old_nodes
            for key, value in node["inputs"].items()
            if is_link(value) and value[0] in old_nodes
        ]
        missing = {name or "an unnamed output" for _, _, name in users if name not in fragment.outputs}
        if missing:
            raise WorkflowError(
                f"The loaders do not provide {', '.join(sorted(missing))}, which the graph needs.",
                "Choose another model set.",
            )
        for title in present:
            del self._nodes[self._ids.pop(title)]
        ids = self._add(fragment.nodes)
        for inputs, key, name in users:
            title, slot = fragment.outputs[str(name)]
            inputs[key] = [ids[title], slot]

    def _add(self, nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        taken = {int(node_id) for node_id in self._nodes if node_id.isdigit()}
        free = (number for number in range(1, len(taken) + len(nodes) + 1) if number not in taken)
        ids = {title: str(next(free)) for title in nodes}
        for title, node in nodes.items():
            if title in self._ids:
                raise WorkflowError(f"Two nodes are titled {title!r}.", "Rename one of them.", where=title)
            inputs = {key: self._with_ids(value, ids) for key, value in node["inputs"].items()}
            self._nodes[ids[title]] = {
                "class_type": node["class_type"],
                "inputs": inputs,
                "_meta": {"title": title},
            }
        self._ids |= ids
        return ids

    def to_api(self) -> ApiGraph:
        """Return an independent copy in ComfyUI's format."""
        return copy.deepcopy(self._nodes)


def read_graph(path: Path | Traversable) -> Graph:
    """Read a graph in API format from a file.

    Raises:
        WorkflowError: The file is missing, or is not a graph in API format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkflowError(f"The workflow file {path} cannot be read: {error.strerror}.", "Check the path.") from error
    except ValueError as error:
        raise WorkflowError(
            f"The workflow file {path} is not JSON: {error}.", "Export the workflow again from ComfyUI."
        ) from error
    return Graph(data)
