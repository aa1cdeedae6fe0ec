"""The ICC profile of a JPEG 2000 picture, which Pillow does not read."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_PROFILED = {2, 3}
"""Methods of colour specification with an ICC profile: restricted (JP2), or any (JPX)."""

_MOST_BYTES = 4_000_000
_MOST_BOXES = 1_000


def with_profile(path: Path, image: Any) -> Any:
    """Return an opened picture with its file's profile, if it is a JPEG 2000 picture that has one.

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
        if file.read(len(_SIGNATURE)) != _SIGNATURE:  # a raw codestream cannot contain one
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
    """Yield the kind and the end of each box up to `end`, with the file positioned at its contents."""
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
