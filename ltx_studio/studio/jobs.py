"""Jobs as their owners use them: submit, follow, change. Workers use the queue itself."""

import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from ltx_studio.cancel import CancelToken
from ltx_studio.media import InputStore
from ltx_studio.models import get_registry
from ltx_studio.modes import Media
from ltx_studio.queue.batch import CheckedTable, check_batch, read_batch, sweep
from ltx_studio.queue.database import Database
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.snapshot import QueueSnapshot, QueueSnapshots
from ltx_studio.queue.specs import Spec, read_spec
from ltx_studio.queue.states import Cancelled, Queued, Running
from ltx_studio.queue.tables import SUFFIXES
from ltx_studio.settings import Settings

LOOK_SECONDS = 0.25
"""Between two looks at a job that is followed: another process may run it."""


def _nothing() -> None:
    pass


class Jobs:
    """The jobs of one studio. Each owner sees only their own.

    Args:
        settings: The studio's settings.
        database: The studio's database.
        live_updates: The updates of the jobs that run in this process.
        added: Called after jobs were submitted.
        changed: Called after a change that may let a waiting job run.

    Attributes:
        uploads: The folder of visitors' uploads, which are removed after a while.
    """

    TABLE_SUFFIXES = SUFFIXES
    """The usual suffixes of the files that `read_table` reads."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        live_updates: LiveUpdates | None = None,
        added: Callable[[], None] = _nothing,
        changed: Callable[[], None] = _nothing,
    ) -> None:
        self.uploads = settings.temp_dir
        self._settings, self._queue, self._snapshots = settings, Queue(database), QueueSnapshots(database)
        self._live_updates = live_updates or LiveUpdates()
        self._added, self._changed = added, changed
        self._keep = InputStore(settings.kept_dir)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the jobs without the rest of the studio, for commands that only look or change.

        Raises:
            DatabaseDamagedError: The database is damaged.
            SetupError: The database or its folder cannot be used.
        """
        return cls(settings, Database(settings.database_file))

    def submit(self, owner: str, specs: Sequence[Spec]) -> list[str]:
        """Keep the requests' files, add the requests to the owner's queue, all or none, and return the jobs' ids.

        Raises:
            StudioError: A file is gone, or there is no space to keep it.
        """
        jobs = self._queue.submit(owner, [(spec.mode, self._stored(spec)) for spec in specs])
        self._added()
        return jobs

    @staticmethod
    def sweep(spec: Spec, count: int) -> list[Spec]:
        """Return `count` requests with consecutive seeds, starting with the seed of `spec`."""
        return list(sweep(spec, count))

    def read_table(
        self,
        path: Path,
        model_set: str,
        mode: str | None = None,
        preset: str | None = None,
        *,
        with_files: bool = True,
        uploaded: bool = False,
    ) -> list[JobSpec]:
        """Return the requests of a file; see `read_batch`.

        Raises:
            RequestError: The file cannot be read, or a request in it is wrong.
        """
        registry = get_registry(self._settings)
        return read_batch(path, model_set, mode, preset, registry=registry, with_files=with_files, uploaded=uploaded)

    def check_table(
        self, path: Path, model_set: str, mode: str, preset: str | None = None, *, with_files: bool = True
    ) -> CheckedTable:
        """Return every row of an uploaded file with its request or its problem; see `check_batch`.

        Raises:
            RequestError: The file cannot be read, or has no rows.
        """
        registry = get_registry(self._settings)
        return check_batch(path, model_set, mode, preset, registry=registry, with_files=with_files)

    def get(self, job_id: str, owner: str) -> Job:
        """Return one of the owner's jobs.

        Raises:
            RequestError: The owner has no such job.
        """
        return self._queue.get(job_id, owner)

    def of(self, owner: str, *, limit: int | None = None) -> list[Job]:
        """Return the owner's jobs: the running one, the waiting ones in order, then the ended ones, newest first."""
        return self._queue.of(owner, limit=limit)

    def going(self, owner: str, *, limit: int) -> list[str]:
        """Return the ids of the owner's running and waiting jobs, in their order."""
        return [job.id for job in self.of(owner, limit=limit) if isinstance(job.state, Queued | Running)]

    def next(self, owner: str) -> str | None:
        """Return the id of the owner's running job, or of the first waiting one unless the owner has paused."""
        first = next(iter(self.of(owner, limit=1)), None)
        if first is None or not isinstance(first.state, Queued | Running):
            return None
        return None if isinstance(first.state, Queued) and self.is_paused(owner) else first.id

    def snapshot(self, owner: str, *, since: float = 0.0) -> QueueSnapshot:
        """Return the owner's part of the queue, without jobs that ended before `since`, in seconds since the epoch."""
        found = self._snapshots.of(owner, since=since)
        return replace(found, running=tuple(map(self._as_it_is, found.running)))

    def any_running(self) -> bool:
        """Return whether a job of any owner runs."""
        return bool(self._queue.running())

    def request(self, job: Job) -> Spec:
        """Return a job's request.

        Raises:
            RequestError: It cannot be read.
        """
        return read_spec(job.spec, self._settings)

    def follow(
        self, job_id: str, owner: str, cancel: CancelToken | None = None, *, waits: bool = True
    ) -> Generator[Job, None, None]:
        """Yield the job now and whenever it may have changed; the last one yielded has ended.

        Setting `cancel` stops the job. Pass `waits=False` to pause between two looks yourself.

        Raises:
            RequestError: The owner has no such job.
        """
        number = -1
        while True:
            found = self._as_it_is(self._queue.get(job_id, owner))
            yield found
            if not isinstance(found.state, Queued | Running):
                return
            if cancel is not None and cancel.cancelled:
                self._queue.cancel(job_id, owner)
            if waits:
                number = self._live_updates.wait(job_id, number, LOOK_SECONDS).number

    def _as_it_is(self, job: Job) -> Job:
        """Return a job with the stop and the progress that the database does not know yet."""
        state = job.state
        if isinstance(state, Running) and self._live_updates.has_stopped(job.id):
            return replace(job, state=Cancelled(time.time()))
        if isinstance(state, Running) and self._live_updates.is_stopping(job.id):
            job = replace(job, state=replace(state, stopping=True))
        if isinstance(job.state, Running) and (progress := self._live_updates.unwritten(job.id)) is not None:
            job = replace(job, state=replace(job.state, progress=progress))
        return job

    def preview(self, job_id: str) -> tuple[bytes, ...]:
        """Return the latest live preview of a job that runs in this process, one JPEG for each latent frame."""
        return self._live_updates.look(job_id).frames

    def cancel(self, job_id: str, owner: str) -> Job:
        """Cancel a waiting job, or ask a running one to stop; a job that has ended stays unchanged.

        A job that runs in this process stops also while the database cannot be written, such as on a full disk.

        Raises:
            RequestError: The owner has no such job.
        """
        try:
            job = self._queue.cancel(job_id, owner)
        except sqlite3.Error:
            found = self._queue.get(job_id, owner)  # only its owner stops it
            if not isinstance(found.state, Running) or not self._live_updates.stop(job_id):
                raise
            return self._as_it_is(found)
        self._changed()
        return job

    def cancel_rest(self, batch: str, owner: str) -> int:
        """Cancel the waiting jobs of a batch, and return how many there were."""
        cancelled = self._queue.cancel_rest(batch, owner)
        self._changed()
        return cancelled

    def retry(self, job_id: str, owner: str) -> Job:
        """Put a failed or cancelled job at the end of the queue again.

        Raises:
            RequestError: The owner has no such job, or it has neither failed nor been cancelled.
        """
        job = self._queue.retry(job_id, owner)
        self._changed()
        return job

    def move(self, job_id: str, owner: str, place: int) -> None:
        """Move a waiting job to a place in its owner's queue, 0 being the first.

        Raises:
            RequestError: The owner has no such job, or it does not wait.
        """
        self._queue.move(job_id, owner, place)
        self._changed()

    def move_up(self, job_id: str, owner: str) -> None:
        """Move a waiting job before the one that is ahead of it; only those that a snapshot shows can be.

        Raises:
            RequestError: The owner has no such job, or it does not wait.
        """
        waiting = [each.id for each in self.snapshot(owner).waiting]
        self.move(job_id, owner, (waiting.index(job_id) if job_id in waiting else len(waiting)) - 1)

    def pause(self, owner: str) -> None:
        """Keep the owner's jobs from starting; running jobs go on."""
        self._queue.pause(owner)
        self._changed()

    def resume(self, owner: str) -> None:
        """Let the owner's jobs start again."""
        self._queue.pause(owner, paused=False)
        self._changed()

    def is_paused(self, owner: str) -> bool:
        """Return whether the owner's waiting jobs are held back."""
        return self._queue.is_paused(owner)

    def _stored(self, spec: Spec) -> dict[str, Any]:
        """Keep a request's files, and return its stored form with the user's names of the files."""
        names: dict[str, str] = {}

        def keep(path: Path, kind: Media) -> Path:
            kept = self._kept(path, kind)
            names[kept.name] = path.name
            return kept

        stored = spec.with_files(keep).as_dict()
        return {**stored, "names": names} if names else stored

    def _kept(self, path: Path, kind: Media) -> Path:
        """Keep a file and return its path. LoRAs are large, so they are linked in place unless they were uploaded."""
        uploaded = path.resolve().is_relative_to(self.uploads.resolve())
        return self._keep(path, linked=kind is Media.LORA and not uploaded)
