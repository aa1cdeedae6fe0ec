"""Whether a workflow from anywhere may run: what its nodes could do, and where they would read and write.

Of ComfyUI's own nodes, `core_nodes.txt` lists those that compute, load models by name, read an uploaded file, or save
below the output folder. Not there are those that write models or data sets, read folders or other people's outputs, or
run code that the workflow brings, regular expressions among it, which may take forever.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ltx_studio.errors import WorkflowError
from ltx_studio.graph.api import is_link
from ltx_studio.graph.definitions import Definitions, Input, unknown_nodes
from ltx_studio.graph.form import FILES, PATHS
from ltx_studio.graph.loaders import loader_table
from ltx_studio.graph.values import count_bytes

_ELSEWHERE = re.compile(r"[/\\~]|[A-Za-z]:")
"""What a path begins with that does not start in the folder it is meant for."""

LONGEST_PREFIX = 100
"""Bytes of an output's name: a file system takes 255 bytes with what ComfyUI adds."""

_ANNOTATED = re.compile(r"\[(input|output|temp)\]\s*$")
"""How ComfyUI is told of another of its folders."""


@lru_cache(maxsize=1)
def harmless() -> frozenset[str]:
    """The node classes that run without a question."""
    text = (files("ltx_studio.graph") / "core_nodes.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def check_safety(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions, *, trusted: bool) -> None:
    """Refuse a graph before anything of it runs.

    Args:
        graph: API format.
        definitions: Of the ComfyUI that would run it.
        trusted: Whether the user has said yes to nodes that may do anything. Paths stay confined all the same.

    Raises:
        WorkflowError: The first reason: a class that is not there, one that asks for a yes, or a path that leaves the
            studio's folders.
    """
    check_known(graph, definitions)
    doubtful = sorted({str(node["class_type"]) for node in graph.values()} - harmless())
    if doubtful and not trusted:
        raise WorkflowError(
            f"The workflow uses nodes that may read or write files elsewhere, or run code: {', '.join(doubtful)}.",
            "Run it with `--trust` only if you know where it comes from.",
        )
    for node in graph.values():
        for name, value in node["inputs"].items():
            _check_path(node, name, value, definitions)


def check_known(graph: Mapping[str, Mapping[str, Any]], definitions: Definitions) -> None:
    """Refuse a graph of node classes that are not there.

    Raises:
        WorkflowError: It names them.
    """
    missing = {str(node["class_type"]): "" for node in graph.values() if node["class_type"] not in definitions}
    if missing:
        raise unknown_nodes(missing)


def _check_path(node: Mapping[str, Any], name: str, value: Any, definitions: Definitions) -> None:
    title = str(node.get("_meta", {}).get("title") or node["class_type"])
    if _is_file(node, name, definitions) and not isinstance(value, str | None):
        how = "comes from another node" if is_link(value) else "is no text"
        raise WorkflowError(
            f"{title}: {name} {how}, so nobody knows which file it would be.",
            "Write a plain name into it.",
            where=title,
        )
    if name.rpartition(".")[2] in PATHS and count_bytes(str(value), f"{title}: {name}") > LONGEST_PREFIX:
        raise WorkflowError(
            f"{title}: {name} has {len(str(value).encode())} bytes.", f"Use at most {LONGEST_PREFIX}.", where=title
        )
    if not _may_be_path(node, name, definitions):
        return
    for text in _texts(value):
        if _leaves(text):
            raise WorkflowError(
                f"{title}: {name} is {text[:200]!r}, which leaves the studio's folders.",
                "Write a plain name into it.",
                where=title,
            )


def _is_file(node: Mapping[str, Any], name: str, definitions: Definitions) -> bool:
    """Whether an input names a file to read or to write."""
    if name.rpartition(".")[2] in PATHS or name in loader_table().get(node["class_type"], {}):
        return True
    declared = (item for item in definitions.inputs(node["class_type"]) if item.name == name)
    return any(item.options.get(known_by) for item in declared for known_by in FILES.values())


def _may_be_path(node: Mapping[str, Any], name: str, definitions: Definitions) -> bool:
    """What a harmless node reads as text is no path; of others nobody knows."""
    if node["class_type"] not in harmless():
        return True
    declared: dict[str, Input] = {item.name: item for item in definitions.inputs(node["class_type"])}
    return name in PATHS or name not in declared or declared[name].kind != "STRING"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _leaves(text: str) -> bool:
    return bool(_ELSEWHERE.match(text) or _ANNOTATED.search(text)) or ".." in re.split(r"[/\\]", text) or "\0" in text
