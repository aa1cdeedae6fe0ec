"""Names of model files, from wherever they come: inside of the models folders, and safetensors only."""

import re
from pathlib import PurePosixPath

from ltx_studio.graph.model_inputs import PICKLES, SAFETENSORS

_FOLDER = re.compile(r"[a-z0-9][a-z0-9_]*")
_PART = re.compile(r"[^\x00-\x1f<>:\"|?*\\/\ud800-\udfff]+")
_LONGEST_PATH = 1024
_LONGEST = 255
"""Bytes of one part of a path, on the file systems of today."""


def complaint(name: str) -> str:
    """What is wrong with a model file's name, to follow it in a sentence; nothing when it can be used.

    A name is a path with forward slashes below one of ComfyUI's folders, such as ``ltx/base.safetensors``.
    """
    outside = path_complaint(name)
    if outside:
        return outside
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in PICKLES:
        return f"is a pickle ({suffix}), which could run any code when it is loaded; only .safetensors files are used"
    if suffix not in SAFETENSORS:
        return f"ends in {suffix or 'nothing'}; only .safetensors files are used"
    return ""


def path_complaint(path: str) -> str:
    """What is wrong with a relative path; nothing when it stays below the folder that it starts from."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or path.startswith("~"):
        return "leaves its folder: write a plain relative path, such as ltx/base.safetensors"
    if len(path.encode(errors="replace")) > _LONGEST_PATH:
        return "is too long"
    if not all(_PART.fullmatch(part) and len(part.encode()) <= _LONGEST for part in parts):
        return "holds characters that a file name cannot have, or is too long"
    return ""


def is_folder(name: str) -> bool:
    """Whether it can be one of ComfyUI's folders, such as ``checkpoints``."""
    return _FOLDER.fullmatch(name) is not None
