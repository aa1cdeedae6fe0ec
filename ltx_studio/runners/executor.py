"""Run one job from its lease to its take, in a worker's thread or inside a web request."""

import contextlib
import logging
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ltx_studio.advice import Advice, Do
from ltx_studio.cancel import CancelToken
from ltx_studio.errors import ExecutionError, Remedy, StoppedError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Prepared, Preview
from ltx_studio.fileio import is_full
from ltx_studio.queue.damage import is_database_full
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.progress import advance
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.states import Progress
from ltx_studio.queue.workers import RENEW_SECONDS
from ltx_studio.runners import visitors
from ltx_studio.runners.patience import PERMANENT, patiently
from ltx_studio.runners.protocol import Runner
from ltx_studio.takes.metrics import RunMetrics
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.take_store import TakeStore
from ltx_studio.text.phrases import WAITING

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LOOK_SECONDS = 0.25
"""How often to check whether the job was asked to stop."""


class JobExecutor:
    """Runs jobs that were claimed for one worker.

    Args:
        queue: The queue of the jobs.
        runner: Executes the jobs.
        take_store: Makes a take of each result.
        live_updates: Informs readers in this process at once.
        worker: The id that the jobs are leased to.
        closing: Set while the studio is closing: a job that is stopped then goes back to the queue.
    """

    def __init__(
        self,
        queue: Queue,
        runner: Runner,
        take_store: TakeStore,
        live_updates: LiveUpdates,
        worker: str,
        closing: threading.Event,
    ) -> None:
        self._queue, self._runner, self._take_store = queue, runner, take_store
        self._live_updates, self._worker, self._closing = live_updates, worker, closing

    def carry_out(self, job: Job, cancel: CancelToken) -> Iterator[Event]:
        """Run a job and yield its events; afterwards the job's row says how it ended.

        Closing the iterator stops the job.

        Raises:
            sqlite3.Error: The studio is closing, and the database cannot be used.
        """
        visitors.work_for(job.owner)
        self._live_updates.begin(job.id)
        try:
            yield from self._follow(job, cancel)
        except GeneratorExit:
            cancel.cancel()
            self.patiently(lambda: self._put_away(job), job.id)
            raise
        except StoppedError:
            self._live_updates.tell_stopped(job.id)  # the database may be out of reach for long
            self.patiently(lambda: self._put_away(job), job.id)
        except PERMANENT as error:
            log.exception("job %s could not be added to the history", job.id)
            self._fail(job, ExecutionError.unexpected(error, details=traceback.format_exc()))
        except sqlite3.Error:
            raise
        except StudioError as error:
            self._fail(job, error)
        except Exception as error:
            log.exception("job %s could not be run", job.id)
            self._fail(job, ExecutionError.unexpected(error, details=traceback.format_exc()))
        finally:
            self._live_updates.clear(job.id)

    def patiently(self, work: Callable[[], Result], job_id: str = "") -> Result:
        """Repeat `work` until the database allows it, so that a full disk or another program's lock loses nothing.

        Followers of the job `job_id` see what it waits for.

        Raises:
            sqlite3.Error: Trying again would not help (`PERMANENT`), or the studio is closing.
        """

        def waits(error: sqlite3.Error) -> None:
            self._live_updates.hold(job_id, Progress(WAITING["disk" if is_database_full(error) else "database"]))

        return patiently(work, self._closing, waits)

    def _follow(self, job: Job, cancel: CancelToken) -> Iterator[Event]:
        spec = self._take_store.spec(job)
        self._take_store.check()
        progress, told, watch = Progress(), 0.0, RunMetrics(self._memory)
        graph: Mapping[str, Any] = {}
        with self._listening(job, cancel):
            for event in self._runner.run(spec, cancel, job_id=job.id):
                watch.see(event)
                match event:
                    case Prepared(graph):
                        pass
                    case Finished():
                        self._finish(job, spec, graph, event, watch)
                        yield event
                        return
                    case Failed(error):
                        raise error
                    case Cancelled():
                        raise StoppedError("Stopped.", "Nothing was saved.")
                    case Preview(frames=frames):
                        self._live_updates.show(job.id, frames)
                    case _:
                        before, progress = progress, advance(progress, event, time.time())
                        if progress != before or time.monotonic() - told > LOOK_SECONDS:
                            told = time.monotonic()
                            if self._is_to_stop(job, progress):
                                cancel.cancel()
                            self._live_updates.tell(job.id)
                yield event
        raise ExecutionError("The run ended without a result.", "Try again.")

    def _finish(self, job: Job, spec: Spec, graph: Mapping[str, Any], made: Finished, watch: RunMetrics) -> None:
        take = self._keep(job, spec, graph, made, watch)

        def finish() -> bool:
            try:
                return self._queue.finish(job.id, take, worker=self._worker)
            except sqlite3.Error:
                if self._live_updates.is_stopping(job.id):
                    self._take_store.discard(take)
                    raise StoppedError("Stopped.", "Nothing was saved.") from None
                raise

        if not self.patiently(finish, job.id):
            log.error("job %s had already ended when its clip %s was finished", job.id, take.file)

    def _fail(self, job: Job, error: StudioError) -> None:
        names = job.spec.get("names")
        if isinstance(names, Mapping):  # the user does not know the names of the kept copies
            error = error.renamed({str(kept): str(own) for kept, own in names.items()})

        def fail() -> None:
            self._live_updates.tell_stopped(job.id)
            self._queue.fail(job.id, error, worker=self._worker)

        self.patiently(fail, job.id)

    def _put_away(self, job: Job) -> None:
        """End the job of a stopped run: cancelled if the job was asked to stop, else back in the queue."""
        is_asked = self._live_updates.is_stopping(job.id) or self._queue.is_stopping(job.id)
        if self._closing.is_set() and not is_asked:
            self._queue.release(job.id, worker=self._worker)
        else:
            self._queue.drop(job.id, worker=self._worker)

    def _is_to_stop(self, job: Job, progress: Progress) -> bool:
        """Report a job's progress, and return whether it must stop. A failed report never ends a run."""
        try:
            is_to_stop = self._queue.report(job.id, progress)
        except sqlite3.Error:
            self._live_updates.hold(job.id, progress)
            return False
        self._live_updates.hold(job.id, None)
        return is_to_stop

    @contextlib.contextmanager
    def _listening(self, job: Job, cancel: CancelToken) -> Iterator[None]:
        """Renew the lease; set `cancel` when the job is asked to stop or belongs to another worker."""
        ended = threading.Event()

        def listen() -> None:
            renewed = time.monotonic()
            while not ended.wait(LOOK_SECONDS):
                if self._live_updates.is_stopping(job.id):
                    cancel.cancel()
                with contextlib.suppress(sqlite3.Error):  # the next round asks again
                    if not cancel.cancelled and self._queue.is_stopping(job.id):
                        cancel.cancel()
                    if time.monotonic() - renewed > RENEW_SECONDS:
                        renewed = time.monotonic()
                        if not self._queue.renew(job.id, self._worker):
                            log.error("job %s was taken by another worker", job.id)
                            cancel.cancel()
                            return

        threading.Thread(target=listen, name=f"listen-{job.id}", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _keep(self, job: Job, spec: Spec, graph: Mapping[str, Any], made: Finished, watch: RunMetrics) -> NewTake:
        try:
            return self._take_store.keep(job, spec, graph, made, watch.as_dict())
        except OSError as error:
            where = ", ".join(str(output.path) for output in made.outputs if output.path.exists())
            raise ExecutionError(
                f"The clip is finished, but could not be added to the history: {error.strerror or error}.",
                f"It is at {where}. Free some space, then repair the history to add it.",
                advice=Advice.to(Do.KEEP_CLIP, where=where),
                remedies=[Remedy.MAKE_ROOM] if is_full(error) else [],
            ) from error

    def _memory(self) -> int | None:
        memory = self._runner.memory()
        return None if memory is None else memory.used
