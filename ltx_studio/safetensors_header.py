"""The header of a safetensors file: its tensors, and the size that the whole file must have.

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
"""The most bytes that the format allows for the header; the studio reads `limits.SAFETENSORS_HEADER`."""

LARGEST_OFFSET = 2**63 - 1

_METADATA = "__metadata__"
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
"""The first bytes of torch's own files: a zip archive, or a bare pickle."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one file.

    Attributes:
        size: Bytes of the whole file, according to its header.
        tensors: Name → ``{"dtype", "shape", "data_offsets"}``.
        metadata: What its author wrote about it; any text.
    """

    size: int
    tensors: Mapping[str, Any]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """Read the header of a file; an unchanged file is read once.

    Raises:
        ValueError: The file is not a safetensors file; the text is the reason, to follow "because".
        OSError: The file cannot be read.
    """
    state = path.stat()
    return _read(path, state.st_size, state.st_mtime_ns)


def flaw(path: Path) -> str:
    """Return why a file is not a complete safetensors file, to follow its name in a sentence; empty if it is one."""
    try:
        state = path.stat()
        size, expected = state.st_size, _whole_size(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError as error:
        return f"is not a safetensors file: {error}"
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
            raise ValueError("it is a pickle, which can run code")
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
        noted = header.get(_METADATA)
        notes = noted.items() if isinstance(noted, dict) else ()
        metadata = {name: text for name, text in notes if isinstance(text, str)}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        raise ValueError("its header is damaged") from None
    return Header(8 + length + end, tensors, metadata)


def _end_of(entry: Mapping[str, Any]) -> int:
    """Return the offset at which a tensor's data ends."""
    begin, end = entry["data_offsets"]
    if not (isinstance(begin, int) and isinstance(end, int) and 0 <= begin <= end <= LARGEST_OFFSET):
        raise ValueError("offsets")
    return end
