"""Whether ComfyUI would take a graph, told from the node definitions alone: the first problem, by node and input."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ltx_studio.errors import WorkflowError
from ltx_studio.graph.api import check_graph, is_link, upstream
from ltx_studio.graph.definitions import ANY, AUTOGROW, MATCH, Definitions, Input, unknown_nodes
from ltx_studio.graph.loaders import ENDINGS
from ltx_studio.graph.values import quoted, shown

_ANY = (ANY, MATCH)
_MOST_SWITCHES = 64
_NUMBERS: Mapping[str, Callable[[Any], float]] = {"INT": int, "FLOAT": float}
_MEDIA_FILES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".wav",
    ".mp3",
    ".flac",
    ".ogg",
    ".m4a",
    ".mp4",
    ".mov",
    ".webm",
)
"""Which files there are changes from day to day, so the snapshot's list of them says nothing."""


def validate(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> None:
    """Refuse a graph that ComfyUI would refuse.

    Whether the files that it names are there is not looked at.

    Raises:
        WorkflowError: The first problem: which node, which input, and what was expected.
    """
    check_graph(graph)
    missing = {str(node["class_type"]): "" for node in graph.values() if node["class_type"] not in definitions}
    if missing:
        raise unknown_nodes(missing)
    savers = [node_id for node_id, node in graph.items() if definitions.saves(node["class_type"])]
    if not savers:
        raise WorkflowError("The workflow saves nothing.", "Give it an output node, such as Save Video.")
    needed = upstream(graph, savers)
    _check_order(graph)
    for node_id, node in graph.items():
        if node_id not in needed:
            continue
        for name, item in _expected(definitions.inputs(node["class_type"]), node["inputs"], ""):
            _check(graph, node, name, item, definitions)


def _check_order(graph: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a circle anywhere: ComfyUI ignores one that leads to no output, but no editor can draw it afterwards."""
    links = {
        node_id: [value[0] for value in node["inputs"].values() if is_link(value)] for node_id, node in graph.items()
    }
    try:
        TopologicalSorter(links).prepare()
    except CycleError as error:
        node = graph[error.args[1][0]]
        title = shown(node.get("_meta", {}).get("title") or node["class_type"])
        raise WorkflowError(
            f"{title} depends on its own output.", "Break the loop in ComfyUI's editor.", where=title
        ) from None


def _expected(inputs: Sequence[Input], given: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Input]]:
    """(dotted name, declaration) of every input that the node has with the dynamic choices `given`."""
    for item in inputs:
        name = prefix + item.name
        if item.kind == AUTOGROW:
            continue
        yield name, item
        if item.is_dynamic:
            yield from _expected(item.chosen(given.get(name)), given, f"{name}.")


def _check(
    graph: Mapping[str, Mapping[str, Any]], node: Mapping[str, Any], name: str, item: Input, definitions: Definitions
) -> None:
    title = shown(node.get("_meta", {}).get("title") or node["class_type"])
    if name not in node["inputs"]:
        if item.required:
            raise _problem(title, name, "is missing", f"Give it a value of type {item.kind}, or connect it.")
        return
    value = node["inputs"][name]
    if is_link(value):
        _check_link(graph, title, name, item, value, definitions)
    elif item.kind in definitions.made:
        raise _problem(title, name, f"is {quoted(value)}", f"Connect it to an output of type {item.kind}.")
    else:
        _check_value(title, name, item, value)


def _check_link(
    graph: Mapping[str, Mapping[str, Any]], title: str, name: str, item: Input, link: Any, definitions: Definitions
) -> None:
    kinds = definitions.outputs(graph[link[0]]["class_type"])
    if not 0 <= link[1] < len(kinds):
        raise _problem(
            title, name, f"comes from output {link[1]} of a node that has {len(kinds)}", "Connect it to another output."
        )
    if item.kind in _ANY or item.is_dynamic:
        return
    for kind in _carried(graph, link[0], definitions) if kinds[link[1]] == MATCH else [kinds[link[1]]]:
        if kind not in _ANY and not set(kind.split(",")) & set(item.kind.split(",")):
            raise _problem(
                title, name, f"takes {item.kind}, not {kind}", f"Connect it to an output of type {item.kind}."
            )


def _carried(graph: Mapping[str, Mapping[str, Any]], node_id: str, definitions: Definitions) -> list[str]:
    """Return the kinds that a node hands on whose output is of the type of its inputs, such as a switch.

    ComfyUI leaves it to its editor to look through them. Of a long chain the nearest nodes are looked at.
    """
    found: list[str] = []
    seen, frontier = {node_id}, [node_id]
    while frontier and len(seen) < _MOST_SWITCHES:
        node = graph[frontier.pop()]
        handed_on = {item.name for item in definitions.inputs(node["class_type"]) if item.kind in (MATCH, AUTOGROW)}
        for name, value in node["inputs"].items():
            if not is_link(value) or name.partition(".")[0] not in handed_on:
                continue
            kinds = definitions.outputs(graph[value[0]]["class_type"])
            kind = kinds[value[1]] if 0 <= value[1] < len(kinds) else ANY
            if kind != MATCH:
                found.append(kind)
            elif value[0] not in seen:
                seen.add(value[0])
                frontier.append(value[0])
    return found


def _check_value(title: str, name: str, item: Input, value: Any) -> None:
    if item.kind in _NUMBERS:
        number = _as_number(value, item.kind)
        low, high = item.options.get("min", -math.inf), item.options.get("max", math.inf)
        if number is None or not low <= number <= high:
            raise _problem(title, name, f"is {quoted(value)}", f"Enter a number from {low} to {high}.")
    elif item.kind == "STRING" and isinstance(value, list | Mapping):
        raise _problem(title, name, f"is {shown(value)}", "Enter text.")
    elif (item.kind == "COMBO" and not item.options.get("multiselect")) or item.is_dynamic:
        is_file = str(value)[-20:].lower().endswith(ENDINGS + _MEDIA_FILES)
        if item.choices and not is_file and value not in item.choices:
            few = ", ".join(str(choice) for choice in item.choices[:6])
            raise _problem(
                title, name, f"is {quoted(value)}, which is not one of its choices", f"Choose one of: {few}, …"
            )


def _as_number(value: Any, kind: str) -> float | None:
    try:
        return _NUMBERS[kind](value)
    except (TypeError, ValueError, OverflowError):
        return None


def _problem(title: str, name: str, what: str, hint: str) -> WorkflowError:
    return WorkflowError(f"{title}: {name} {what}.", hint, where=title)
