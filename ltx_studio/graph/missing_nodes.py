"""Origins of nodes that are not installed, and advice for each.

The studio runs ComfyUI's own nodes and a few of its own, but no packs. So for a pack's node the advice is a node of
ComfyUI that does the same, or to run the workflow in ComfyUI; for a newer ComfyUI's node it is that ComfyUI.
`node_packs.json` is made from ComfyUI-Manager's list (`make golden`); `core_replacements.json` is written by hand.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ltx_studio.errors import WorkflowError
from ltx_studio.graph.node_versions import is_partner, node_since
from ltx_studio.graph.values import shown

CORE = "comfy-core"
"""The editor's name for ComfyUI itself in a node's pack property."""

_MOST_NAMED = 20
_MOST_ADVISED = 6
_LONGEST_PATTERN = 200
"""Limits of an error: nodes it lists, nodes per kind in its advice, letters of a name that it compares."""

_GGUF = "gguf"
"""Part of the names of nodes that load .gguf files, which no node of ComfyUI does."""


def pack_named(properties: object) -> str:
    """Return the pack named in a node's properties, as the editor saves them; empty if there is none."""
    if not isinstance(properties, Mapping):
        return ""
    return str(properties.get("cnr_id") or properties.get("aux_id") or "")


class MissingNodesError(WorkflowError):
    """A workflow uses node classes that the installed ComfyUI lacks."""


def unknown_nodes(missing: Mapping[str, str]) -> MissingNodesError:
    """Return the error for node classes that this ComfyUI lacks: class → the pack named in the workflow, or empty."""
    origins = {name: _origin(name, missing[name]) for name in sorted(missing)[:_MOST_NAMED]}
    named = [f"{shown(name)} (from {shown(origin)})" if origin else shown(name) for name, origin in origins.items()]
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return MissingNodesError(
        f"The installed ComfyUI lacks {len(missing)} node{'s' if len(missing) > 1 else ''} of this workflow: "
        f"{', '.join(named)}{more}.",
        " ".join(_advice(missing)),
    )


def _origin(name: str, pack: str) -> str:
    since = node_since(name)
    if since:
        return f"ComfyUI {since}"
    if is_partner(name):
        return "an online service"
    if pack == CORE:
        return "a newer ComfyUI"
    return pack or pack_of(name)


def _advice(missing: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each kind of node."""
    newer = [name for name, pack in sorted(missing.items()) if node_since(name) or _is_newer(name, pack)]
    partners = [name for name in sorted(missing) if is_partner(name) and name not in newer]
    rest = [name for name in sorted(missing) if name not in newer and name not in partners]
    if newer:
        known = [version for name in newer if (version := node_since(name))]
        least = max(known, key=lambda version: [int(part) for part in version.split(".")], default="")
        version = f"ComfyUI {least} or newer" if least else "a newer ComfyUI"
        yield f"For {_list(newer)}, set LTX_STUDIO_COMFY_DIR to the folder of {version}."
    if partners:
        yield f"{_list(partners)} would send your data to a paid service: run this workflow in ComfyUI itself."
    if not rest:
        return
    yield "The studio runs ComfyUI's own nodes and a few built-in ones, but no node packs."
    same = {name: table for name in rest if (table := instead().get(name))}
    spare = [name for name in rest if instead().get(name) == {}]
    doing = [f"replace {shown(name)} with {' and '.join(nodes.values())}" for name, nodes in same.items()]
    more = [f"and {len(doing) - _MOST_ADVISED} more"] if len(doing) > _MOST_ADVISED else []
    doing = doing[:_MOST_ADVISED] + more
    if spare:
        doing.append(f"bypass {_list(spare)} (Ctrl+B), which changes speed or memory only")
    if doing:
        yield f"In ComfyUI's editor, {'; '.join(doing)}."
    others = [name for name in rest if name not in same and name not in spare]
    if others:
        yield f"For {_list(others)}, use a node of ComfyUI's own, or run the workflow in ComfyUI itself with its packs."
    if any(_GGUF in name.casefold() for name in rest):
        yield "ComfyUI's own loaders cannot read .gguf files: use the model as a .safetensors file."


def _is_newer(name: str, pack: str) -> bool:
    return pack == CORE and not is_partner(name)


def pack_of(name: str) -> str:
    """Return the pack, ``owner/name``, that provides a node; empty if it is not a popular one."""
    exact, patterns = _packs()
    if name in exact:
        return exact[name]
    short = name[:_LONGEST_PATTERN]
    return next((pack for pattern, pack in patterns if pattern.search(short)), "")


@lru_cache(maxsize=1)
def instead() -> Mapping[str, Mapping[str, str]]:
    """Return replacements: a pack's class → ComfyUI's classes and titles; an empty entry means none is needed."""
    return _load("core_replacements.json")


@lru_cache(maxsize=1)
def _packs() -> tuple[Mapping[str, str], list[tuple[re.Pattern[str], str]]]:
    exact: dict[str, str] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    for pack, names in _load("node_packs.json").items():
        for name in names:
            if name.startswith("/"):
                patterns.append((re.compile(name[1:]), pack))
            else:
                exact.setdefault(name, pack)
    return exact, patterns


def _load(name: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads((files("ltx_studio.graph") / name).read_text(encoding="utf-8"))
    return table


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_ADVISED} more" if len(names) > _MOST_ADVISED else ""
    return ", ".join(map(shown, names[:_MOST_ADVISED])) + more
