"""A model file: its name, its source, and what is known of its contents."""

from dataclasses import dataclass
from pathlib import Path

BLOCK = 4 << 20
"""Bytes read at once when the contents of a file are checked."""

Identity = tuple[int, int, int, int]
"""Identity of a file's contents: device, inode, bytes, and nanoseconds of the last change."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that a graph may name.

    Attributes:
        folder: ComfyUI's folder, such as ``checkpoints``.
        name: Path in that folder, with forward slashes, as in graphs.
        repo: Repository on the Hugging Face hub (``Lightricks/LTX-2.3``); empty if it is not there.
        path: Path in the repository.
        size: Bytes; 0 if unknown.
        exact: Whether `size` is exact rather than approximate.
        sha256: Hexadecimal; empty if unknown.
        licence: The licence as users see it.
        gated: Whether the repository requires consent, and so a token.
        use: Its purpose.
        caution: A caution before relying on it.
        built: Whether the studio builds it at set-up.
        alias_of: The key of the known file, if a graph names it by another folder or in other letter case.
    """

    folder: str
    name: str
    repo: str = ""
    path: str = ""
    size: int = 0
    exact: bool = False
    sha256: str = ""
    licence: str = ""
    gated: bool = False
    use: str = ""
    caution: str = ""
    built: bool = False
    alias_of: str = ""

    @property
    def known_key(self) -> str:
        """Return the key that commands use for it."""
        return self.alias_of or self.key

    @property
    def key(self) -> str:
        """Return ``folder/name``, its unique key."""
        return f"{self.folder}/{self.name}"


def identity(path: Path) -> Identity:
    """Return the file's identity, which changes when it is replaced or written to. Links are followed.

    Raises:
        OSError: It does not exist.
    """
    state = path.stat()
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def is_file(path: Path) -> bool:
    """Return whether there is a readable file; one that may not be accessed counts as missing."""
    try:
        return path.is_file()
    except OSError:
        return False
