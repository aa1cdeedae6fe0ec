"""The application service behind the command line, the page and the API."""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Collection, Generator, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory
from ltx_studio.errors import RequestError, SetupError, StudioError
from ltx_studio.events import Event
from ltx_studio.families import ModelSet
from ltx_studio.models import get_registry
from ltx_studio.models.hardware import Hardware
from ltx_studio.queue.database import Database
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.workers import WorkerId, any_alive
from ltx_studio.runners import visitors
from ltx_studio.runners.cluster_state import WorkerState
from ltx_studio.runners.executor import JobExecutor
from ltx_studio.runners.local import LocalRunner
from ltx_studio.runners.protocol import UNWIND_SECONDS, ClusterRunner, Cost, Runner
from ltx_studio.runners.recovery import recover
from ltx_studio.runners.worker import TIDY_SECONDS, Worker
from ltx_studio.runners.worker_pool import WorkerPool
from ltx_studio.settings import Settings
from ltx_studio.studio import will_it_run
from ltx_studio.studio.background_set_up import BackgroundSetUp
from ltx_studio.studio.jobs import Jobs
from ltx_studio.studio.models import Models
from ltx_studio.studio.recipes import Recipes
from ltx_studio.studio.set_up import is_set_up
from ltx_studio.studio.takes import Takes
from ltx_studio.studio.will_it_run import Suggestion
from ltx_studio.studio.workflows import Workflows
from ltx_studio.takes.retention import forget_jobs
from ltx_studio.takes.take_store import TakeStore

log = logging.getLogger(__name__)


class Studio:
    """One studio, open in any number of processes; one of them runs the jobs.

    Args:
        settings: The studio's settings.
        runner: Executes the jobs; an engine in this process unless given.
        works: Whether this process runs waiting jobs. Its worker begins with `start` or with the first job submitted:
            ComfyUI does not start before somebody needs it.
        in_request: Whether jobs are carried out by `follow`, in the web request that follows them, and by no worker.

    Attributes:
        jobs: What waits, runs and has ended.
        takes: The history.
        recipes: How videos were made.
        workflows: Workflows of the user's own.
        models: The model files, and their downloads.

    Raises:
        DatabaseDamagedError: The database is damaged.
        SetupError: The database or its folder cannot be used.
    """

    def __init__(
        self, settings: Settings, runner: Runner | None = None, *, works: bool = False, in_request: bool = False
    ) -> None:
        self.settings = settings
        self._works, self._in_request, self._runner = works, in_request, runner or LocalRunner(settings)
        self._database = database = Database(settings.database_file)
        database.check()  # else damage would show only once a clip is made, or when a damaged page is read
        self._queue, self._take_store, self._live_updates = Queue(database), TakeStore(settings), LiveUpdates()
        self.jobs = Jobs(
            settings, database, live_updates=self._live_updates, added=self._begin, changed=self._begin_if_possible
        )
        self.takes = Takes(settings, database)
        self.recipes, self.workflows = Recipes(settings), Workflows(settings)
        self.models = Models(settings, database)
        self._worker: Worker | WorkerPool | None = None
        self._caller, self._closing = WorkerId(settings.workers_dir), threading.Event()
        self._guard, self._kept_up = threading.Lock(), -math.inf
        self._set_up: BackgroundSetUp | None = None

    def set_up(self, run: BackgroundSetUp | None = None) -> None:
        """Run the set-up in the background. Jobs wait until it is done, and `problem` says what happens.

        Args:
            run: The run of the set-up, for tests.
        """
        self._set_up = run or BackgroundSetUp(self._begin_if_possible)
        self._set_up.start()

    @property
    def is_setting_up(self) -> bool:
        """Whether a set-up runs in the background."""
        return self._set_up is not None and self._set_up.is_running

    def start(self) -> None:
        """Get the engine ready in the background, and begin with the waiting jobs if this process runs them."""
        if self.is_setting_up:
            return
        self._runner.start()
        if self._in_request:
            self._do_the_workers_upkeep()
        self._begin()

    def _do_the_workers_upkeep(self) -> None:
        """Recover lost jobs and clean up, at most once every `TIDY_SECONDS`, where no worker does."""
        with self._guard:
            is_due = time.monotonic() - self._kept_up > TIDY_SECONDS
            self._kept_up = time.monotonic() if is_due else self._kept_up
        if not is_due:
            return
        try:
            recover(self._queue, self._take_store, self.settings.workers_dir)
            self.takes.remove_leaving()
            self.tidy()
        except (sqlite3.Error, OSError):
            log.exception("lost jobs and unused files could not be looked after yet")

    def _begin(self) -> None:
        """Have waiting jobs and downloads run at once if this process runs them."""
        if self._works and not self.is_setting_up and not self._closing.is_set():
            if not self._in_request:
                self.work()
            self.models.work()
        if self._worker is not None:
            self._worker.nudge()

    def _begin_if_possible(self) -> None:
        """Do the same as `_begin`, unless nothing can run here: the waiting jobs would only fail."""
        if self._works and self.problem() is None:
            self._begin()

    def work(self, *, only: Collection[str] | None = None, alone: bool = True) -> None:
        """Start this process's worker; a second call does nothing.

        Args:
            only: Run these jobs and no others.
            alone: Wait until no other process of the studio works; False works beside others.
        """
        with self._guard:
            if self._worker is not None or self._closing.is_set():
                return
            worker: Worker | WorkerPool
            if isinstance(self._runner, ClusterRunner):
                worker = self._new_pool(self._runner)
            else:
                worker = self._new_worker(only, alone=alone)
            worker.start()
            self._worker = worker  # a worker that does not run would keep every later job waiting
        try:
            self.takes.remove_leaving()
        except sqlite3.Error:  # they are removed next time
            log.exception("takes that are to go cannot be removed now")

    def _new_worker(self, only: Collection[str] | None, *, alone: bool) -> Worker:
        minutes = self.settings.keep_alive_minutes
        return Worker(
            self.settings.workers_dir,
            self._queue,
            self._runner,
            self._take_store,
            self._live_updates,
            lock=self.settings.worker_lock if alone else None,
            only=only,
            tidy=self.tidy,
            keep_alive=None if minutes is None else minutes * 60,
        )

    def _new_pool(self, runner: ClusterRunner) -> WorkerPool:
        return WorkerPool(
            self.settings.workers_dir,
            self._queue,
            runner,
            self._take_store,
            self._live_updates,
            lanes=runner.lanes,
            lock=self.settings.worker_lock,
            tidy=self.tidy,
        )

    def tidy(self) -> int:
        """Delete takes that can no longer be put back, and the job rows and copies of users' files that nothing needs.

        Returns:
            The bytes of the copies.

        Raises:
            sqlite3.Error: The database cannot be used.
        """
        self.takes.remove_leaving()
        forget_jobs(self._database)
        return self.takes.free_inputs()

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
        self._queue.get(job_id, owner)
        self._caller.hold()
        job = self._queue.claim([job_id], worker=self._caller.id)
        if job is None:
            raise RequestError(f"Job {job_id} is no longer waiting.", "See it in the queue.")
        executor = JobExecutor(
            self._queue, self._runner, self._take_store, self._live_updates, self._caller.id, self._closing
        )
        yield from executor.carry_out(job, cancel or CancelToken())

    def follow(
        self, job_id: str, owner: str, cancel: CancelToken | None = None, *, waits: bool = True
    ) -> Generator[Job, None, None]:
        """Yield the job now and whenever it may have changed; the last one yielded has ended.

        Where jobs are carried out in requests, this carries a waiting job out, at once and in the caller's context, and
        closing the iterator stops it. Elsewhere the worker does, and the job goes on. Setting `cancel` stops the job.
        Pass `waits=False` to pause between two looks yourself.

        Raises:
            RequestError: The owner has no such job.
        """
        if not self._in_request:
            return self.jobs.follow(job_id, owner, cancel, waits=waits)
        from ltx_studio.studio import in_request

        cancel = cancel or CancelToken()
        return in_request.follow(
            self.jobs, self.carry_out, job_id, owner, cancel, lambda: not self.is_setting_up, waits=waits
        )

    @staticmethod
    def work_for(owner: str) -> None:
        """Note whose request the caller's context carries out: what runs cost may depend on it."""
        visitors.work_for(owner)

    def cost(self, spec: Spec) -> Cost | None:
        """Return what a run of a request would cost the visitor, or None where runs cost nothing; see `work_for`."""
        return self._runner.cost(spec)

    def preview_control(self, spec: JobSpec, destination: Path, cancel: CancelToken) -> Path:
        """Write a PNG with frames of the control clip above the maps that steer the run, and return its path.

        Raises:
            StudioError: The request has no control clip, or the maps cannot be made.
            OSError: The PNG cannot be written.
        """
        from ltx_studio.studio.control_preview import write_control_preview

        return write_control_preview(spec, destination, self._runner, cancel)

    def problem(self) -> StudioError | None:
        """Return why nothing can run here now, or None. Looks at files only."""
        if self._set_up is not None and self._set_up.is_running:
            step = f": {self._set_up.step}" if self._set_up.step else ""
            return SetupError(
                f"The studio is being set up{step}.",
                "This takes a few minutes, the first time only. Jobs wait until it is done.",
            )
        if self._set_up is not None and self._set_up.error is not None and not is_set_up(self.settings):
            return self._set_up.error
        return self._runner.problem()

    def is_broken(self) -> bool:
        """Return whether the engine cannot get ready, or has failed to; `start` tries again."""
        return not self.is_setting_up and (self._runner.failed() or self.problem() is not None)

    def memory(self) -> Memory | None:
        """Return the memory of the engine's device; None while the engine is not ready."""
        return self._runner.memory()

    def hardware(self) -> Hardware | None:
        """Return the hardware that runs jobs; None where they run on other machines."""
        return will_it_run.hardware(self.memory()) if isinstance(self._runner, LocalRunner) else None

    def warning(self, model_set: ModelSet) -> str:
        """Return a sentence on why a model set hardly runs on this machine; empty if it does, or if that is unknown."""
        found = self.hardware()
        return "" if found is None else will_it_run.warning(model_set, get_registry(self.settings), found)

    def misfit(self, spec: JobSpec) -> Suggestion | None:
        """Return why a request hardly fits on this machine, and what does; None if it fits, or if that is unknown."""
        found = self.hardware()
        return None if found is None else will_it_run.misfit(spec, get_registry(self.settings), found)

    def workers(self) -> list[WorkerState]:
        """Return the state of each worker of the cluster; none without one."""
        return self._runner.workers() if isinstance(self._runner, ClusterRunner) else []

    @property
    def lacks_workers(self) -> bool:
        """Whether jobs wait because no worker of the cluster can run them now."""
        return isinstance(self._runner, ClusterRunner) and self._runner.lanes() == 0

    def unload(self) -> tuple[Memory, Memory] | None:
        """Free all models; return the memory before and after, or None if there is nothing to free.

        Raises:
            BusyError: A run is in progress.
        """
        return self._runner.unload()

    def close(self, timeout: float = UNWIND_SECONDS) -> bool:
        """Put the running job back into the queue, wait, and return whether the process can exit cleanly."""
        self._closing.set()
        if self._set_up is not None:
            self._set_up.stop()
        self.models.stop()
        end = time.monotonic() + timeout

        def left() -> float:
            return max(end - time.monotonic(), 0.0)

        has_stopped = self.close_worker(timeout)
        has_ended = self._runner.close(left())
        has_put_back = self.models.close(left())
        self._caller.release()
        return has_stopped and has_ended and has_put_back

    def close_worker(self, timeout: float) -> bool:
        """Close the worker as `close` does, but leave the engine open for others that use it."""
        return self._worker is None or self._worker.close(timeout)
