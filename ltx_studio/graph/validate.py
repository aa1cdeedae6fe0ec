"""Validation of a graph against the node definitions: every problem that ComfyUI would find, by node and input."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import ANY, AUTOGROW, MATCH, Definitions, Input, unknown_nodes
from ltx_studio.graph.graph import check_graph, is_link, upstream
from ltx_studio.graph.input_values import example, fits, wanted
from ltx_studio.graph.node_versions import value_since
from ltx_studio.graph.values import quoted, shown, title_of

_ANY = (ANY, MATCH)
_MOST_SWITCHES = 64
_SETTABLE = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
_IN_THE_EDITOR = "in ComfyUI's editor, and save the workflow again"


def validate(
    graph: Mapping[str, Mapping[str, Any]], definitions: Definitions, *, has_right_shape: bool = False
) -> None:
    """Refuse a graph that ComfyUI would refuse.

    Does not check whether named files exist.

    Args:
        graph: API format.
        definitions: The node definitions of the installed ComfyUI.
        has_right_shape: Whether `check_graph` has already accepted it.

    Raises:
        WorkflowError: The first problem: which node, which input, and what was expected.
    """
    if not has_right_shape:
        check_graph(graph)
    for problem in _problems(graph, definitions):
        raise problem


def problems(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> Iterator[WorkflowError]:
    """Yield every reason for which ComfyUI would refuse a graph, each with its remedy; see `validate`.

    All missing nodes are one problem; inputs connected to them cannot be checked.
    """
    try:
        check_graph(graph)
    except WorkflowError as error:
        yield error
        return
    yield from _problems(graph, definitions)


def _problems(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> Iterator[WorkflowError]:
    missing = {str(node["class_type"]): "" for node in graph.values() if node["class_type"] not in definitions}
    if missing:
        yield unknown_nodes(missing)
    known = {node_id: node for node_id, node in graph.items() if node["class_type"] in definitions}
    savers = [node_id for node_id, node in known.items() if definitions.saves(node["class_type"])]
    if not savers and not missing:
        yield WorkflowError("The workflow saves nothing.", f"Add an output node, such as Save Video, {_IN_THE_EDITOR}.")
    needed = upstream(graph, savers) if not missing else set(known)
    try:
        _check_order(graph)
    except WorkflowError as error:
        yield error
    for node_id, node in known.items():
        if node_id not in needed:
            continue
        for name, item in expected(definitions.inputs(node["class_type"]), node["inputs"], ""):
            problem = _problem_of(graph, node_id, name, item, definitions)
            if problem is not None:
                yield problem


def _check_order(graph: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse any cycle: ComfyUI ignores one that leads to no output, but then no editor can draw the graph."""
    links = {
        node_id: [value[0] for value in node["inputs"].values() if is_link(value)] for node_id, node in graph.items()
    }
    try:
        TopologicalSorter(links).prepare()
    except CycleError as error:
        node = graph[error.args[1][0]]
        title = title_of(node)
        raise WorkflowError(
            f"{title} depends on its own output.", f"Break the loop {_IN_THE_EDITOR}.", where=title
        ) from None


def expected(inputs: Sequence[Input], given: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Input]]:
    """Yield (dotted name, declaration) of every input that a node has with the dynamic choices `given`."""
    for item in inputs:
        name = prefix + item.name
        if item.kind == AUTOGROW:
            continue
        yield name, item
        if item.is_dynamic:
            yield from expected(item.chosen(given.get(name)), given, f"{name}.")


def _problem_of(
    graph: Mapping[str, Mapping[str, Any]], node_id: str, name: str, item: Input, definitions: Definitions
) -> WorkflowError | None:
    node = graph[node_id]
    title = title_of(node)
    if name not in node["inputs"]:
        if not item.required:
            return None
        lacks = "is missing"
        return (
            _unset(title, node_id, name, item, lacks)
            if item.is_widget
            else _problem(title, name, lacks, _connect_hint(item))
        )
    value = node["inputs"][name]
    if is_link(value):
        return _problem_of_link(graph, title, name, item, value, definitions)
    if item.kind in definitions.made:
        return _problem(title, name, f"is {quoted(value)}", _connect_hint(item))
    if fits(item, value):
        return None
    since = value_since(node["class_type"], name, value)
    newer = f", which needs ComfyUI {since}" if since else ""
    if not newer and item.choices:
        newer = ", which is not one of its choices"
    return _unset(title, node_id, name, item, f"is {quoted(value)}{newer}")


def _unset(title: str, node_id: str, name: str, item: Input, what: str) -> WorkflowError:
    """Return the problem of an input that needs another value; the form shows every input with a problem."""
    if not item.is_dynamic and item.kind not in _SETTABLE:
        return _problem(title, name, what, f"Set it {_IN_THE_EDITOR}.")
    takes = wanted(item)
    advice = Advice.to(Do.SET_VALUE, wanted=takes, given=shown(f"{node_id}.{name}={example(item)}"))
    return _problem(title, name, what, f"Set it to {takes}.", advice)


def _connect_hint(item: Input) -> str:
    return f"Connect it to an output of type {item.kind} {_IN_THE_EDITOR}."


def _problem_of_link(
    graph: Mapping[str, Mapping[str, Any]], title: str, name: str, item: Input, link: Any, definitions: Definitions
) -> WorkflowError | None:
    if graph[link[0]]["class_type"] not in definitions:
        return None
    kinds = definitions.outputs(graph[link[0]]["class_type"])
    if not 0 <= link[1] < len(kinds):
        what = f"comes from output {link[1]} of a node that has {len(kinds)} outputs"
        return _problem(title, name, what, f"Connect it to another output {_IN_THE_EDITOR}.")
    if item.kind in _ANY or item.is_dynamic:
        return None
    for kind in _carried(graph, link[0], definitions) if kinds[link[1]] == MATCH else [kinds[link[1]]]:
        if kind not in _ANY and not set(kind.split(",")) & set(item.kind.split(",")):
            return _problem(title, name, f"needs {item.kind}, not {kind}", _connect_hint(item))
    return None


def _carried(graph: Mapping[str, Mapping[str, Any]], node_id: str, definitions: Definitions) -> list[str]:
    """Return the kinds that reach a node whose output has the type of its inputs, such as a switch.

    ComfyUI leaves this check to its editor. In a long chain, only the nearest nodes are examined.
    """
    found: list[str] = []
    seen, frontier = {node_id}, [node_id]
    while frontier and len(seen) < _MOST_SWITCHES:
        node = graph[frontier.pop()]
        handed_on = {item.name for item in definitions.inputs(node["class_type"]) if item.kind in (MATCH, AUTOGROW)}
        for name, value in node["inputs"].items():
            if not is_link(value) or name.partition(".")[0] not in handed_on:
                continue
            if graph[value[0]]["class_type"] not in definitions:
                continue
            kinds = definitions.outputs(graph[value[0]]["class_type"])
            kind = kinds[value[1]] if 0 <= value[1] < len(kinds) else ANY
            if kind != MATCH:
                found.append(kind)
            elif value[0] not in seen:
                seen.add(value[0])
                frontier.append(value[0])
    return found


def _problem(title: str, name: str, what: str, hint: str, advice: Advice | None = None) -> WorkflowError:
    return WorkflowError(f"{title}: {name} {what}.", hint, advice=advice, where=title)
