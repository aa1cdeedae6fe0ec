"""Records of what this studio has fetched, so that removal never touches other programs' files."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from ltx_studio.models.files import ModelFile, is_file
from ltx_studio.models.hub_cache import HubCache, Remote
from ltx_studio.settings import Settings

Mark = tuple[int, int]
"""Inode, and nanoseconds of the last change. Device numbers may differ after a restart."""


def mark(path: Path) -> Mark:
    state = path.stat()
    return state.st_ino, state.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Entry:
    """A blob in a cache that was fetched, or, without an identity, is being fetched.

    Attributes:
        cache: The cache's folder: another cache may hold the same blob, fetched by another program.
        blob: The `mark` of the file that we wrote; a file that replaced it since is not ours.
    """

    cache: str
    repo: str
    path: str
    commit: str
    etag: str
    blob: Mark | None = None

    @property
    def key(self) -> str:
        return f"{self.cache}|{self.repo}|{self.etag}"


class DownloadRecords:
    """The file ``models/fetched.json`` in the studio's folder. Safe for several processes at once."""

    def __init__(self, settings: Settings, cache: HubCache) -> None:
        self._path = settings.models_dir / "fetched.json"
        self._cache = str(cache.folder.resolve())

    def of(self, file: ModelFile) -> list[Entry]:
        """Return the fetches of all versions of a file into this cache."""
        wanted = (self._cache, file.repo, file.path)
        return [entry for entry in self._read().values() if (entry.cache, entry.repo, entry.path) == wanted]

    def owned(self, file: ModelFile, remote: Remote, blob: Path) -> bool:
        """Return whether this studio fetched `blob`, even if it has been damaged since."""
        ours = [entry.blob[0] for entry in self.of(file) if entry.etag == remote.etag and entry.blob is not None]
        return is_file(blob) and ours == [blob.stat().st_ino]

    def repos(self) -> set[str]:
        """Return the repositories from which something was fetched into this cache."""
        return {entry.repo for entry in self._read().values() if entry.cache == self._cache}

    def begin(self, file: ModelFile, remote: Remote) -> None:
        """Record that a blob is about to be fetched."""
        with self._changing() as entries:
            fresh = Entry(self._cache, file.repo, file.path, remote.commit, remote.etag)
            entries.setdefault(fresh.key, fresh)

    def end(self, file: ModelFile, remote: Remote, blob: Path) -> None:
        """Record that it has been fetched by us into the file `blob`."""
        with self._changing() as entries:
            fresh = Entry(self._cache, file.repo, file.path, remote.commit, remote.etag)
            entries[fresh.key] = replace(fresh, blob=mark(blob))

    def drop_unfinished(self, file: ModelFile, remote: Remote) -> None:
        """Forget a fetch that was started but not needed, because the blob was present."""
        with self._changing() as entries:
            key = Entry(self._cache, file.repo, file.path, remote.commit, remote.etag).key
            if key in entries and entries[key].blob is None:
                del entries[key]

    def forget(self, entry: Entry) -> None:
        with self._changing() as entries:
            entries.pop(entry.key, None)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Entry]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock")):
            entries = self._read()
            yield entries
            scratch = self._path.with_suffix(f".{os.getpid()}.part")
            text = json.dumps([asdict(entry) for entry in entries.values()], indent=1)
            try:
                scratch.write_text(text, encoding="utf-8")
                scratch.replace(self._path)
            finally:
                scratch.unlink(missing_ok=True)

    def _read(self) -> dict[str, Entry]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            entries = [_entry(said) for said in known]
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return {}
        return {entry.key: entry for entry in entries}


def _entry(said: dict[str, Any]) -> Entry:
    """Return an entry, ignoring fields that a newer studio added."""
    blob = said.get("blob")
    known = {name: str(said[name]) for name in ("cache", "repo", "path", "commit", "etag")}
    return Entry(**known, blob=tuple(blob) if blob else None)
