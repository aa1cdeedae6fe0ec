"""The snapshot of ComfyUI's node definitions, for reading and checking workflows without booting ComfyUI."""

import hashlib
import json
from pathlib import Path
from typing import Any

from ltx_studio.engine import comfyui
from ltx_studio.engine.boot import Comfy
from ltx_studio.fileio import whole
from ltx_studio.settings import Settings

OUR_NODES = Path(__file__).parent / "nodes"


def snapshot_path(settings: Settings) -> Path:
    """Return the snapshot's path; it differs by version of ComfyUI and of our own nodes, so no stale one is found.

    Raises:
        SetupError: ComfyUI is not installed.
    """
    name = f"node-definitions-{comfyui.find(settings).version}-{_digest_of_our_nodes()}.json"
    return settings.home / "comfyui" / name


def write_snapshot(comfy: Comfy, settings: Settings) -> Path:
    """Write the declaration of every registered class, in the format of ComfyUI's ``/object_info``."""
    path = snapshot_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    classes = {name: _info(name, comfy.nodes) for name in sorted(comfy.nodes.NODE_CLASS_MAPPINGS)}
    with whole(path) as partial:
        partial.write_text(json.dumps(classes, default=str), encoding="utf-8")
    return path


def _digest_of_our_nodes() -> str:
    sources = sorted(OUR_NODES.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def _info(name: str, nodes: Any) -> dict[str, Any]:
    """Return what `server.PromptServer` answers for one class, without its documentation."""
    node_class = nodes.NODE_CLASS_MAPPINGS[name]
    if hasattr(node_class, "GET_NODE_INFO_V1"):
        told = node_class.GET_NODE_INFO_V1()
        return {key: told[key] for key in ("input", "input_order", "output", "display_name", "output_node")}
    declared = node_class.INPUT_TYPES()
    return {
        "input": declared,
        "input_order": {section: list(inputs) for section, inputs in declared.items()},
        "output": list(node_class.RETURN_TYPES),
        "display_name": nodes.NODE_DISPLAY_NAME_MAPPINGS.get(name, name),
        "output_node": bool(getattr(node_class, "OUTPUT_NODE", False)),
    }
