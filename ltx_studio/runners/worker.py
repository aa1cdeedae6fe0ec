"""The worker: carries out the queue's jobs one after another, in the one process of a studio that holds its lock."""

import contextlib
import logging
import math
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import BusyError, ExecutionError, StoppedError, StudioError
from ltx_studio.events import Cancelled, Failed, Finished, Preview
from ltx_studio.graph import Workflow
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.progress import advance
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.states import Progress, Running
from ltx_studio.runners.local import LocalRunner
from ltx_studio.takes.history import NewTake
from ltx_studio.takes.metrics import RunMetrics
from ltx_studio.takes.take_store import TakeStore

log = logging.getLogger(__name__)

Result = TypeVar("Result")

PERMANENT = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.NotSupportedError,
)
"""Errors of what is written, not of the database: trying again would not help."""

PAUSE_SECONDS = 2.0
"""How long it leaves a database alone that cannot be written."""

TIDY_SECONDS = 3600.0
"""How often it frees what is no longer needed, at most."""

LOOK_SECONDS = 0.25
"""How often it looks for what other processes submitted, or asked it to stop."""


class Worker:
    """Of one studio. Two may be started, in two processes: the second one waits for the first one's end.

    Args:
        lock: The file that the one that works holds; the system lets it go when the process ends in whatever way.
        queue: Where its jobs come from.
        runner: Carries one to the engine.
        archive: Makes a take of what comes out.
        board: Where it tells what happens, for those in this process who want to see it at once.
        only: Carry out these jobs and no others.
        tidy: Frees what is no longer needed; called while nothing waits.
        keep_alive: Seconds without a job after which models are unloaded; None keeps them loaded.
    """

    def __init__(
        self,
        lock: Path,
        queue: Queue,
        runner: LocalRunner,
        take_store: TakeStore,
        live_updates: LiveUpdates,
        *,
        only: Collection[str] | None = None,
        tidy: Callable[[], object] = lambda: None,
        keep_alive: float | None = None,
    ) -> None:
        self._lock = FileLock(lock)
        self._tidy, self._tidied = tidy, -math.inf
        self._keep_alive = math.inf if keep_alive is None else keep_alive
        self._idle_since = math.inf  # nothing has run, or its models are unloaded
        self._queue, self._runner, self._take_store, self._live_updates, self._only = (
            queue,
            runner,
            take_store,
            live_updates,
            only,
        )
        self._over = threading.Event()
        self._news = threading.Event()
        self._cancel: CancelToken | None = None
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """There is something new in the queue: look at once."""
        self._news.set()

    def close(self, timeout: float) -> bool:
        """Begin no other job, put the one that runs back into the queue, and wait; True when all has ended."""
        self._over.set()
        self._news.set()
        if self._cancel is not None:
            self._cancel.cancel()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        with self._held() as held:
            has_recovered = False
            while held and not self._over.is_set():
                try:
                    if not has_recovered:
                        self._patiently(self._recover)
                        has_recovered = True
                    self._look()
                except Exception:
                    log.exception("the queue cannot be worked; what ran is accounted for at the next start")
                    self._over.wait(PAUSE_SECONDS)

    def _look(self) -> None:
        """Carry out the job whose turn it is; else wait for one."""
        job = self._patiently(lambda: self._queue.claim(self._only))
        if job is None:
            self._tidy_up()
            self._unload_idle()
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
        else:
            self._carry_out(job)
            self._idle_since = time.monotonic()

    def _tidy_up(self) -> None:
        """While nothing waits, free what is no longer needed, now and then."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        try:
            self._tidy()
        except (sqlite3.Error, OSError):
            log.exception("files that are no longer needed cannot be freed now")

    def _unload_idle(self) -> None:
        """Unload the models when no job has run for as long as they are kept."""
        if time.monotonic() - self._idle_since < self._keep_alive:
            return
        self._idle_since = math.inf
        try:
            self._runner.unload()
        except BusyError:  # something else uses the engine, such as a preview of a control map
            self._idle_since = time.monotonic()
        except Exception:
            log.exception("idle models cannot be unloaded")

    def _patiently(self, work: Callable[[], Result]) -> Result:
        """Repeat what needs the database until it can be done: a full disk or another program's lock loses nothing.

        Raises:
            sqlite3.Error: Trying again would not help (`PERMANENT`).
            sqlite3.Error: The studio is being closed, and the database still cannot be used.
        """
        has_complained = False
        while True:
            try:
                return work()
            except PERMANENT:
                raise
            except sqlite3.Error:
                if self._over.is_set():
                    raise
                if not has_complained:
                    log.exception("the database cannot be used; trying again every %g s", PAUSE_SECONDS)
                has_complained = True
            self._over.wait(PAUSE_SECONDS)

    def _recover(self) -> None:
        """Account for jobs that ran when the studio was killed: a whole clip becomes a take, the rest waits again."""
        spared = set()
        for job in self._queue.running():
            try:
                take = self._recovered(job)
                if take is not None:
                    self._queue.finish(job.id, take)
            except Exception as error:
                if isinstance(error, sqlite3.Error) and not isinstance(error, PERMANENT):
                    raise
                log.exception("the clip of job %s cannot be recovered; it stays, and the job runs again", job.id)
                spared.add(job.id)
        self._take_store.sweep(set(self._queue.recover()) - spared)

    def _recovered(self, job: Job) -> NewTake | None:
        """Return the take of a job whose clip was whole when the studio was killed."""
        is_stopping = isinstance(job.state, Running) and job.state.stopping
        if is_stopping or job.verifies:
            return None
        return self._take_store.recovered(job, self._take_store.spec(job))

    @contextlib.contextmanager
    def _held(self) -> Iterator[bool]:
        """Hold the lock as soon as nobody else does; False when it is over before."""
        while not self._over.is_set():
            try:
                self._lock.acquire(timeout=LOOK_SECONDS, poll_interval=LOOK_SECONDS / 2)
            except Timeout:
                continue
            except OSError:
                log.exception("%s cannot be locked", self._lock.lock_file)
                self._over.wait(PAUSE_SECONDS)
                continue
            try:
                yield True
            finally:
                self._lock.release()
            return
        yield False

    def _carry_out(self, job: Job) -> None:
        cancel = self._cancel = CancelToken()
        if self._over.is_set():
            cancel.cancel()
        try:
            self._follow(job, cancel)
        except StoppedError:
            self._patiently(lambda: self._put_away(job))
        except PERMANENT as error:
            log.exception("job %s could not be put into the history", job.id)
            self._fail(job, ExecutionError.unexpected(error, details=traceback.format_exc()))
        except sqlite3.Error:
            raise
        except StudioError as error:
            self._fail(job, error)
        except Exception as error:
            log.exception("job %s could not be carried out", job.id)
            self._fail(job, ExecutionError.unexpected(error, details=traceback.format_exc()))
        finally:
            self._cancel = None
            self._live_updates.clear(job.id)

    def _fail(self, job: Job, error: StudioError) -> None:
        names = job.spec.get("names")
        if isinstance(names, Mapping):  # the user knows no file by the name under which it was kept
            error = error.renamed({str(kept): str(own) for kept, own in names.items()})
        self._patiently(lambda: self._queue.fail(job.id, error))

    def _put_away(self, job: Job) -> None:
        """Account for a run that was stopped: by somebody, or because the studio is being closed."""
        if self._over.is_set() and not self._queue.is_stopping(job.id):
            self._queue.release(job.id)
        else:
            self._queue.drop(job.id)

    def _follow(self, job: Job, cancel: CancelToken) -> None:
        spec = self._take_store.spec(job)
        with self._listening(job, cancel):
            self._take_store.check()
            workflow = self._runner.prepare(spec, cancel)
        progress, told, watch = Progress(), 0.0, RunMetrics(self._memory)
        for event in self._runner.carry_out(workflow, cancel, job_id=job.id, fresh=spec.fresh):
            watch.see(event)
            match event:
                case Finished():
                    take = self._keep(job, spec, workflow, event, watch)
                    if not self._patiently(lambda take=take: self._queue.finish(job.id, take)):  # type: ignore[misc]
                        log.error("job %s ran no longer when its clip %s was made", job.id, take.file)
                case Failed(error):
                    raise error
                case Cancelled():
                    raise StoppedError("Stopped.", "Nothing was kept.")
                case Preview(frames=frames):
                    self._live_updates.show(job.id, frames)
                case _:
                    before, progress = progress, advance(progress, event, time.time())
                    if progress != before or time.monotonic() - told > LOOK_SECONDS:
                        told = time.monotonic()
                        if self._is_to_stop(job, progress):
                            cancel.cancel()
                        self._live_updates.tell(job.id)

    def _is_to_stop(self, job: Job, progress: Progress) -> bool:
        """Report how far a job is; whether it is to stop. A report that cannot be written does not end a run."""
        try:
            return self._queue.report(job.id, progress)
        except sqlite3.Error:
            return False

    @contextlib.contextmanager
    def _listening(self, job: Job, cancel: CancelToken) -> Iterator[None]:
        """Set `cancel` when somebody asks the queue to stop a job that tells nothing meanwhile."""
        ended = threading.Event()

        def listen() -> None:
            while not ended.wait(LOOK_SECONDS):
                with contextlib.suppress(sqlite3.Error):  # it is asked again at once
                    if self._queue.is_stopping(job.id):
                        cancel.cancel()
                        return

        threading.Thread(target=listen, name=f"listen-{job.id}", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _keep(self, job: Job, spec: Spec, workflow: Workflow, made: Finished, watch: RunMetrics) -> NewTake:
        try:
            return self._take_store.keep(job, spec, workflow.graph, made, watch.as_dict())
        except OSError as error:
            where = ", ".join(str(output.path) for output in made.outputs if output.path.exists())
            raise ExecutionError(
                f"The clip is made, but could not be put into the history: {error.strerror or error}.",
                f"It is at {where}. Free some space, then run `ltx-studio doctor --repair` to add it to the history.",
            ) from error

    def _memory(self) -> int | None:
        memory = self._runner.memory()
        return None if memory is None else memory.used
