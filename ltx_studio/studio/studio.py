"""The application service behind the command line, the page and the API."""

import logging
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import RequestError
from ltx_studio.events import Event
from ltx_studio.media import InputStore
from ltx_studio.modes import Media
from ltx_studio.queue.database import Database
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.snapshot import QueueSnapshots
from ltx_studio.queue.specs import Spec, read_spec
from ltx_studio.queue.states import Queued, Running
from ltx_studio.queue.workers import WorkerId, any_alive
from ltx_studio.runners.executor import LOOK_SECONDS, JobExecutor
from ltx_studio.runners.local import LocalRunner
from ltx_studio.runners.protocol import Runner
from ltx_studio.runners.worker import Worker
from ltx_studio.settings import Settings
from ltx_studio.studio.models import Models
from ltx_studio.takes import unused_inputs
from ltx_studio.takes.estimates import Estimator
from ltx_studio.takes.history import History
from ltx_studio.takes.retention import forget_jobs
from ltx_studio.takes.take_store import TakeStore

log = logging.getLogger(__name__)

UNWIND_SECONDS = 60.0
"""How long a run may take to stop: it stops within one step, which can take that long on a slow machine."""


class Studio:
    """One studio, open in any number of processes; one of them runs the jobs.

    Attributes:
        uploads: The folder of visitors' uploads, which are removed after a while.

    Raises:
        DatabaseDamagedError: The database is damaged.
        SetupError: The database or its folder cannot be used.
    """

    def __init__(self, settings: Settings, runner: Runner | None = None) -> None:
        self.settings = settings
        self.uploads = settings.temp_dir
        self.runner: Runner = runner or LocalRunner(settings)
        self._database = database = Database(settings.database_file)
        database.check()  # else damage would show only once a clip is made, or when a damaged page is read
        self.queue = Queue(database)
        self.snapshots = QueueSnapshots(database)
        self.history = History(database, settings.outputs_dir, settings.posters_dir)
        self.take_store = TakeStore(settings)
        self.estimate = Estimator(self.history, settings)
        self.live_updates = LiveUpdates()
        self.models = Models(settings, database)
        self._keep = InputStore(settings.kept_dir)
        self._worker: Worker | None = None
        self._caller, self._closing = WorkerId(settings.workers_dir), threading.Event()
        self._guard = threading.Lock()

    def submit(self, owner: str, specs: Sequence[Spec]) -> list[str]:
        """Keep the requests' files, add the requests to the owner's line, all or none, and return the jobs' ids.

        Raises:
            StudioError: A file is gone, or there is no space to keep it.
        """
        jobs = self.queue.submit(owner, [(spec.mode, self._stored(spec)) for spec in specs])
        if self._worker is not None:
            self._worker.nudge()
        return jobs

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

    def work(self, *, only: Collection[str] | None = None, alone: bool = True) -> None:
        """Start this process's worker; a second call does nothing.

        Args:
            only: Run these jobs and no others.
            alone: Wait until no other process of the studio works; False works beside others.
        """
        with self._guard:
            if self._worker is not None:
                return
            minutes = self.settings.keep_alive_minutes
            worker = Worker(
                self.settings.workers_dir,
                self.queue,
                self.runner,
                self.take_store,
                self.live_updates,
                lock=self.settings.worker_lock if alone else None,
                only=only,
                tidy=self.tidy,
                keep_alive=None if minutes is None else minutes * 60,
            )
            worker.start()
            self._worker = worker  # a worker that does not run would keep every later job waiting
        try:
            self.history.remove_leaving()
        except sqlite3.Error:  # they are removed next time
            log.exception("takes that are to go cannot be removed now")

    def tidy(self) -> int:
        """Delete the job rows, and the copies of users' files, that nothing needs; return the bytes freed.

        Raises:
            sqlite3.Error: The database cannot be used.
        """
        forget_jobs(self._database)
        return unused_inputs.free(self._database, self.settings.kept_dir)

    def is_worked(self) -> bool:
        """Return whether a process runs the waiting jobs."""
        lock = FileLock(self.settings.worker_lock)
        try:
            with lock.acquire(blocking=False):
                return any_alive(self.settings.workers_dir)
        except Timeout:
            return True

    def carry_out(self, job_id: str, owner: str, cancel: CancelToken | None = None) -> Iterator[Event]:
        """Run a waiting job in the caller's thread, such as a web request, beside any worker.

        Closing the iterator stops the job. When the stream is over, the job's row says how it ended.

        Raises:
            RequestError: The owner has no such job, or it does not wait.
            OSError: The studio's home cannot be written.
        """
        self.queue.get(job_id, owner)
        self._caller.hold()
        job = self.queue.claim([job_id], worker=self._caller.id)
        if job is None:
            raise RequestError(f"Job {job_id} does not wait any more.", "Look at it in the queue.")
        executor = JobExecutor(
            self.queue, self.runner, self.take_store, self.live_updates, self._caller.id, self._closing
        )
        yield from executor.carry_out(job, cancel or CancelToken())

    def spec(self, job: Job) -> Spec:
        """Return a job's request."""
        return read_spec(job.spec, self.settings)

    def follow(self, job_id: str, owner: str, cancel: CancelToken | None = None) -> Iterator[Job]:
        """Yield the job now and whenever it may have changed; the last one yielded has ended.

        Setting `cancel` stops the job.

        Raises:
            RequestError: The owner has no such job.
        """
        number = -1
        while True:
            found = self.queue.get(job_id, owner)
            yield found
            if not isinstance(found.state, Queued | Running):
                return
            if cancel is not None and cancel.cancelled:
                self.queue.cancel(job_id, owner)
            number = self.live_updates.wait(job_id, number, LOOK_SECONDS).number

    def close(self, timeout: float = UNWIND_SECONDS) -> bool:
        """Put the running job back into the queue, wait, and return whether the process can exit cleanly."""
        self._closing.set()
        stopped = self.close_worker(timeout)
        has_ended = self.runner.close(timeout)
        self.models.close(timeout)
        self._caller.release()
        return has_ended and stopped

    def close_worker(self, timeout: float) -> bool:
        """Close the worker as `close` does, but leave the engine open for others that use it."""
        return self._worker is None or self._worker.close(timeout)
