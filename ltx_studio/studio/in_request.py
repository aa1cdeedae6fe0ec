"""Jobs that are carried out in the web request that follows them, where a GPU is lent to the visitor of a request."""

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator

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
    jobs: Jobs, carry_out: CarryOut, job_id: str, owner: str, cancel: CancelToken, is_ready: Callable[[], bool]
) -> Iterator[Job]:
    """Carry a waiting job out and yield it whenever it may have changed; the last one yielded has ended.

    The run has a thread of its own with a copy of the caller's context, in which the visitor is known: a reader that
    is slow does not keep the GPU waiting. Closing the iterator stops the run. The job waits while `is_ready` returns
    False, as it does during a set-up.

    Raises:
        StudioError: The owner has no such job, or it could not be begun.
    """
    run: _Run | None = None
    try:
        for job in jobs.follow(job_id, owner, cancel):
            if run is None and isinstance(job.state, Queued) and is_ready() and not jobs.is_paused(owner):
                run = _Run(carry_out, job_id, owner, cancel)
            if run is not None and run.failure is not None:
                raise run.failure
            yield job
    finally:
        if run is not None:
            cancel.cancel()


class _Run:
    """A run in its thread.

    Attributes:
        failure: Why it could not be begun, for whoever follows it.
    """

    def __init__(self, carry_out: CarryOut, job_id: str, owner: str, cancel: CancelToken) -> None:
        self.failure: StudioError | None = None
        self._events, self._job_id = carry_out(job_id, owner, cancel), job_id
        work = contextvars.copy_context().run
        threading.Thread(target=work, args=(self._work,), name=f"run-of-{job_id}", daemon=True).start()

    def _work(self) -> None:
        try:
            for _ in self._events:
                pass
        except RequestError as error:  # another request of this visitor carries it out
            log.info("%s", error.message)
        except Exception as error:
            log.exception("job %s could not be carried out in its request", self._job_id)
            self.failure = error if isinstance(error, StudioError) else ExecutionError.unexpected(error)
