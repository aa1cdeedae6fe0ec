"""The graphs of an editor-format workflow, and how large they are with each subgraph written out where it is used."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.values import shown

PRIMITIVE = "PrimitiveNode"
_MOST_EXACT = 2**53
"""The largest number up to which the editor, in JavaScript, has all."""
_HINT = "Open the workflow in ComfyUI's editor and remove the subgraph from itself."

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """From an output to an input, by node id and slot."""

    origin: Any
    origin_slot: int
    target: Any
    target_slot: int


class Contents:
    """One graph as it is written: the workflow itself, or a subgraph. All its uses share it.

    Attributes:
        graph: Its nodes, links and, in a subgraph, inputs and outputs.
        nodes: By id.
        links: By number.
        primitives: (node id, widget) → the value that a primitive puts there.
    """

    __slots__ = ("graph", "links", "nodes", "primitives")

    def __init__(self, graph: Json) -> None:
        self.graph = graph
        self.nodes: dict[Any, Json] = {node["id"]: node for node in graph["nodes"]}
        self.links: dict[Any, Link] = dict(_links(graph.get("links") or []))
        self.primitives: dict[tuple[Any, str], Any] = dict(self._primitive_values())

    def _primitive_values(self) -> Iterator[tuple[tuple[Any, str], Any]]:
        for node in self.nodes.values():
            if node["type"] != PRIMITIVE:
                continue
            value = next(iter(node.get("widgets_values") or []), None)
            for number in (number for output in node.get("outputs") or [] for number in output.get("links") or []):
                link = self.links.get(number)
                target = self.nodes.get(link.target) if link is not None else None
                if link is None or target is None:
                    continue
                widget = target["inputs"][link.target_slot].get("widget")
                if widget:
                    yield (target["id"], widget["name"]), value


@dataclass(slots=True, eq=False)
class Scope:
    """One graph in its place: the workflow itself, or a subgraph where it is used.

    Attributes:
        prefix: What the ids of its nodes begin with, such as ``"267:"``.
        contents: What is written in it.
        host: The node that stands for the subgraph in `parent`.
        children: The subgraphs that were used in it so far, by the id of their host.
    """

    prefix: str
    contents: Contents
    host: Json = field(default_factory=dict)
    parent: "Scope | None" = None
    children: dict[Any, "Scope"] = field(default_factory=dict)

    def id_of(self, node: Json) -> str:
        return f"{self.prefix}{node['id']}"


def check_expansion(root: Contents, subgraphs: Mapping[Any, Contents]) -> None:
    """Refuse a workflow that would be too large with its subgraphs expanded, before expanding them.

    Raises:
        WorkflowError: There would be too many nodes, subgraphs are nested too deeply, one contains itself, or the
            file has too many links.
    """
    links = sum(len(each.links) for each in (root, *subgraphs.values()))
    limits.WORKFLOW_LINKS.check(links, "The workflow", error=WorkflowError)
    nodes, _ = _Expansion(subgraphs).size_of(root)
    limits.WORKFLOW_NODES.check(nodes, "The workflow with its subgraphs unpacked", error=WorkflowError)


class _Expansion:
    """Counts nodes; each subgraph is counted once, however often it is used."""

    def __init__(self, subgraphs: Mapping[Any, Contents]) -> None:
        self._subgraphs = subgraphs
        self._sizes: dict[Any, tuple[int, int]] = {}
        self._path: list[Any] = []

    def size_of(self, contents: Contents) -> tuple[int, int]:
        """Return the number of nodes in all, and the depth of nested subgraphs."""
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
            limits.SUBGRAPH_DEPTH.check(depth, "The workflow", error=WorkflowError)


def _links(links: list[Any]) -> Iterator[tuple[Any, Link]]:
    for link in links:
        if isinstance(link, Mapping):
            yield link["id"], Link(link["origin_id"], link["origin_slot"], link["target_id"], link["target_slot"])
        else:
            yield link[0], Link(*link[1:5])


def make_ids_unique(workflow: Json, subgraphs: list[dict[str, Any]]) -> None:
    """Renumber nodes of `subgraphs` whose ids are taken, as the editor does when it loads a file."""
    taken = {node["id"] for node in workflow["nodes"]}
    numbers = (number for number in taken if isinstance(number, int))
    last = max([_whole(workflow.get("last_node_id")), *numbers])
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


def _whole(number: object) -> int:
    """The last id that the file says it used; 0 where it says nonsense, such as ``1e999``: the ids themselves count."""
    try:
        last = int(number) if isinstance(number, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
    return last if abs(last) <= _MOST_EXACT else 0


def _renumber(link: Any, renamed: Mapping[Any, int]) -> Any:
    if isinstance(link, Mapping):
        ends = {key: renamed.get(link[key], link[key]) for key in ("origin_id", "target_id")}
        return {**link, **ends}
    return [link[0], renamed.get(link[1], link[1]), link[2], renamed.get(link[3], link[3]), *link[4:]]
