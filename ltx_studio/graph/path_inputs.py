"""The inputs of nodes that name files or folders, and checks that such names stay in the studio's folders.

`path_inputs.json` is generated from ComfyUI and its code (`make golden`). For classes it does not cover,
a rule decides: an input with a name like a path, a choice of files, or an upload.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ltx_studio.graph.definitions import Input
from ltx_studio.graph.model_inputs import ENDINGS, loader_table

UPLOADS = ("image_upload", "audio_upload", "video_upload", "file_upload", "remote")
"""Options of inputs that take a user's file."""

LONGEST_PATH = 4_096
"""Characters."""

_CALLED_LIKE_A_PATH = re.compile(
    r"(^|_)(path|folder|dir|directory|file|filename|filepath|url|uri)s?(_name|_path|_prefix|_?\d+)?$|(^|_)prefix$"
)
_LISTED = (
    *ENDINGS,
    ".png",
    ".jpg",
    ".webp",
    ".wav",
    ".mp3",
    ".flac",
    ".mp4",
    ".webm",
    ".json",
    ".yaml",
    ".glb",
    ".txt",
)
_DRIVE_OR_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.,-]*:(?!\s)")
_ANNOTATED = re.compile(r"\[(input|output|temp)\]\s*$")
"""ComfyUI's suffixes for selecting another of its folders."""


@lru_cache(maxsize=1)
def path_table() -> Mapping[str, Mapping[str, str]]:
    """Return class → input → ComfyUI's folder, or ``"path"``; model files are in `loader_table`."""
    text = (files("ltx_studio.graph") / "path_inputs.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, str]] = json.loads(text)
    return table


def is_called_like_a_path(name: str) -> bool:
    """Return whether an input's name (dotted or not) suggests a file, a folder or an address."""
    return bool(_CALLED_LIKE_A_PATH.search(name.rpartition(".")[2].lower()))


def names_a_file(class_type: str, name: str, declared: Input | None, *, examined: bool) -> bool:
    """Return whether an input names a file or a folder to read or write, including model files.

    Args:
        class_type: The class of its node.
        name: As in the graph, dotted if it belongs to a dynamic choice.
        declared: Its declaration, if any.
        examined: Whether the tables cover the class.
    """
    if name in loader_table().get(class_type, {}) or name in path_table().get(class_type, {}):
        return True
    options = declared.options if declared is not None else {}
    if any(options.get(known_by) for known_by in UPLOADS):
        return True
    if examined:
        return False
    if declared is not None and declared.kind == "COMBO":
        return not declared.choices or any(_is_listed(choice) for choice in declared.choices)
    is_text = declared is None or "STRING" in declared.kind.split(",") or declared.kind not in _PLAIN
    return is_text and is_called_like_a_path(name)


_PLAIN = (
    "INT",
    "FLOAT",
    "BOOLEAN",
    "IMAGE",
    "MASK",
    "LATENT",
    "MODEL",
    "CLIP",
    "VAE",
    "CONDITIONING",
    "AUDIO",
    "VIDEO",
)


def _is_listed(choice: object) -> bool:
    return isinstance(choice, str) and choice.lower().endswith(_LISTED)


def texts(value: object) -> Iterator[str]:
    """Yield every text in a value, including those in lists and objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


def unwrapped(value: Any) -> Any:
    """Return a value as ComfyUI unwraps it (``{"__value__": …}``)."""
    while isinstance(value, Mapping) and "__value__" in value:
        value = value["__value__"]
    return value


def leaves(text: str) -> bool:
    """Return whether a name leads out of its folder on any system.

    This covers absolute paths, drives, addresses, ``~``, ``..``, ComfyUI's ``[output]``, and illegal characters;
    fullwidth and other compatibility letters count as the plain ones that some file systems map them to.
    """
    if len(text) > LONGEST_PATH:  # no system allows such a name
        return True
    plain = unicodedata.normalize("NFKC", text)
    if plain.startswith(("/", "\\", "~")) or _DRIVE_OR_SCHEME.match(plain.lstrip()) or _ANNOTATED.search(plain):
        return True
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        return True
    return any(_is_up(part) for part in re.split(r"[/\\]", plain))


def _is_up(part: str) -> bool:
    """Return whether a path component is ``..``, even where a system strips trailing spaces and dots."""
    return set(part) <= {".", " "} and part.count(".") > 1
