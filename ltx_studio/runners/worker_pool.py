"""As many workers on one queue as there are places to run jobs, while these come and go."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.queue import Queue
from ltx_studio.runners.executor import LOOK_SECONDS as LOOK_FOR_JOBS_SECONDS
from ltx_studio.runners.protocol import Runner
from ltx_studio.runners.worker import TIDY_SECONDS, Worker, alone
from ltx_studio.takes.take_store import TakeStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How soon the number of workers follows that of the places."""

PROMPT, SELDOM_SECONDS = 8, 2.0
"""How many workers look for the jobs of other processes as often as usual, and how often the others do: hundreds of
idle workers would keep the database busy. Jobs submitted in this process wake all of them."""


class WorkerPool:
    """Workers in threads of their own; each takes its jobs from the queue, where owners take turns.

    Args:
        workers: The folder of the workers' locks.
        queue: The queue that the jobs come from.
        runner: Executes the jobs, several at once.
        take_store: Makes a take of each result.
        live_updates: Informs readers in this process at once.
        lanes: Return how many jobs can run at once now.
        lock: Makes the pool exclusive: another one with the same lock, in any process, waits until this one ends.
        tidy: Frees what is no longer needed; called while no job waits.
    """

    def __init__(
        self,
        workers: Path,
        queue: Queue,
        runner: Runner,
        take_store: TakeStore,
        live_updates: LiveUpdates,
        *,
        lanes: Callable[[], int],
        lock: Path,
        tidy: Callable[[], object] = lambda: None,
    ) -> None:
        self._given = workers, queue, runner, take_store, live_updates
        self._lanes, self._lock, self._tidy = lanes, FileLock(lock, thread_local=False), tidy
        self._tidied, self._tidying = -TIDY_SECONDS, threading.Lock()
        self._over = threading.Event()
        self._guard = threading.Lock()
        self._working: list[Worker] = []
        self._leaving: list[Worker] = []
        self._thread = threading.Thread(target=self._work, name="workers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Check for new jobs at once."""
        with self._guard:
            for worker in self._working:
                worker.nudge()

    def close(self, timeout: float) -> bool:
        """Start no more jobs, put the running ones back into the queue, and wait; return whether all has ended."""
        self._over.set()
        end = time.monotonic() + timeout
        with self._guard:
            workers = [*self._working, *self._leaving]
        for worker in workers:
            worker.close(0)
        has_ended = [worker.close(max(end - time.monotonic(), 0.0)) for worker in workers]
        if self._thread.is_alive():
            self._thread.join(max(end - time.monotonic(), 0.1))
        return all(has_ended)

    def _work(self) -> None:
        with alone(self._lock, self._over) as may_work:
            while may_work and not self._over.is_set():
                try:
                    self._fit(self._lanes())
                except Exception:
                    log.exception("the number of workers could not be changed")
                self._over.wait(LOOK_SECONDS)
            for worker in [*self._working, *self._leaving]:  # the lock is held until all have ended
                worker.join()

    def _fit(self, wanted: int) -> None:
        """Start workers, or have some leave after their current job, until as many as wanted take jobs."""
        with self._guard:
            if self._over.is_set():
                return
            self._working = [worker for worker in self._working if worker.is_alive]
            self._leaving = [worker for worker in self._leaving if worker.is_alive]
            while len(self._working) > wanted:
                worker = self._working.pop()
                worker.retire()
                self._leaving.append(worker)
            while len(self._working) < wanted:
                is_prompt = len(self._working) < PROMPT
                look = LOOK_FOR_JOBS_SECONDS if is_prompt else SELDOM_SECONDS
                worker = Worker(*self._given, tidy=self._tidy_once, look_seconds=look)
                worker.start()
                self._working.append(worker)

    def _tidy_once(self) -> None:
        """Tidy, unless another worker did so within `TIDY_SECONDS`."""
        with self._tidying:
            if time.monotonic() - self._tidied >= TIDY_SECONDS:
                self._tidied = time.monotonic()
                self._tidy()
