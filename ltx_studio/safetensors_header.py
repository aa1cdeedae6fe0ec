"""What the header of a safetensors file says: its tensors, and how many bytes the whole file must have.

The format (github.com/huggingface/safetensors): eight bytes with the header's length, little endian; the header, a
JSON object of ``name → {dtype, shape, data_offsets}``; the data.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.text.formatting import in_bytes

FORMAT_LIMIT = 100_000_000
"""Bytes. What the format allows for the header; the studio reads `limits.SAFETENSORS_HEADER`."""

LARGEST_OFFSET = 2**63 - 1

_METADATA = "__metadata__"
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
"""How torch's own files begin: as a zip archive, or as a bare pickle."""


@dataclass(frozen=True, slots=True)
class Header:
    """Of one file.

    Attributes:
        size: Bytes that the whole file has, by its header.
        tensors: Name → ``{"dtype", "shape", "data_offsets"}``.
    """

    size: int
    tensors: Mapping[str, Any]


def read_header(path: Path) -> Header:
    """Read the header of a file; each state of a file is read once.

    Raises:
        ValueError: It is no safetensors file; the text says why, to follow "because".
        OSError: It cannot be read.
    """
    state = path.stat()
    return _read(path, state.st_size, state.st_mtime_ns)


def flaw(path: Path) -> str:
    """Why a file is no whole safetensors file, to follow its name in a sentence; nothing when it is one."""
    try:
        state = path.stat()
        size, expected = state.st_size, _whole_size(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError as error:
        return f"is no safetensors file: {error}"
    return "" if size == expected else f"has {size:,} of {expected:,} bytes"


@lru_cache(maxsize=4096)
def _whole_size(path: Path, size: int, changed: int) -> int:
    return _read(path, size, changed).size


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> Header:  # noqa: ARG001  (a header of the 22B model takes megabytes)
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        if start[:4] == _ZIP or (start[:1] == _PICKLE and length > FORMAT_LIMIT):
            raise ValueError("it holds a pickle, which could run any code")
        if len(start) < 8 or not 2 <= length <= min(FORMAT_LIMIT, size):
            raise ValueError("it does not begin with a header")
        most = limits.SAFETENSORS_HEADER.most
        if length > most:
            raise ValueError(f"its header has {in_bytes(length)}, and the limit is {in_bytes(most)}")
        text = file.read(length)
    try:
        header = json.loads(text)
        tensors = {name: entry for name, entry in header.items() if name != _METADATA}
        end = max((_end_of(entry) for entry in tensors.values()), default=0)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        raise ValueError("its header is damaged") from None
    return Header(8 + length + end, tensors)


def _end_of(entry: Mapping[str, Any]) -> int:
    """Return where a tensor's data ends."""
    begin, end = entry["data_offsets"]
    if not (isinstance(begin, int) and isinstance(end, int) and 0 <= begin <= end <= LARGEST_OFFSET):
        raise ValueError("offsets")
    return end
