"""The board: what those in this process may see of a running job at once, however many they are."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """What the board says of a job.

    Attributes:
        number: Grows with every news.
        frames: The forming clip as it was seen last, one JPEG for each latent frame.
    """

    number: int = 0
    frames: tuple[bytes, ...] = ()


class Board:
    """Safe in any thread. Who looks seldom misses what was between, never what is now."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._notices: dict[str, Notice] = {}

    def tell(self, job: str) -> None:
        """There are news of a job in the queue."""
        with self._changed:
            old = self._notices.get(job, Notice())
            self._put(job, Notice(old.number + 1, old.frames))

    def show(self, job: str, frames: tuple[bytes, ...]) -> None:
        """There is a newer picture of the forming clip."""
        with self._changed:
            self._put(job, Notice(self._notices.get(job, Notice()).number + 1, frames))

    def clear(self, job: str) -> None:
        """It runs no longer."""
        with self._changed:
            self._notices.pop(job, None)
            self._changed.notify_all()

    def look(self, job: str) -> Notice:
        with self._changed:
            return self._notices.get(job, Notice())

    def wait(self, job: str, number: int, timeout: float) -> Notice:
        """What is said of a job as soon as it is other than notice `number`, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._notices.get(job, Notice()).number != number, timeout)
            return self._notices.get(job, Notice())

    def _put(self, job: str, notice: Notice) -> None:
        self._notices[job] = notice
        self._changed.notify_all()
