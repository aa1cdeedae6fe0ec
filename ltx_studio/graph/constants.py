"""Find the literal values that can reach an input, through primitives, switches, lists and nodes that join texts.

Each rule does what ComfyUI's node does. Values outside the rules, or too large, are unknown, and callers
refuse them where it matters.
"""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from ltx_studio.graph.formulas import check_format
from ltx_studio.graph.graph import is_link
from ltx_studio.graph.path_inputs import unwrapped

Values = tuple[Any, ...]

MOST_VALUES = 64
MOST_CHARACTERS = 10_000
DEEPEST = 64
"""Limits for tracing values: their number, the characters of each, and the depth of nodes."""

MOST_MADE = 1_000_000
"""Characters produced in total for one graph; file names and formulas need less than a thousandth."""

_PRIMITIVES = ("PrimitiveString", "PrimitiveStringMultiline", "PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean")
_SWITCHES = ("ComfySwitchNode", "ComfySoftSwitchNode")
_CASES: Mapping[str, Callable[[str], str]] = {
    "UPPERCASE": str.upper,
    "lowercase": str.lower,
    "Capitalize": str.capitalize,
    "Title Case": str.title,
}
_TRIMS: Mapping[str, Callable[[str], str]] = {"Both": str.strip, "Left": str.lstrip, "Right": str.rstrip}


class Constants:
    """The literal values in one graph, each output computed once."""

    def __init__(self, graph: Mapping[str, Mapping[str, Any]]) -> None:
        self._graph = graph
        self._known: dict[tuple[str, int], Values | None] = {}
        self._left = MOST_MADE

    def reaching(self, given: Any, *, depth: int = DEEPEST) -> Values | None:
        """Return every value that an input may have at run time, or None if that is unknown.

        Args:
            given: The input's value in the graph: a literal, or a link.
            depth: How many more nodes to follow.
        """
        if not is_link(given):
            return (given,)
        if depth == 0 or given[0] not in self._graph:
            return None
        place = (given[0], given[1])
        if place not in self._known:
            self._known[place] = None  # also the answer for a cycle
            self._known[place] = self._made(self._graph[given[0]], given[1], depth - 1)
        return self._known[place]

    def _made(self, node: Mapping[str, Any], slot: int, depth: int) -> Values | None:
        kind, inputs = node["class_type"], {name: unwrapped(given) for name, given in node["inputs"].items()}
        if kind in _PRIMITIVES and slot == 0:
            return self.reaching(inputs.get("value"), depth=depth)
        if kind == "CustomCombo" and slot in (0, 1):
            return self.reaching(inputs.get("choice" if slot == 0 else "index", 0), depth=depth)
        if kind in _SWITCHES and slot == 0:
            return self._any_of([inputs[name] for name in ("on_false", "on_true") if name in inputs], depth)
        if kind == "CreateList" and slot == 0:
            return self._any_of(list(inputs.values()), depth)
        if slot == 0 and (kind in _RULES or kind == "StringFormat"):
            return self._put_together(kind, inputs, depth)
        return None

    def _any_of(self, given: list[Any], depth: int) -> Values | None:
        found: list[Any] = []
        for each in given:
            values = self.reaching(each, depth=depth)
            if values is None or len(found) + len(values) > MOST_VALUES:
                return None
            found += (value for value in values if value not in found)
        return tuple(found)

    def _put_together(self, kind: str, inputs: Mapping[str, Any], depth: int) -> Values | None:
        options = [self.reaching(given, depth=depth) for given in inputs.values()]
        count = 1
        for values in options:
            count *= MOST_VALUES + 1 if values is None else len(values)
        if count > MOST_VALUES:
            return None
        made = []
        for chosen in product(*(values or () for values in options)):
            text = _text(kind, dict(zip(inputs, chosen, strict=True)))
            if text is None or len(text) > min(MOST_CHARACTERS, self._left):
                return None
            self._left -= len(text)
            made.append(text)
        return tuple(dict.fromkeys(made))


def _text(kind: str, given: Mapping[str, Any]) -> str | None:
    """Return the result of a node for literal inputs, or None if it would fail or produce too long a text."""
    if any(not isinstance(value, str | int | float | None) for value in given.values()):
        return None
    if sum(len(str(value)) for value in given.values()) > MOST_CHARACTERS:
        return None
    try:
        return _formatted(given) if kind == "StringFormat" else _RULES[kind](given)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        return None


def _joined(given: Mapping[str, Any]) -> str:
    return str(given.get("delimiter", "")).join((str(given["string_a"]), str(given["string_b"])))


def _replaced(given: Mapping[str, Any]) -> str:
    text, find, new = str(given["string"]), str(given["find"]), str(given["replace"])
    if text.count(find) * len(new) > MOST_CHARACTERS:
        raise ValueError("too long")
    return text.replace(find, new)


def _formatted(given: Mapping[str, Any]) -> str:
    pattern = str(given["f_string"])
    check_format(pattern)
    return pattern.format(**{name.rpartition(".")[2]: value for name, value in given.items() if name != "f_string"})


_RULES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "StringConcatenate": _joined,
    "StringReplace": _replaced,
    "StringSubstring": lambda given: str(given["string"])[int(given["start"]) : int(given["end"])],
    "StringTrim": lambda given: _TRIMS[given["mode"]](str(given["string"])),
    "CaseConverter": lambda given: _CASES[given["mode"]](str(given["string"])),
}
