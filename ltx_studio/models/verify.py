"""Checks of model files: the size always, the contents on request."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltx_studio.models.files import BLOCK, ModelFile, is_file
from ltx_studio.models.hub_cache import ETAG, digest_for
from ltx_studio.models.store import Store, by_key

Check = Callable[[ModelFile, int], None]
"""``check(file, bytes read)``, called often while contents are read; may raise."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Progress in bytes of reading a file; the caller may stop after any of these."""

    file: ModelFile
    done: int
    size: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one copy of a file.

    Attributes:
        path: The copy; None if there is none.
        flaw: What is wrong, to follow the name in a sentence; empty if nothing is.
        hashed: Whether its contents were compared with a known hash.
    """

    file: ModelFile
    path: Path | None
    flaw: str
    hashed: bool

    @property
    def is_good(self) -> bool:
        return self.path is not None and not self.flaw

    def as_dict(self) -> dict[str, Any]:
        """Return the data for JSON."""
        return {
            "name": self.file.name,
            "folder": self.file.folder,
            "path": str(self.path) if self.path else None,
            "ok": self.is_good,
            "flaw": self.flaw,
            "hashed": self.hashed,
        }


def verify(files: Iterable[ModelFile], store: Store, check: Check, *, contents: bool) -> Iterator[Verdict]:
    """Yield the verdicts of `look`, reporting progress to `check`."""
    for seen in look(files, store, contents=contents):
        if isinstance(seen, Verdict):
            yield seen
        else:
            check(seen.file, seen.done)


def look(files: Iterable[ModelFile], store: Store, *, contents: bool) -> Iterator[Reading | Verdict]:
    """Check the copies of each file up to the first good one, which is the one in use.

    With `contents`, every byte is read, and compared with the known sha256, or with the one in the cache's name.
    """
    for file in by_key(files):
        verdict, own = None, store.path(file)
        if os.path.lexists(own) and not own.is_symlink() and not is_file(own):
            verdict = Verdict(file, own, "is not a file", hashed=False)
            yield verdict
        for path, _ in store.copies(file):
            flaw = store.flaw(path, file)
            wrong, hashed = (yield from _contents(file, path)) if contents and not flaw else (flaw, False)
            verdict = Verdict(file, path, wrong, hashed)
            yield verdict
            if verdict.is_good:
                break
        if verdict is None:
            yield Verdict(file, None, "is missing", hashed=False)


def _contents(file: ModelFile, path: Path) -> Generator[Reading, None, tuple[str, bool]]:
    """Return what is wrong with the contents, and whether there was a hash to compare them with."""
    expected = known_sha256(file, path)
    if not expected:
        return "", False
    try:
        size, done = path.stat().st_size, 0
        digest = digest_for(expected, size)
        with path.open("rb") as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
                done += len(block)
                yield Reading(file, done, size)
    except OSError as error:
        return f"cannot be read: {error.strerror}", False
    if digest.hexdigest() == expected:
        return "", True
    return f"has the wrong contents: its SHA-256 is {digest.hexdigest()[:12]}…, not {expected[:12]}…", True


def known_sha256(file: ModelFile, path: Path) -> str:
    """Return the known sha256 of a copy without reading it; empty if unknown."""
    return file.sha256 or _name_of_blob(path)


def _name_of_blob(path: Path) -> str:
    """Return the hash in the name of a Hugging Face cache file; empty for files elsewhere."""
    name = path.readlink().name if path.is_symlink() else path.name
    return name if ETAG.fullmatch(name) else ""
