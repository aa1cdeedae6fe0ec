"""Node ids of an editor-format workflow, and the editor's rule for ids that occur in two subgraphs."""

from collections.abc import Iterable, Mapping
from typing import Any

_MOST_EXACT = 2**53
"""The largest number up to which JavaScript, and so the editor, represents every integer."""

Json = Mapping[str, Any]


def node_key(node_id: object) -> str:
    """Return an id as the editor compares it: as text, for ``5`` and ``"5"`` alike."""
    return node_id if isinstance(node_id, str) else str(plain_number(node_id))


def plain_number(value: Any) -> Any:
    """Return a whole number without ``.0``, as JavaScript has it; return anything else unchanged."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= _MOST_EXACT
    return int(value) if is_whole else value


def make_ids_unique(workflow: Json, subgraphs: list[dict[str, Any]]) -> Json:
    """Renumber nodes of `subgraphs` whose ids are taken, as the editor does when it loads a file.

    It counts up from the workflow's last id. Each id found in a subgraph raises the counter, and ids in use
    are skipped. Links and promoted widgets follow their nodes.

    Args:
        workflow: The whole file; not modified.
        subgraphs: Its definitions, one dictionary each; changed parts are replaced in place.

    Returns:
        The workflow, with its nodes' promoted widgets renamed.
    """
    taken = {node_key(node["id"]) for node in workflow["nodes"] if _is_number(node["id"])}
    counter = _Counter(_whole(workflow.get("last_node_id")), taken)
    renamed: dict[Any, dict[str, int]] = {}
    for subgraph in subgraphs:
        changes = counter.renumber(node_key(node["id"]) for node in subgraph["nodes"])
        if any(new is not None for new in changes):
            nodes = [node if new is None else {**node, "id": new} for node, new in _pairs(subgraph, changes)]
            by_old = {node_key(node["id"]): new for node, new in _pairs(subgraph, changes) if new is not None}
            subgraph["nodes"] = nodes
            subgraph["links"] = [_renumber(link, by_old) for link in subgraph.get("links") or []]
            renamed[subgraph["id"]] = by_old
    if not renamed:
        return workflow
    for subgraph in subgraphs:
        subgraph["nodes"] = [_rename_promoted(node, renamed) for node in subgraph["nodes"]]
    return {**workflow, "nodes": [_rename_promoted(node, renamed) for node in workflow["nodes"]]}


def highest(workflow: Json, subgraphs: Iterable[Json]) -> int:
    """Return the highest id that a workflow has used."""
    graphs = [workflow, *subgraphs]
    numbers = [_whole(node["id"]) for graph in graphs for node in graph["nodes"] if _is_number(node["id"])]
    return max([0, _whole(workflow.get("last_node_id")), *numbers])


class _Counter:
    """A generator of new ids."""

    def __init__(self, last: int, taken: set[str]) -> None:
        self._last, self._taken = last, taken

    def renumber(self, keys: Iterable[str]) -> list[int | None]:
        """Return the new id of each node of a subgraph; None for those that keep theirs."""
        changes: list[int | None] = []
        for key in keys:
            if key in self._taken:
                changes.append(self._next())
            else:
                self._note(key)
                changes.append(None)
        return changes

    def _note(self, key: str) -> None:
        self._taken.add(key)
        number = _whole(key)
        if str(number) == key:
            self._last = max(self._last, number)

    def _next(self) -> int:
        self._last += 1
        while str(self._last) in self._taken:
            self._last += 1
        self._taken.add(str(self._last))
        return self._last


def _pairs(subgraph: Json, changes: list[int | None]) -> Iterable[tuple[Json, int | None]]:
    return zip(subgraph["nodes"], changes, strict=True)


def _is_number(node_id: object) -> bool:
    return isinstance(node_id, int | float) and not isinstance(node_id, bool)


def _whole(number: object) -> int:
    """Return the id that a file claims to have used; 0 for nonsense such as ``1e999``."""
    try:
        last = int(number) if isinstance(number, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
    return last if abs(last) <= _MOST_EXACT else 0


def _renumber(link: Any, renamed: Mapping[str, int]) -> Any:
    def new(node_id: Any) -> Any:
        return renamed.get(node_key(node_id), node_id)

    if isinstance(link, Mapping):
        return {**link, "origin_id": new(link["origin_id"]), "target_id": new(link["target_id"])}
    return [link[0], new(link[1]), link[2], new(link[3]), *link[4:]]


def _rename_promoted(node: Json, renamed: Mapping[Any, Mapping[str, int]]) -> Json:
    """Return a subgraph node with the new ids of the inner nodes whose widgets it promotes."""
    properties = node.get("properties")
    if node.get("type") not in renamed or not isinstance(properties, Mapping):
        return node
    promoted = properties.get("proxyWidgets")
    if not isinstance(promoted, list):
        return node
    changes = renamed[node["type"]]
    entries = [
        [str(changes.get(node_key(entry[0]), entry[0])), *entry[1:]] if isinstance(entry, list) and entry else entry
        for entry in promoted
    ]
    return {**node, "properties": {**properties, "proxyWidgets": entries}}
