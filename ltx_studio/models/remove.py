"""Removing model files: only those that this studio fetched, none that another program put there."""

import contextlib
import logging
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ltx_studio.models.download_records import DownloadRecords, Entry, mark
from ltx_studio.models.files import ModelFile, is_file
from ltx_studio.models.hub_cache import PARTIAL, REVISION
from ltx_studio.models.store import Store, by_key

log = logging.getLogger(__name__)

BUSY = "is being downloaded"
NOT_HERE = "is not installed"


@dataclass(frozen=True, slots=True)
class Removal:
    """A planned or finished removal of one file.

    Attributes:
        going: The keys of all files removed with it.
        link: Whether our link in the studio's folder is removed.
        entries: What we fetched for it, and may delete.
        freed: Bytes freed.
        kept: Why contents are kept, to follow the name in a sentence; empty if all are deleted.
    """

    file: ModelFile
    going: frozenset[str]
    link: bool
    entries: tuple[Entry, ...]
    freed: int
    kept: str

    @property
    def does_something(self) -> bool:
        return self.link or self.freed > 0

    def as_dict(self) -> dict[str, Any]:
        """Return the data for JSON."""
        return {"name": self.file.name, "folder": self.file.folder, "freed_bytes": self.freed, "kept": self.kept}


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A partial file that an interrupted download left in the cache, ours or from Hugging Face's own tools."""

    repo: str
    path: Path
    size: int

    @property
    def etag(self) -> str:
        return self.path.name.removesuffix(PARTIAL).partition(".")[0]


def removals(files: Iterable[ModelFile], store: Store) -> list[Removal]:
    """Return what removing `files` would do; delete nothing."""
    chosen = by_key(files)
    return [_removal(file, frozenset(file.key for file in chosen), store) for file in chosen]


def remove(removal: Removal, store: Store) -> Removal:
    """Carry out a removal; return what was done. Each blob is checked again while its lock is held, and stays if
    another program fetches it or has started to use it."""
    freed, kept, ledger = 0, removal.kept, DownloadRecords(store.settings, store.cache)
    for entry in removal.entries:
        with store.cache.lock_if_free(entry.repo, entry.etag) as is_free:
            paths, reason = _deletable(entry, removal.file, removal.going, store) if is_free else ([], BUSY)
            for path in paths:
                try:
                    size = _size(path)
                    path.unlink()
                except OSError as error:
                    reason = f"cannot be deleted: {error.strerror}"
                    break
                freed += size
        kept = reason or kept
        if not reason:
            ledger.forget(entry)
    try:
        if removal.link and store.is_our_link(removal.file):
            store.path(removal.file).unlink()
    except OSError as error:
        kept = f"has a link that cannot be deleted: {error.strerror}"
    return replace(removal, freed=freed, kept=kept)


def left_overs(store: Store) -> list[LeftOver]:
    """Return partial files in the registry's repositories that no process is writing."""
    found = []
    repos = {file.repo for file in store.registry.files.values() if file.repo}
    for repo in sorted(repos | DownloadRecords(store.settings, store.cache).repos()):
        paths: list[Path] = []
        with contextlib.suppress(OSError):  # another user's folder
            paths = sorted((store.cache.repo_dir(repo) / "blobs").glob("*.incomplete"))
        for path in paths:
            if not is_file(path):
                continue
            left = LeftOver(repo, path, path.lstat().st_size)
            with store.cache.lock_if_free(repo, left.etag) as is_free:
                if is_free:
                    found.append(left)
    return found


def clean(left: LeftOver, store: Store) -> int:
    """Delete a partial file unless a process writes to it again; return the bytes freed."""
    with store.cache.lock_if_free(left.repo, left.etag) as is_free:
        try:
            if is_free:
                left.path.unlink()
                return left.size
        except OSError as error:
            log.warning("%s could not be deleted: %s", left.path, error)
    return 0


def _removal(file: ModelFile, going: frozenset[str], store: Store) -> Removal:
    entries, freed, kept = [], 0, ""
    for entry in DownloadRecords(store.settings, store.cache).of(file):
        paths, reason = _deletable(entry, file, going, store)
        freed += sum(_size(path) for path in paths)
        kept = reason or kept
        if paths:
            entries.append(entry)
    if not entries and not kept:
        kept = _why_it_stays(file, store)
    return Removal(file, going, store.is_our_link(file), tuple(entries), freed, kept)


def _deletable(entry: Entry, file: ModelFile, going: Collection[str], store: Store) -> tuple[list[Path], str]:
    """Return the files of a fetch that can be deleted now, and why contents are kept, if they are."""
    blob, partial = store.cache.blob(entry.repo, entry.etag), store.cache.partial(entry.repo, entry.etag)
    pointer = store.cache.repo_dir(entry.repo) / "snapshots" / entry.commit / entry.path
    paths = [partial] if is_file(partial) else []
    contents = blob if os.path.lexists(blob) else pointer
    if not is_file(contents):
        return paths, ""
    reason = _whose(entry, contents, pointer, file, going, store)
    return (paths, reason) if reason else ([*paths, *(path for path in (blob, pointer) if os.path.lexists(path))], "")


def _whose(entry: Entry, contents: Path, pointer: Path, file: ModelFile, going: Collection[str], store: Store) -> str:
    """Return why `contents` are not ours alone; empty if they are."""
    if entry.blob is None or mark(contents) != entry.blob:
        return "was not downloaded by this studio"
    if not os.access(store.cache.repo_dir(entry.repo) / "snapshots", os.R_OK | os.X_OK):
        return "may be used by another revision: the snapshots folder of the cache cannot be read"
    twins = [
        other.key
        for other in store.registry.files.values()
        if (other.repo, other.path) == (file.repo, file.path) and other.key not in going
    ]
    if twins:
        return f"is the same file as {twins[0]}"
    if any(other != pointer for other in _pointers_to(contents, store, entry)) or _other_references(store, entry):
        return "is used by another revision in the Hugging Face cache"
    if contents.stat().st_uid != os.getuid():
        return "belongs to another user of this machine"
    return ""


def _why_it_stays(file: ModelFile, store: Store) -> str:
    found = store.find(file)
    if found is None:
        damaged = next((path for path, _ in store.flawed(file)), None)
        return f"is damaged, and was not downloaded by this studio; it is at {damaged}" if damaged else NOT_HERE
    if file.built:
        return "is installed by the set-up"
    return f"was not downloaded by this studio; it is at {found.path.resolve()}"


def _pointers_to(blob: Path, store: Store, entry: Entry) -> Iterator[Path]:
    for path in (store.cache.repo_dir(entry.repo) / "snapshots").rglob("*"):
        if path.is_symlink() and path.resolve() == blob.resolve():
            yield path


def _other_references(store: Store, entry: Entry) -> list[Path]:
    """Return the cache's references to the same commit, except `main`."""
    refs = store.cache.repo_dir(entry.repo) / "refs"
    others = (path for path in refs.rglob("*") if path != refs / REVISION and path.suffix != ".tmp" and is_file(path))
    return [path for path in others if path.read_bytes().strip() == entry.commit.encode()]


def _size(path: Path) -> int:
    return 0 if path.is_symlink() else path.stat().st_size
