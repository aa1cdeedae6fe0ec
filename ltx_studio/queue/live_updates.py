"""The board: what those in this process may see of a running job at once, however many they are."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """What the board says of a job.

    Attributes:
        number: Grows with every news.
        frames: The forming clip as it was seen last, one JPEG for each latent frame.
    """

    number: int = 0
    frames: tuple[bytes, ...] = ()


class LiveUpdates:
    """Safe in any thread. Who looks seldom misses what was between, never what is now."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._updates: dict[str, LiveUpdate] = {}

    def tell(self, job_id: str) -> None:
        """There are news of a job in the queue."""
        with self._changed:
            old = self._updates.get(job_id, LiveUpdate())
            self._put(job_id, LiveUpdate(old.number + 1, old.frames))

    def show(self, job_id: str, frames: tuple[bytes, ...]) -> None:
        """There is a newer picture of the forming clip."""
        with self._changed:
            self._put(job_id, LiveUpdate(self._updates.get(job_id, LiveUpdate()).number + 1, frames))

    def clear(self, job_id: str) -> None:
        """It runs no longer."""
        with self._changed:
            self._updates.pop(job_id, None)
            self._changed.notify_all()

    def look(self, job_id: str) -> LiveUpdate:
        with self._changed:
            return self._updates.get(job_id, LiveUpdate())

    def wait(self, job_id: str, number: int, timeout: float) -> LiveUpdate:
        """What is said of a job as soon as it is other than notice `number`, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._updates.get(job_id, LiveUpdate()).number != number, timeout)
            return self._updates.get(job_id, LiveUpdate())

    def _put(self, job_id: str, notice: LiveUpdate) -> None:
        self._updates[job_id] = notice
        self._changed.notify_all()
