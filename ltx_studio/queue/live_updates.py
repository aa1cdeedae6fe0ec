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

    def tell(self, job: str) -> None:
        """There are news of a job in the queue."""
        with self._changed:
            old = self._updates.get(job, LiveUpdate())
            self._put(job, LiveUpdate(old.number + 1, old.frames))

    def show(self, job: str, frames: tuple[bytes, ...]) -> None:
        """There is a newer picture of the forming clip."""
        with self._changed:
            self._put(job, LiveUpdate(self._updates.get(job, LiveUpdate()).number + 1, frames))

    def clear(self, job: str) -> None:
        """It runs no longer."""
        with self._changed:
            self._updates.pop(job, None)
            self._changed.notify_all()

    def look(self, job: str) -> LiveUpdate:
        with self._changed:
            return self._updates.get(job, LiveUpdate())

    def wait(self, job: str, number: int, timeout: float) -> LiveUpdate:
        """What is said of a job as soon as it is other than notice `number`, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._updates.get(job, LiveUpdate()).number != number, timeout)
            return self._updates.get(job, LiveUpdate())

    def _put(self, job: str, notice: LiveUpdate) -> None:
        self._updates[job] = notice
        self._changed.notify_all()
