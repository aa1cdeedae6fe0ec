"""The graphs of an editor-format workflow, and their size with all subgraphs expanded."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio import limits
from ltx_studio.editor_format.ids import Json, node_key
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.values import shown

MUTED, BYPASSED = 2, 4
SUBGRAPH_INPUT = -10
"""Id of the node that represents a subgraph's inputs inside it."""

INPUT_SIDE = str(SUBGRAPH_INPUT)
_HINT = "Open the workflow in ComfyUI's editor and remove the subgraph from itself."


@dataclass(frozen=True, slots=True)
class Link:
    """A link from an output to an input, by node id (as text) and slot."""

    origin: str
    origin_slot: int
    target: str
    target_slot: int


class Contents:
    """One graph as stored: the workflow itself, or a subgraph. All its uses share it.

    Attributes:
        graph: Its nodes, links and, in a subgraph, inputs and outputs.
        nodes: By id, as text.
        links: By number.
    """

    __slots__ = ("_fed", "graph", "links", "nodes")

    def __init__(self, graph: Json) -> None:
        self.graph = graph
        self.nodes: dict[str, Json] = {node_key(node["id"]): node for node in graph["nodes"]}
        self.links: dict[Any, Link] = dict(_links(graph.get("links") or []))
        self._fed: dict[tuple[str, Any], Json] | None = None

    def target_of(self, number: Any) -> tuple[Json, Json] | None:
        """Return the node that the link `number` leads to, and the input it feeds; None if there is none."""
        link = self.links.get(number)
        node = self.nodes.get(link.target) if link is not None else None
        if link is None or node is None:
            return None
        inputs = node.get("inputs") or []
        if link.target_slot < len(inputs) and inputs[link.target_slot].get("link") == number:
            return node, inputs[link.target_slot]
        item = self._inputs_by_link().get((link.target, number))
        return None if item is None else (node, item)

    def target_by_place(self, number: Any) -> tuple[Json, Json] | None:
        """Return the same as `target_of` for a link that only its target lists: the input at its slot."""
        link = self.links.get(number)
        node = self.nodes.get(link.target) if link is not None else None
        if link is None or node is None:
            return None
        inputs = node.get("inputs") or []
        return (node, inputs[link.target_slot]) if link.target_slot < len(inputs) else None

    def replace(self, key: str, node: Json) -> None:
        """Replace a node by a changed copy."""
        self.nodes[key] = node
        self._fed = None

    def _inputs_by_link(self) -> dict[tuple[str, Any], Json]:
        if self._fed is None:
            self._fed = {}
            for key, node in self.nodes.items():
                for item in node.get("inputs") or []:
                    if item.get("link") is not None:
                        self._fed.setdefault((key, item["link"]), item)
        return self._fed


@dataclass(slots=True, eq=False)
class Scope:
    """One graph in its context: the workflow itself, or one use of a subgraph.

    Attributes:
        prefix: Prefix of its node ids, such as ``"267:"``.
        contents: Its stored contents.
        host: The node that represents the subgraph in `parent`.
        children: The subgraphs used in it so far, by the id of their host.
    """

    prefix: str
    contents: Contents
    host: Json = field(default_factory=dict)
    parent: "Scope | None" = None
    children: dict[Any, "Scope"] = field(default_factory=dict)

    def id_of(self, node: Json) -> str:
        return f"{self.prefix}{node_key(node['id'])}"


def check_expansion(root: Contents, subgraphs: Mapping[Any, Contents]) -> None:
    """Refuse a workflow that would be too large with its subgraphs expanded, before expanding them.

    Raises:
        WorkflowError: There would be too many nodes, subgraphs are nested too deeply, one contains itself, or the
            file has too many links.
    """
    links = sum(len(each.links) for each in (root, *subgraphs.values()))
    limits.WORKFLOW_LINKS.check(links, "The workflow", error=WorkflowError)
    nodes, _ = _Expansion(subgraphs).size_of(root)
    limits.WORKFLOW_NODES.check(nodes, "The workflow with its subgraphs unpacked", error=WorkflowError, is_partial=True)


class _Expansion:
    """A node counter; each subgraph is counted once, however often it is used."""

    def __init__(self, subgraphs: Mapping[Any, Contents]) -> None:
        self._subgraphs = subgraphs
        self._sizes: dict[Any, tuple[int, int]] = {}
        self._path: list[Any] = []

    def size_of(self, contents: Contents) -> tuple[int, int]:
        """Return the total number of nodes, and the nesting depth of subgraphs."""
        used = Counter(node["type"] for node in contents.nodes.values() if node["type"] in self._subgraphs)
        inner = {kind: self._size_of_subgraph(kind) for kind in used}
        depth = max((depth for _, depth in inner.values()), default=0)
        self._check_depth(len(self._path) + depth)
        nodes = len(contents.nodes) + sum(number * inner[kind][0] for kind, number in used.items())
        return min(nodes, limits.WORKFLOW_NODES.most + 1), depth

    def _size_of_subgraph(self, kind: Any) -> tuple[int, int]:
        if kind in self._path:
            name = shown(str(self._subgraphs[kind].graph.get("name") or kind))
            raise WorkflowError(f"The subgraph {name!r} contains itself.", _HINT, where=name)
        if kind not in self._sizes:
            self._path.append(kind)
            self._check_depth(len(self._path))
            nodes, depth = self.size_of(self._subgraphs[kind])
            self._sizes[kind] = nodes, depth + 1
            self._path.pop()
        return self._sizes[kind]

    def _check_depth(self, depth: int) -> None:
        if depth > limits.SUBGRAPH_DEPTH.most:
            limits.SUBGRAPH_DEPTH.check(depth, "The workflow", error=WorkflowError, is_partial=True)


def _links(links: list[Any]) -> Iterator[tuple[Any, Link]]:
    for link in links:
        if isinstance(link, Mapping):
            origin, target = node_key(link["origin_id"]), node_key(link["target_id"])
            yield link["id"], Link(origin, link["origin_slot"], target, link["target_slot"])
        else:
            number, origin, origin_slot, target, target_slot = link[:5]
            yield number, Link(node_key(origin), origin_slot, node_key(target), target_slot)
