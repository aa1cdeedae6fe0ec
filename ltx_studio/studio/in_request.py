"""Jobs that are carried out in the web request that follows them, where a GPU is lent to the visitor of a request."""

import contextvars
import logging
import threading
from collections.abc import Callable, Generator, Iterator

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import ExecutionError, RequestError, StudioError
from ltx_studio.events import Event
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.states import Queued
from ltx_studio.studio.jobs import Jobs

log = logging.getLogger(__name__)

CarryOut = Callable[[str, str, CancelToken], Iterator[Event]]
"""Runs an owner's waiting job: `Studio.carry_out`."""


def follow(
    jobs: Jobs,
    carry_out: CarryOut,
    job_id: str,
    owner: str,
    cancel: CancelToken,
    is_ready: Callable[[], bool],
    *,
    waits: bool = True,
) -> Generator[Job, None, None]:
    """Carry a waiting job out and yield it whenever it may have changed; the last one yielded has ended.

    The run has a thread of its own with a copy of the caller's context, in which the visitor is known: a reader that
    is slow does not keep the GPU waiting. The last follower in this process to close its iterator stops the run. The
    job waits while `is_ready` returns False, as it does during a set-up. `waits` is as in `Jobs.follow`.

    Raises:
        StudioError: The owner has no such job, or it could not be begun.
    """
    run: _Run | None = None
    try:
        for job in jobs.follow(job_id, owner, cancel, waits=waits):
            if run is None:
                may_begin = isinstance(job.state, Queued) and is_ready() and not jobs.is_paused(owner)
                run = _runs.join(job_id, carry_out if may_begin else None, owner)
            if run is not None and run.failure is not None:
                raise run.failure
            yield job
    finally:
        if run is not None:
            _runs.leave(run)


class _Run:
    """A run in its thread.

    Attributes:
        job_id: Its job.
        followers: How many requests follow it; the last one to leave stops it.
        failure: Why it could not be begun, for whoever follows it.
    """

    def __init__(self, carry_out: CarryOut, job_id: str, owner: str) -> None:
        self.job_id, self.followers = job_id, 0
        self.failure: StudioError | None = None
        self.cancel, self.over = CancelToken(), threading.Event()
        self._events = carry_out(job_id, owner, self.cancel)
        work = contextvars.copy_context().run
        threading.Thread(target=work, args=(self._work,), name=f"run-of-{job_id}", daemon=True).start()

    def _work(self) -> None:
        try:
            for _ in self._events:
                pass
        except RequestError as error:  # another process carries it out
            log.info("%s", error.message)
        except Exception as error:
            log.exception("job %s could not be carried out in its request", self.job_id)
            self.failure = error if isinstance(error, StudioError) else ExecutionError.unexpected(error)
        finally:
            self.over.set()


class _Runs:
    """The runs of this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._by_job: dict[str, _Run] = {}

    def join(self, job_id: str, carry_out: CarryOut | None, owner: str) -> _Run | None:
        """Count the caller as a follower of a job's run, which begins now if it has not and there is `carry_out`."""
        with self._guard:
            run = self._by_job.get(job_id)
            if run is not None and run.over.is_set() and carry_out is not None:
                run = None  # it waits again, for example after its studio was closed
            if run is None and carry_out is not None:
                run = self._by_job[job_id] = _Run(carry_out, job_id, owner)
            if run is not None:
                run.followers += 1
            return run

    def leave(self, run: _Run) -> None:
        """Stop the run if nobody follows it any more."""
        with self._guard:
            run.followers -= 1
            if run.followers == 0:
                run.cancel.cancel()
                if self._by_job.get(run.job_id) is run:
                    del self._by_job[run.job_id]


_runs = _Runs()
