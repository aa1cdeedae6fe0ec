"""Checks of the values in a graph: texts, numbers, lists and objects, and their total size."""

import math
from collections.abc import Mapping
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import WorkflowError

LEAF = 64
"""Overhead in bytes of a value beside its text, about what Python needs."""

_SHOWN = 80
_CONTAINERS = (dict, list, Mapping)


class Scale:
    """A counter of the size of a graph's values that refuses a graph as soon as it is too large.

    A short file can stand for a large graph: a subgraph is written once and used many times.
    """

    def __init__(self) -> None:
        self._total = 0

    def add(self, weight: int) -> None:
        """Add a number of bytes to the total.

        Raises:
            WorkflowError: The total exceeds `limits.WORKFLOW_FILE`.
        """
        self._total += weight
        if self._total > limits.WORKFLOW_FILE.most:
            limits.WORKFLOW_FILE.check(
                self._total, "The workflow with its subgraphs unpacked", error=WorkflowError, is_partial=True
            )

    def weigh(self, value: object, name: object, title: str | None) -> int:
        """Count a value and return its weight in bytes.

        Args:
            value: An input's value.
            name: The input's, for the error.
            title: The node's, for the error; None where there is no node.

        Raises:
            WorkflowError: It is nested too deeply, too long or too large, a number that is not finite, or a text with a
                lone surrogate.
        """
        before = self._total
        self._weigh(value, name, title, 0)
        return self._total - before

    def weigh_name(self, name: object, title: str | None) -> None:
        """Count an id, a class or the name of an input.

        Raises:
            WorkflowError: It is too long, or see `weigh`.
        """
        if isinstance(name, str) and len(name) <= limits.NAME.most and name.isascii():
            self.add(LEAF + len(name))  # nearly all pass, and a graph has 100,000
            return
        if isinstance(name, str):
            limits.NAME.check(
                len(name),
                "A name" if title is None else f"A name in node {quoted(title)}",
                error=WorkflowError,
                where=_where(title),
            )
        self._weigh(name, "a name", title, 0)

    def _weigh(self, value: object, name: object, title: str | None, depth: int) -> None:
        if isinstance(value, str):
            if len(value) > limits.TEXT.most:
                limits.TEXT.check(len(value), _input(name, title), error=WorkflowError, where=_where(title))
            if not value.isascii():
                require_text(value, _input(name, title))
            self.add(LEAF + len(value))
        elif isinstance(value, _CONTAINERS):
            if depth >= limits.VALUE_DEPTH.most:
                limits.VALUE_DEPTH.check(
                    depth + 1, _input(name, title), error=WorkflowError, where=_where(title), is_partial=True
                )
            self.add(LEAF)
            if isinstance(value, Mapping):
                for key in value:
                    self._weigh(str(key), name, title, depth + 1)
            for each in value.values() if isinstance(value, Mapping) else value:
                self._weigh(each, name, title, depth + 1)
        else:
            if isinstance(value, float) and not math.isfinite(value):
                raise WorkflowError(
                    f"{_input(name, title)} is {value}, which is not a finite number.",
                    "Enter a finite number.",
                    where=_where(title),
                )
            self.add(LEAF + (value.bit_length() // 3 if isinstance(value, int) else 0))


def require_text(text: str, what: str) -> None:
    """Refuse a lone surrogate, which no file, database or page can hold.

    Raises:
        WorkflowError: `text` contains one.
    """
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WorkflowError(
            f"{shown(what)} has an invalid character at position {error.start + 1} (a lone surrogate).",
            "Retype that text, then save the workflow.",
        ) from None


def shown(value: Any, most: int = _SHOWN) -> str:
    """Return a value as text for an error: short, and printable anywhere."""
    text = value if isinstance(value, str) else repr(value)
    text = text[: most + 1].encode(errors="backslashreplace").decode()
    return text if len(text) <= most else f"{text[: most - 1]}…"


def title_of(node: Mapping[str, Any]) -> str:
    """Return a node's title for a message, or its class if it has none."""
    return shown(node.get("_meta", {}).get("title") or node["class_type"])


def quoted(value: Any) -> str:
    """Return the same as `shown`, with text in quotes."""
    return repr(shown(value)) if isinstance(value, str) else shown(value)


def _input(name: object, title: str | None) -> str:
    return f"Value {quoted(name)}" if title is None else f"Input {quoted(name)} of node {quoted(title)}"


def _where(title: str | None) -> str:
    return "" if title is None else shown(title)
