"""One model file: what it is called, where it comes from, and what is known of its bytes."""

from dataclasses import dataclass
from pathlib import Path

BLOCK = 4 << 20
"""Bytes that are read at once when the contents of a file are checked."""

Identity = tuple[int, int, int, int]
"""Of a file's contents: device, inode, bytes, and nanoseconds of the last change."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that a graph may name.

    Attributes:
        folder: ComfyUI's folder, such as ``checkpoints``.
        name: In that folder, with forward slashes, as graphs name it.
        repo: On the Hugging Face hub (``Lightricks/LTX-2.3``); empty when it is not to be had there.
        path: In the repository.
        size: Bytes; 0 when nobody knows.
        exact: Whether `size` is the byte count rather than about it.
        sha256: Hexadecimal; empty when it is not known.
        licence: What a user reads.
        gated: Whether the repository asks for consent, and so for a token.
        use: What it is for.
        caution: What one should know before relying on it.
        built: Whether the studio makes it itself at set-up.
        alias_of: The key of the file that it is, when a graph names it by another folder or in other letters.
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
        """Return the key by which commands know it."""
        return self.alias_of or self.key

    @property
    def key(self) -> str:
        """``folder/name``, which names it among all."""
        return f"{self.folder}/{self.name}"


def identity(path: Path) -> Identity:
    """What changes when a file is replaced or written to. Links are followed.

    Raises:
        OSError: It is not there.
    """
    state = path.stat()
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def is_file(path: Path) -> bool:
    """Whether there is a file that can be looked at; what may not be looked at counts as not there."""
    try:
        return path.is_file()
    except OSError:
        return False
