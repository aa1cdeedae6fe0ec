"""Live updates of running jobs, for any number of readers in this process."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """The latest live state of a job.

    Attributes:
        number: Grows with every change.
        frames: The latest live preview, one JPEG for each latent frame.
    """

    number: int = 0
    frames: tuple[bytes, ...] = ()


class LiveUpdates:
    """The latest update of each job, safe in any thread. Slow readers miss intermediate updates, never the latest."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._updates: dict[str, LiveUpdate] = {}

    def tell(self, job_id: str) -> None:
        """Announce a change to a job in the queue."""
        with self._changed:
            old = self._updates.get(job_id, LiveUpdate())
            self._put(job_id, LiveUpdate(old.number + 1, old.frames))

    def show(self, job_id: str, frames: tuple[bytes, ...]) -> None:
        """Publish newer frames of the live preview."""
        with self._changed:
            self._put(job_id, LiveUpdate(self._updates.get(job_id, LiveUpdate()).number + 1, frames))

    def clear(self, job_id: str) -> None:
        """Remove a job that no longer runs."""
        with self._changed:
            self._updates.pop(job_id, None)
            self._changed.notify_all()

    def look(self, job_id: str) -> LiveUpdate:
        with self._changed:
            return self._updates.get(job_id, LiveUpdate())

    def wait(self, job_id: str, number: int, timeout: float) -> LiveUpdate:
        """Wait until a job's update differs from `number`, at most `timeout` seconds, and return the latest."""
        with self._changed:
            self._changed.wait_for(lambda: self._updates.get(job_id, LiveUpdate()).number != number, timeout)
            return self._updates.get(job_id, LiveUpdate())

    def _put(self, job_id: str, notice: LiveUpdate) -> None:
        self._updates[job_id] = notice
        self._changed.notify_all()
