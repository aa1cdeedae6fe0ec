"""What this studio has fetched, so that removing never touches what another program has."""

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
"""Inode and nanoseconds of the last change. Device numbers may differ after a restart."""


def mark(path: Path) -> Mark:
    state = path.stat()
    return state.st_ino, state.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Entry:
    """One blob of one cache that was fetched, or is being fetched while it has no identity.

    Attributes:
        cache: The cache's folder: another one may hold the same blob, fetched by somebody else.
        blob: The `mark` of the very file that we wrote; what has taken its place since is another's.
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
    """``models/fetched.json`` in the studio's folder. Safe in several processes at once."""

    def __init__(self, settings: Settings, cache: HubCache) -> None:
        self._path = settings.models_dir / "fetched.json"
        self._cache = str(cache.folder.resolve())

    def of(self, file: ModelFile) -> list[Entry]:
        """What was fetched for a file into this cache: of each of its versions."""
        wanted = (self._cache, file.repo, file.path)
        return [entry for entry in self._read().values() if (entry.cache, entry.repo, entry.path) == wanted]

    def owned(self, file: ModelFile, remote: Remote, blob: Path) -> bool:
        """Whether `blob` was of our doing, also when it has been damaged since."""
        ours = [entry.blob[0] for entry in self.of(file) if entry.etag == remote.etag and entry.blob is not None]
        return is_file(blob) and ours == [blob.stat().st_ino]

    def repos(self) -> set[str]:
        """The repositories that something was fetched from into this cache."""
        return {entry.repo for entry in self._read().values() if entry.cache == self._cache}

    def begin(self, file: ModelFile, remote: Remote) -> None:
        """Note that a blob is about to be fetched."""
        with self._changing() as entries:
            fresh = Entry(self._cache, file.repo, file.path, remote.commit, remote.etag)
            entries.setdefault(fresh.key, fresh)

    def end(self, file: ModelFile, remote: Remote, blob: Path) -> None:
        """Note that it is here, in the file `blob`, and by our doing."""
        with self._changing() as entries:
            fresh = Entry(self._cache, file.repo, file.path, remote.commit, remote.etag)
            entries[fresh.key] = replace(fresh, blob=mark(blob))

    def drop_unfinished(self, file: ModelFile, remote: Remote) -> None:
        """Forget a fetch that was begun and then not needed, as the blob was there."""
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
    """What a newer studio has added is left out."""
    blob = said.get("blob")
    known = {name: str(said[name]) for name in ("cache", "repo", "path", "commit", "etag")}
    return Entry(**known, blob=tuple(blob) if blob else None)
