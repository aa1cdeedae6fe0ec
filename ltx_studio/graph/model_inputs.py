"""The inputs of nodes that name model files, and the ComfyUI folders in which these are found.

`model_inputs.json` is generated from ComfyUI itself (`make golden`). Other nodes' inputs count if their name is like a
model's and their value ends like a model file; their folder is unknown.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

SAFETENSORS = (".safetensors", ".sft")
PICKLES = (".ckpt", ".pt", ".pt2", ".pth", ".bin", ".pkl")
"""Suffixes that ComfyUI would load too; Python's pickle runs any code that the file contains."""

ENDINGS = (*SAFETENSORS, *PICKLES, ".gguf", ".onnx")
_CALLED_LIKE_A_MODEL = re.compile(r"(_name|model|ckpt|checkpoint|lora|vae|unet|clip|gguf|encoder)\d*$")


@dataclass(frozen=True, slots=True)
class ModelInput:
    """A model file that a graph names.

    Attributes:
        title: The node's title.
        name: The input's name.
        file: As named in the graph; may include subfolders (``ltx/base.safetensors``).
        folders: ComfyUI's folders that it may be in, the most common first; empty if unknown.
        key: The key for setting it: the node's id, a dot, the input's name.
    """

    title: str
    name: str
    file: str
    folders: tuple[str, ...]
    key: str = ""


def model_inputs(graph: Mapping[str, Mapping[str, Any]]) -> Iterator[ModelInput]:
    """Yield every model file that an API-format graph names, in the order of its nodes."""
    table = loader_table()
    for node_id, node in graph.items():
        known = table.get(node["class_type"], {})
        title = node.get("_meta", {}).get("title") or node["class_type"]
        for name, given in node["inputs"].items():
            value = given.get("__value__") if isinstance(given, Mapping) else given  # which ComfyUI unwraps
            if isinstance(value, str) and value.lower().endswith(ENDINGS):
                if name not in known and not _CALLED_LIKE_A_MODEL.search(name):
                    continue  # a prompt may end in ".safetensors"
                yield ModelInput(title, name, value, tuple(known.get(name, ())), f"{node_id}.{name}")


@lru_cache(maxsize=1)
def loader_table() -> Mapping[str, Mapping[str, list[str]]]:
    """Return class → input → folders."""
    text = (files("ltx_studio.graph") / "model_inputs.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, list[str]]] = json.loads(text)
    return table
