"""Node classes and their inputs: data that the engine writes at set-up, read without ComfyUI.

The format is that of ComfyUI's ``/object_info``: class → ``{"input": {"required": {name: [kind, options]}, …},
"input_order": …, "output": [kind, …], …}``. A kind is a type's name, or a list of choices.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import SetupError, WorkflowError
from ltx_studio.graph import missing_nodes

_WIDGET_KINDS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR", "CURVE"}
ANY, MATCH = "*", "COMFY_MATCHTYPE_V3"
"""Kinds that accept any value."""

SEEDS = ("seed", "noise_seed")
"""Names of inputs that take a seed."""

AUTOGROW = "COMFY_AUTOGROW_V3"
"""Kind of a list of inputs that grows as they are connected: ``values.a``, ``values.b``."""
_DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
_SECTIONS = ("required", "optional")


@dataclass(frozen=True, slots=True)
class Input:
    """A declared input.

    Attributes:
        name: As declared, without the prefix of the dynamic choice that it belongs to.
        kind: The type's name, ``"COMBO"`` for a list of choices.
        options: Ranges, default and the like; for a COMBO the choices are under ``"options"``.
        required: Whether a graph must give it.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    required: bool

    @property
    def choices(self) -> list[Any]:
        """Return the choices of a COMBO; for a dynamic one, their keys."""
        options = self.options.get("options") or []
        return [option["key"] if self.is_dynamic else option for option in options]

    @property
    def is_dynamic(self) -> bool:
        """Return whether the choice determines which further inputs exist."""
        return self.kind == _DYNAMIC_COMBO

    @property
    def is_widget(self) -> bool:
        """Return whether the editor shows it as a field, whose value is stored with the node."""
        if self.options.get("forceInput"):
            return False
        return self.kind in _WIDGET_KINDS or self.is_dynamic or self.options.get("widgetType") in _WIDGET_KINDS

    @property
    def default(self) -> Any:
        """Return the editor's initial value."""
        if "default" in self.options:
            return self.options["default"]
        if self.choices:
            return self.choices[0]
        return {"INT": 0, "FLOAT": 0, "STRING": "", "BOOLEAN": False}.get(self.kind)

    def chosen(self, key: Any) -> list["Input"]:
        """Return the further inputs that the choice `key` of a dynamic COMBO adds."""
        for option in self.options.get("options") or []:
            if option["key"] == key:
                return list(_inputs(option["inputs"], {}))
        return []


class Definitions:
    """The node classes of a ComfyUI."""

    def __init__(self, classes: Mapping[str, Mapping[str, Any]]) -> None:
        self._classes = classes
        self._inputs: dict[str, tuple[Input, ...]] = {}
        self.made = {kind for name in classes for kind in self.outputs(name)} - _WIDGET_KINDS - {ANY, MATCH}
        """Kinds that only another node can produce, such as MODEL."""

    def __contains__(self, class_type: object) -> bool:
        return class_type in self._classes

    def __len__(self) -> int:
        return len(self._classes)

    def inputs(self, class_type: str) -> Sequence[Input]:
        """Return the declared inputs in the editor's order: required, then optional."""
        if class_type not in self._inputs:  # a graph may have 20,000 nodes of one class
            declared = self._classes[class_type]
            self._inputs[class_type] = tuple(_inputs(declared["input"], declared.get("input_order") or {}))
        return self._inputs[class_type]

    def outputs(self, class_type: str) -> list[str]:
        """Return the kinds of a class's outputs."""
        return [kind if isinstance(kind, str) else "COMBO" for kind in self._classes[class_type]["output"]]

    def title(self, class_type: str) -> str:
        """Return the name that the editor shows, or the class's own name if it is not installed."""
        return str(self._classes.get(class_type, {}).get("display_name") or class_type)

    def saves(self, class_type: str) -> bool:
        """Return whether a run may end with this class."""
        return bool(self._classes[class_type].get("output_node"))


def load_definitions(path: Path) -> Definitions:
    """Read the snapshot that set-up wrote.

    Raises:
        SetupError: It is missing or damaged.
    """
    try:
        return Definitions(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise SetupError(
            "The list of ComfyUI's nodes is missing or damaged.",
            "Run the set-up to create it.",
            advice=Advice.to(Do.SET_UP_NODES),
            where=str(path),
        ) from None


def cached_definitions(path: Path) -> Definitions:
    """Return the same as `load_definitions`, but read the snapshot (2 MB) again only if it has changed.

    Raises:
        SetupError: See `load_definitions`.
    """
    try:
        state = path.stat()
    except OSError:
        return load_definitions(path)
    return _cached(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _cached(path: Path, changed: int, size: int) -> Definitions:  # noqa: ARG001  (the key of the cache)
    return load_definitions(path)


def unknown_nodes(missing: Mapping[str, str]) -> WorkflowError:
    """Return the error for node classes that this ComfyUI lacks; see `missing.unknown_nodes`."""
    return missing_nodes.unknown_nodes(missing)


def _inputs(sections: Mapping[str, Any], order: Mapping[str, Any]) -> Iterator[Input]:
    for section in _SECTIONS:
        declared = sections.get(section) or {}
        for name in order.get(section) or declared:
            kind, *rest = declared[name]
            options = dict(rest[0]) if rest and isinstance(rest[0], Mapping) else {}
            if isinstance(kind, list):
                kind, options = "COMBO", {**options, "options": kind}
            yield Input(name, kind, options, section == "required")
