"""Downloads as database rows hold them: which files, their progress, and their state."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from ltx_studio.errors import StudioError
from ltx_studio.events import Fetching, Waiting, from_dict, to_dict
from ltx_studio.models.files import Identity
from ltx_studio.queue.states import Cancelled, Done, Failed, Queued, Running, State
from ltx_studio.queue.stored_json import error_of, object_of


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """The progress of a download.

    Attributes:
        files: The latest event of each file, in the order in which they began.
        wait: What it waits for; None while bytes come.
    """

    files: tuple[Fetching, ...] = ()
    wait: Waiting | None = None

    @property
    def newest(self) -> Fetching | None:
        """Return the event with the latest counts of all bytes."""
        return max(self.files, key=lambda each: each.all_done, default=None)

    @property
    def done(self) -> int:
        """Return how many bytes of all files are here."""
        return self.newest.all_done if self.newest else 0

    @property
    def size(self) -> int:
        """Return the bytes of all files; 0 before the hub has answered."""
        return self.newest.all_size if self.newest else 0

    def store(self) -> dict[str, Any]:
        """Return what a database row keeps."""
        return {"files": [to_dict(each) for each in self.files], "wait": self.wait and to_dict(self.wait)}


@dataclass(frozen=True, slots=True)
class Download:
    """Model files that are downloaded together, and the progress.

    Attributes:
        id: Short and unique.
        title: What it is, for users.
        cache: The folder of the Hugging Face cache that the files go to.
        files: The keys of the files in the registry.
        damaged: The copies that it replaces, if it is a repair; None otherwise.
        created: When it was requested, in seconds since the epoch.
        state: Where it is in its life; a finished one has no take.
        progress: Its progress.
        worker: The worker that carries it out or did last; of a waiting one, the only one that may. None is anyone.
        lease_until: When that worker's lease ends, in seconds since the epoch.
    """

    id: str
    title: str
    cache: str
    files: tuple[str, ...]
    damaged: frozenset[Identity] | None
    created: float
    state: State
    progress: DownloadProgress
    worker: str | None = None
    lease_until: float | None = None

    @property
    def is_active(self) -> bool:
        """Return whether it waits or runs."""
        return isinstance(self.state, Queued | Running)

    @property
    def is_stopping(self) -> bool:
        """Return whether it runs and has been asked to stop."""
        return isinstance(self.state, Running) and self.state.stopping

    @property
    def error(self) -> StudioError | None:
        """Return why it has failed; None if it has not."""
        return self.state.error if isinstance(self.state, Failed) else None

    def as_dict(self) -> dict[str, Any]:
        """Return the download for JSON; ``error`` appears only if it has failed."""
        shown: dict[str, Any] = {
            "id": self.id,
            "state": self.state.name,
            "title": self.title,
            "created": self.created,
            "files": list(self.files),
            "repair": self.damaged is not None,
            "stopping": self.is_stopping,
            "bytes": self.progress.done,
            "total_bytes": self.progress.size,
            "fetching": [
                {"file": each.file, "phase": each.phase, "bytes": each.done, "total_bytes": each.size}
                for each in self.progress.files
            ],
        }
        return shown | ({"error": self.error.as_dict()} if self.error else {})


def download_of(row: sqlite3.Row) -> Download:
    """Return the download in a row of the table."""
    files = object_of(f'{{"files": {row["files"]}}}') or {}
    return Download(
        row["id"],
        row["title"],
        row["cache"],
        tuple(str(key) for key in files.get("files", ())),
        _damaged_of(row["damaged"]),
        row["created"],
        _state_of(row),
        _progress_of(row["progress"]),
        row["worker"],
        row["lease_until"],
    )


def _state_of(row: sqlite3.Row) -> State:
    started, ended = row["started"] or row["created"], row["ended"] or row["created"]
    match row["state"]:
        case "queued":
            return Queued(0, row["attempts"])
        case "running":
            return Running(started, stopping=bool(row["stopping"]))
        case "done":
            return Done(started, ended, "")
        case "failed":
            return Failed(ended, error_of(row["error"]))
    return Cancelled(ended)


def _damaged_of(text: str | None) -> frozenset[Identity] | None:
    found = object_of(f'{{"copies": {text}}}') if text is not None else None
    if found is None:
        return None
    copies = [each for each in found["copies"] if isinstance(each, list) and len(each) == 4]
    return frozenset((int(a), int(b), int(c), int(d)) for a, b, c, d in copies)


def _progress_of(text: str | None) -> DownloadProgress:
    """Return the progress in a row; empty if it is damaged."""
    found = object_of(text) or {}
    try:
        events = tuple(from_dict(each) for each in found.get("files", ()))
        wait = from_dict(found["wait"]) if found.get("wait") else None
    except (ValueError, TypeError, AttributeError):
        return DownloadProgress()
    files = tuple(each for each in events if isinstance(each, Fetching))
    return DownloadProgress(files, wait if isinstance(wait, Waiting) else None)
