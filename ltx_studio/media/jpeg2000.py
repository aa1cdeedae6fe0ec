"""The ICC profile of a JPEG 2000 picture, which Pillow does not read."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_PROFILED = {2, 3}
"""Ways to say what the colours are: by a plain profile (of JP2), or by any (of JPX)."""

_MOST_BYTES = 4_000_000
_MOST_BOXES = 1_000


def with_profile(path: Path, image: Any) -> Any:
    """Return an opened picture, with the profile of its file if it is a JPEG 2000 picture that has one.

    Raises:
        OSError: The file cannot be read.
    """
    if image.format == "JPEG2000" and "icc_profile" not in image.info:
        profile = _profile(path)
        if profile is not None:
            image.info["icc_profile"] = profile
    return image


def _profile(path: Path) -> bytes | None:
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:  # the plain stream has no place for one
            return None
        file.seek(0)
        header = next((end for kind, end in _boxes(file, path.stat().st_size) if kind == b"jp2h"), None)
        if header is None:
            return None
        for kind, end in _boxes(file, header):
            if kind == b"colr":  # the first one counts
                method, size = file.read(3)[:1], end - file.tell()
                is_profile = bool(method) and method[0] in _PROFILED and 0 < size <= _MOST_BYTES
                return file.read(size) if is_profile else None
    return None


def _boxes(file: IO[bytes], end: int) -> Iterator[tuple[bytes, int]]:
    """Give the kind of each box up to `end`, and where it ends, with the file where its contents begin."""
    for _ in range(_MOST_BOXES):
        start = file.tell()
        head = file.read(8)
        size = int.from_bytes(head[:4])
        if size == 1:
            size = int.from_bytes(file.read(8))
        last = end if size == 0 else start + size
        if len(head) < 8 or last > end or last < file.tell():
            return
        yield head[4:], last
        file.seek(last)
