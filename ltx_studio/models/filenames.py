"""Names of model files from any source: inside the models folders, and safetensors only."""

import re
from pathlib import PurePosixPath

from ltx_studio.graph.model_inputs import PICKLES, SAFETENSORS

_FOLDER = re.compile(r"[a-z0-9][a-z0-9_]*")
_PART = re.compile(r"[^\x00-\x1f<>:\"|?*\\/\ud800-\udfff]+")
_LONGEST_PATH = 1024
_LONGEST = 255
"""Bytes of one path component on current file systems."""


def complaint(name: str) -> str:
    """Return what is wrong with a model file's name, to continue a sentence; empty if it is valid.

    A name is a path with forward slashes below one of ComfyUI's folders, such as ``ltx/base.safetensors``.
    """
    outside = path_complaint(name)
    if outside:
        return outside
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in PICKLES:
        return f"is a pickle ({suffix}), which can run code when loaded; only .safetensors files are supported"
    if suffix not in SAFETENSORS:
        return f"ends in {suffix or 'nothing'}; only .safetensors files are supported"
    return ""


def path_complaint(path: str) -> str:
    """Return what is wrong with a relative path; empty if it stays below its starting folder."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or path.startswith("~"):
        return "leaves its folder; use a relative path such as ltx/base.safetensors"
    if len(path.encode(errors="replace")) > _LONGEST_PATH:
        return "is too long"
    if not all(_PART.fullmatch(part) and len(part.encode()) <= _LONGEST for part in parts):
        return "has characters that are not allowed in a file name, or is too long"
    return ""


def is_folder(name: str) -> bool:
    """Return whether a name can be one of ComfyUI's folders, such as ``checkpoints``."""
    return _FOLDER.fullmatch(name) is not None
