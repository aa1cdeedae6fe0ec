"""The ComfyUI version that introduced a node or a value unknown to the studio's own, 0.30.

`node_versions.json` is made from ComfyUI's workflow templates (`make golden`), which state the version they need.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

_OF_LTX = ("LTXVModalityGuidance", "LTXVSpatioTemporalGuidance", "LTXVFreezeLatent", "LTXVAddLatentGuide",
           "LTXVContextWindows", "LTXVDurationPredictor")  # fmt: skip
"""Nodes of LTX's newer workflows that no template contains; they were introduced with `_THEIRS`."""

_THEIRS = "0.32"


def node_since(class_type: str) -> str:
    """Return the version that introduced a node, such as ``"0.32"``; empty if unknown."""
    return _THEIRS if class_type in _OF_LTX else str(_table()["nodes"].get(class_type, ""))


def value_since(class_type: str, name: str, value: Any) -> str:
    """Return the version that introduced a value of an input; empty if unknown."""
    return str(_table()["values"].get(class_type, {}).get(name, {}).get(str(value), ""))


def is_partner(class_type: str) -> bool:
    """Return whether a node calls an internet service that requires an account with ComfyUI's makers."""
    return class_type in _partners()


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    text = (files("ltx_studio.graph") / "node_versions.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return table


@lru_cache(maxsize=1)
def _partners() -> frozenset[str]:
    return frozenset(_table()["partners"])
