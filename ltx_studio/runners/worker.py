"""The worker: takes jobs from the queue, one after another, and runs them."""

import contextlib
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import BusyError
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.workers import LEASE_SECONDS, WorkerId
from ltx_studio.runners.executor import LOOK_SECONDS, JobExecutor
from ltx_studio.runners.patience import PAUSE_SECONDS
from ltx_studio.runners.protocol import Runner
from ltx_studio.runners.recovery import recover
from ltx_studio.takes.take_store import TakeStore

log = logging.getLogger(__name__)

TIDY_SECONDS = 3600.0
"""The shortest time between two clean-ups."""

_RECOVERING = threading.Lock()
"""Held by the one worker of this process that recovers jobs."""


class Worker:
    """A studio's worker, in its own thread.

    Args:
        workers: The folder of the workers' locks.
        queue: The queue that its jobs come from.
        runner: Executes the jobs.
        take_store: Makes a take of each result.
        live_updates: Informs readers in this process at once.
        lock: Makes workers exclusive: a second worker with the same lock, in any process, waits until the first one
            ends. With None, it works beside others.
        only: Run these jobs and no others.
        tidy: Frees what is no longer needed; called while no job waits.
        keep_alive: Seconds without a job after which models are unloaded; None keeps them loaded.
        look_seconds: How often to look for jobs that other processes have submitted.
    """

    def __init__(
        self,
        workers: Path,
        queue: Queue,
        runner: Runner,
        take_store: TakeStore,
        live_updates: LiveUpdates,
        *,
        lock: Path | None = None,
        only: Collection[str] | None = None,
        tidy: Callable[[], object] = lambda: None,
        keep_alive: float | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._workers, self._id = workers, WorkerId(workers)
        self._lock = None if lock is None else FileLock(lock)
        self._tidy, self._tidied = tidy, -math.inf
        self._keep_alive = math.inf if keep_alive is None else keep_alive
        self._look_seconds = look_seconds
        self._idle_since = math.inf  # nothing has run, or its models are unloaded
        self._recovered_at = -math.inf
        self._queue, self._runner, self._take_store, self._only = queue, runner, take_store, only
        self._over, self._retired = threading.Event(), threading.Event()
        self._news = threading.Event()
        self._cancel: CancelToken | None = None
        self._executor = JobExecutor(queue, runner, take_store, live_updates, self._id.id, self._over)
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Check for new jobs at once."""
        self._news.set()

    def retire(self) -> None:
        """Start no more jobs; the running one goes on to its end."""
        self._retired.set()
        self._news.set()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether it runs a job or may start one."""
        return self._thread.is_alive()

    def close(self, timeout: float) -> bool:
        """Start no more jobs, put the running one back into the queue, and wait; return whether all has ended."""
        self._over.set()
        self._news.set()
        if self._cancel is not None:
            self._cancel.cancel()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        with alone(self._lock, self._over) as may_work:
            while may_work and not self._over.is_set() and not self._retired.is_set():
                try:
                    self._id.hold()
                    if time.monotonic() - self._recovered_at > LEASE_SECONDS / 2:
                        with _RECOVERING:
                            self._executor.patiently(lambda: recover(self._queue, self._take_store, self._workers))
                        self._recovered_at = time.monotonic()
                    self._look()
                except Exception:
                    log.exception("the worker stopped; running jobs are recovered at the next start")
                    self._over.wait(PAUSE_SECONDS)
            self._id.release()

    def _look(self) -> None:
        """Run the next job, or wait for one."""
        job = self._executor.patiently(lambda: self._queue.claim(self._only, worker=self._id.id))
        if job is None:
            self._tidy_up()
            self._unload_idle()
            self._news.wait(self._look_seconds)
            self._news.clear()
        else:
            self._carry_out(job)
            self._idle_since = time.monotonic()

    def _carry_out(self, job: Job) -> None:
        cancel = self._cancel = CancelToken()
        if self._over.is_set():
            cancel.cancel()
        try:
            for _ in self._executor.carry_out(job, cancel):
                pass
        finally:
            self._cancel = None

    def _tidy_up(self) -> None:
        """Call `tidy`, at most once every `TIDY_SECONDS`."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        try:
            self._tidy()
        except (sqlite3.Error, OSError):
            log.exception("unused files could not be deleted yet")

    def _unload_idle(self) -> None:
        """Unload the models if no job has run for `keep_alive` seconds."""
        if time.monotonic() - self._idle_since < self._keep_alive:
            return
        self._idle_since = math.inf
        try:
            self._runner.unload()
        except BusyError:  # something else uses the engine, such as a preview of a control map
            self._idle_since = time.monotonic()
        except Exception:
            log.exception("idle models could not be unloaded")


@contextlib.contextmanager
def alone(lock: FileLock | None, over: threading.Event) -> Iterator[bool]:
    """Hold a lock, if there is one, once it is free; yield False if `over` is set first."""
    while lock is not None and not over.is_set():
        try:
            lock.acquire(timeout=LOOK_SECONDS, poll_interval=LOOK_SECONDS / 2)
        except Timeout:
            continue
        except OSError:
            log.exception("%s could not be locked", lock.lock_file)
            over.wait(PAUSE_SECONDS)
            continue
        try:
            yield True
        finally:
            lock.release()
        return
    yield lock is None and not over.is_set()
