"""The prompts of a graph: the texts that condition it, without those of its negative conditioning."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from ltx_studio.graph.graph import is_link

_TEXTS = ("text", "prompt", "value", "string")
"""Inputs that hold text, in encoders, prompt writers and primitives."""

_POSITIVE, _NEGATIVE = "positive", "negative"
"""The usual names of inputs for conditioning."""

Nodes: TypeAlias = Mapping[str, Mapping[str, Any]]


def is_negative(title: str) -> bool:
    """Return whether a text is a negative prompt, by its node's title."""
    return _NEGATIVE in title.casefold()


def prompts_of(graph: Nodes) -> list[str]:
    """Return the texts of the nodes that encode or write a prompt, in the graph's order, without negative ones.

    A text is negative if only inputs named ``negative`` depend on it, or if its node's title says so.

    Args:
        graph: API format.
    """
    negative, positive = _above(graph, _NEGATIVE), _above(graph, _POSITIVE)
    found = [
        text
        for node_id, node in graph.items()
        if (node_id in positive or node_id not in negative) and not is_negative(_title(node))
        for text in _texts(graph, node)
    ]
    return list(dict.fromkeys(text for text in found if text.strip()))


def negative_nodes(graph: Nodes) -> set[str]:
    """Return the ids of the nodes that only inputs named ``negative`` depend on."""
    return _above(graph, _NEGATIVE) - _above(graph, _POSITIVE)


def _texts(graph: Nodes, node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the prompt of an encoder or a prompt writer, itself or from the node that it is connected to."""
    for name in ("text", "prompt"):
        given = node["inputs"].get(name)
        for _ in graph:  # a graph may have a cycle
            if not is_link(given):
                break
            source = graph.get(str(given[0]), {"inputs": {}})
            if is_negative(_title(source)):
                break
            given = next((source["inputs"][each] for each in _TEXTS if each in source["inputs"]), None)
        if isinstance(given, str):
            yield given


def _above(graph: Nodes, name: str) -> set[str]:
    """Return the nodes that inputs of this name depend on, without passing through inputs of the other name."""
    other = _NEGATIVE if name == _POSITIVE else _POSITIVE
    found: set[str] = set()
    waiting = [value for node in graph.values() for key, value in node["inputs"].items() if key == name]
    while waiting:
        link = waiting.pop()
        if not is_link(link) or str(link[0]) in found or str(link[0]) not in graph:
            continue
        found.add(str(link[0]))
        inputs = graph[str(link[0])]["inputs"]
        waiting += [value for key, value in inputs.items() if key != other]
    return found


def _title(node: Mapping[str, Any]) -> str:
    return str(node.get("_meta", {}).get("title", ""))
