"""Ensure that model files are present: fetch missing ones in parallel and report progress as a stream of events."""

import os
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from ltx_studio.cancel import CancelToken
from ltx_studio.downloads.file_download import PATIENCE, Fetch, Patience, storage_error
from ltx_studio.downloads.hub import Hub, offline
from ltx_studio.errors import DiskFullError, DownloadError, GateError, StoppedError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Fetching, FetchPhase, Finished, Heartbeat, Waiting
from ltx_studio.models.download_records import DownloadRecords
from ltx_studio.models.files import Identity, ModelFile, identity, is_file
from ltx_studio.models.hub_cache import Remote
from ltx_studio.models.plan import free_bytes
from ltx_studio.models.store import NOTHING, Found, Origin, Store, by_key
from ltx_studio.text.formatting import in_bytes
from ltx_studio.text.phrases import KEPT

AT_ONCE = 3
"""Maximum parallel downloads. More do not speed up one connection, and each adds seeks on a hard disk."""

ASKED_AT_ONCE = 16
"""Maximum parallel metadata requests to the hub."""

ASKED_AGAIN = 3
"""Maximum retries while answers about one repository name different commits: an old one may arrive last."""

TICK = 0.2
"""Seconds between progress checks."""


@dataclass(slots=True)
class _Task:
    """A file being fetched; its thread writes it, the event stream reads it."""

    file: ModelFile
    remote: Remote | None = None
    size: int = 0
    done: int = 0
    phase: FetchPhase = "queued"
    note: str = ""
    error: StudioError | None = None
    fetch: Fetch | None = None
    told: tuple[FetchPhase, int, str] | None = None

    def report(self, phase: FetchPhase, done: int, note: str) -> None:
        self.done = max(self.done, min(done, self.size))
        self.phase, self.note = phase, note

    @property
    def state(self) -> tuple[FetchPhase, int, str]:
        return self.phase, self.done, self.note


@dataclass(slots=True)
class _Work:
    """The work that threads do on tasks, and the token that cancels it."""

    store: Store
    hub: Hub
    patience: Patience
    distrust: Collection[Identity]
    repair: bool
    ledger: DownloadRecords
    stop: CancelToken = field(default_factory=CancelToken)

    def ask(self, task: _Task) -> None:
        task.fetch = Fetch(self.hub, task.file, self.patience, self.stop, task.report)
        task.remote = task.fetch.remote()
        task.size, task.phase, task.note = task.remote.size, "queued", ""

    def get(self, task: _Task) -> None:
        assert task.remote is not None
        assert task.fetch is not None
        file, remote, blob = task.file, task.remote, self.store.cache.blob(task.file.repo, task.remote.etag)
        was_anothers = os.path.lexists(blob) and not self.ledger.owned(file, remote, blob)
        try:
            self.ledger.begin(file, remote)
            task.fetch.run(
                remote, lambda got: None if was_anothers else self.ledger.end(file, remote, got), self.distrust
            )
            self.ledger.drop_unfinished(file, remote)
        except OSError as error:
            raise storage_error(error, file, remote.size) from None
        pointer = self.store.cache.pointer(file, remote)
        wrong = self.store.flaw(pointer, file)
        if wrong:
            raise DownloadError(
                f"The hub's copy of {file.name} is damaged: it {wrong}.",
                "Report it to the repository's owner.",
                where=file.repo,
            )
        self.store.link(file, Found(pointer, Origin.CACHE, remote.size), set_aside=self.repair)
        task.report("done", remote.size, task.fetch.note)

    def room_for(self, task: _Task) -> int:
        """Return the bytes that a task still needs."""
        assert task.remote is not None
        cache, repo, etag = self.store.cache, task.file.repo, task.remote.etag
        blob, partial = cache.blob(repo, etag), cache.partial(repo, etag)
        if is_file(blob) and blob.stat().st_size == task.size and identity(blob) not in self.distrust:
            return 0
        return task.size - min(task.size, partial.stat().st_size if is_file(partial) else 0)


def ensure_models(
    files: Sequence[ModelFile],
    store: Store,
    cancel: CancelToken | None = None,
    *,
    distrust: Collection[Identity] = NOTHING,
    repair: bool = False,
    patience: Patience = PATIENCE,
    at_once: int = AT_ONCE,
) -> Iterator[Event]:
    """Ensure that `files` are whole and linked; yield events on the way.

    Files that are present need no network. It ends with exactly one of Finished, Failed, Cancelled, and does not
    raise; what has been fetched is kept in any case. Counts of bytes never go back, and the totals are real ones.
    One unavailable file does not stop the others, but a gated repository or a full disk does.

    Args:
        distrust: Identities of copies to treat as damaged.
        repair: Whether to move a damaged file in the studio's own folder aside for the whole one.
    """
    began = time.monotonic()
    hub = Hub(store.settings, store.cache, store.token)
    work = _Work(store, hub, patience, distrust, repair, DownloadRecords(store.settings, store.cache))
    tasks: list[_Task] = []
    try:
        tasks = _tasks(by_key(files), work)
        missing = [task for task in tasks if task.phase != "done" and task.error is None]
        if missing:
            _refuse_offline(missing, work.hub)
            yield Waiting("hub")
            yield from _in_threads(missing, work.ask, work, cancel, ASKED_AT_ONCE, _told_of_faults)
            for _ in range(ASKED_AGAIN):
                older = _of_older_commits(missing)
                yield from _in_threads(older, work.ask, work, cancel, ASKED_AT_ONCE, _told_of_faults)
            _raise_first(missing, GateError)
            missing = [task for task in missing if task.error is None]
            _refuse_what_does_not_fit(missing, work)
            yield from _in_threads(missing, work.get, work, cancel, at_once, lambda _: _told(tasks))
        yield from _told(tasks)
        _raise_first(tasks, StudioError)
        _raise_unfinished(tasks)
    except StoppedError:
        yield Cancelled()
    except StudioError as error:
        yield Failed(error)
    except Exception as error:
        yield Failed(DownloadError.unexpected(error, details=traceback.format_exc()))
    else:
        yield Finished((), time.monotonic() - began)
    finally:
        work.stop.cancel()
        for task in tasks:
            if task.fetch is not None:
                task.fetch.abort()


def _tasks(files: Sequence[ModelFile], work: _Work) -> list[_Task]:
    """Return a task for each file; link files that are present, and fail those without a source."""
    tasks = []
    for file in files:
        task = _Task(file)
        tasks.append(task)
        try:
            found = work.store.find(file, work.distrust)
            if found is not None:
                work.store.link(file, found, set_aside=work.repair)
                task.size, task.done, task.phase = found.size, found.size, "done"
            elif not file.repo:
                raise work.store.missing([file])
            else:
                work.store.check_way(file, set_aside=work.repair)
        except StudioError as error:
            task.error, task.phase, task.note = error, "failed", error.message
    return tasks


def _of_older_commits(tasks: Sequence[_Task]) -> list[_Task]:
    """Return the tasks resolved just before their repository got a new commit: a cache has one current commit."""
    latest: dict[str, Remote] = {}
    for task in tasks:
        if task.remote is not None:
            known = latest.get(task.file.repo, task.remote)
            latest[task.file.repo] = max(known, task.remote, key=lambda remote: remote.asked)
    return [task for task in tasks if task.remote and task.remote.commit != latest[task.file.repo].commit]


def _refuse_offline(missing: Sequence[_Task], hub: Hub) -> None:
    if hub.is_offline:
        raise offline([task.file for task in missing])


def _refuse_what_does_not_fit(missing: Sequence[_Task], work: _Work) -> None:
    cache = work.store.cache.folder
    by_blob = {(task.file.repo, task.remote and task.remote.etag): work.room_for(task) for task in missing}
    need, free = sum(by_blob.values()), free_bytes(cache)
    if need > free:
        raise DiskFullError(
            f"The download needs {in_bytes(need)}, but only {in_bytes(free)} is free at {cache}.",
            f"Free {in_bytes(need - free)} there, or set HF_HUB_CACHE to a folder on a larger disk.",
            where=str(cache),
        )


def _in_threads(
    tasks: Sequence[_Task],
    do: Callable[[_Task], None],
    work: _Work,
    cancel: CancelToken | None,
    at_once: int,
    tell: Callable[[Sequence[_Task]], Iterator[Event]],
) -> Iterator[Event]:
    """Run every task in threads and yield events; a full disk stops all tasks, any other failure only its own."""
    todo: SimpleQueue[_Task] = SimpleQueue()
    for task in tasks:
        todo.put(task)
    threads = [
        threading.Thread(target=_until_empty, args=(todo, do, work.stop), name="models-fetch", daemon=True)
        for _ in range(min(at_once, len(tasks)))
    ]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    while alive := [thread for thread in threads if thread.is_alive()]:
        if cancel is not None and cancel.cancelled:
            raise StoppedError("Stopped.", KEPT)
        alive[0].join(TICK)
        yield from tell(tasks)
        yield Heartbeat(time.monotonic() - began)


def _until_empty(todo: "SimpleQueue[_Task]", do: Callable[[_Task], None], stop: CancelToken) -> None:
    while not stop.cancelled:
        try:
            task = todo.get_nowait()
        except Empty:
            return
        try:
            do(task)
        except StudioError as error:
            task.error = error
        except Exception as error:
            task.error = DownloadError.unexpected(error, details=traceback.format_exc())
        if task.error is not None:
            task.report("failed", task.done, task.error.message)
            if isinstance(task.error, DiskFullError):
                stop.cancel()


def _raise_first(tasks: Sequence[_Task], kind: type[StudioError]) -> None:
    """Raise the most important error: a full disk, then the first failure; a cancellation only as the last resort."""
    errors = [task.error for task in tasks if task.error is not None]
    told = [error for error in errors if isinstance(error, kind) and not isinstance(error, StoppedError)]
    for error in sorted(told, key=lambda error: not isinstance(error, DiskFullError)):
        raise error
    if any(isinstance(error, StoppedError) for error in errors):
        raise StoppedError("Stopped.", KEPT)


def _raise_unfinished(tasks: Sequence[_Task]) -> None:
    """Raise if a file is not complete although no task has an error: its thread ended in the middle."""
    names = [task.file.name for task in tasks if task.phase != "done"]
    if names:
        raise DownloadError(f"The download of {', '.join(names)} ended early.", "Try again: the download resumes.")


def _told_of_faults(tasks: Sequence[_Task]) -> Iterator[Event]:
    """Yield events for pauses only, because sizes are unknown while the hub is queried."""
    for task in tasks:
        if task.state != task.told and task.phase == "retrying":
            task.told = task.state
            yield Waiting("hub", f"{task.file.name}: {task.note}")


def _told(tasks: Sequence[_Task]) -> Iterator[Event]:
    """Yield one event for each task that has changed since its last event."""
    all_size = sum(task.size for task in tasks)
    for task in tasks:
        state = task.state
        if state != task.told:
            task.told = state
            phase, done, note = state
            all_done = sum(other.told[1] if other.told else 0 for other in tasks)
            yield Fetching(task.file.key, phase, done, task.size, all_done, all_size, note)
