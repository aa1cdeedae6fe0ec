"""Live updates of running jobs, for any number of readers in this process."""

import threading
from dataclasses import dataclass

from ltx_studio.queue.states import Progress


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
    """The latest update of each job, safe in any thread. Slow readers miss intermediate updates, never the latest.

    It also passes on stops and progress, for as long as the database cannot be written.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._updates: dict[str, LiveUpdate] = {}
        self._running: set[str] = set()
        self._stops: set[str] = set()
        self._stopped: set[str] = set()
        self._unwritten: dict[str, Progress] = {}

    def begin(self, job_id: str) -> None:
        """Note that a job runs in this process, so that it can be stopped here."""
        with self._changed:
            self._running.add(job_id)

    def stop(self, job_id: str) -> bool:
        """Ask a job to stop, and return whether it runs in this process."""
        with self._changed:
            if job_id not in self._running:
                return False
            self._stops.add(job_id)
            return True

    def is_stopping(self, job_id: str) -> bool:
        """Return whether a job that runs in this process was asked to stop here."""
        with self._changed:
            return job_id in self._stops

    def has_stopped(self, job_id: str) -> bool:
        """Return whether a job was stopped here and no longer runs, although the database may not say so yet."""
        with self._changed:
            return job_id in self._stopped

    def tell_stopped(self, job_id: str) -> None:
        """Announce that a job that was asked to stop no longer runs."""
        with self._changed:
            if job_id in self._stops:
                self._stopped.add(job_id)
                self._changed.notify_all()

    def hold(self, job_id: str, progress: Progress | None) -> None:
        """Publish progress that the database does not know, or None when it knows it again."""
        with self._changed:
            if progress is None:
                self._unwritten.pop(job_id, None)
            elif job_id in self._running:
                self._unwritten[job_id] = progress

    def unwritten(self, job_id: str) -> Progress | None:
        """Return progress that the database does not know, of a job that runs in this process."""
        with self._changed:
            return self._unwritten.get(job_id)

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
            self._unwritten.pop(job_id, None)
            for jobs in (self._running, self._stops, self._stopped):
                jobs.discard(job_id)
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
