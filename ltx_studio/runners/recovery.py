"""Recover the jobs of workers that are gone."""

import logging
import sqlite3
import time
from pathlib import Path

from ltx_studio.queue.jobs import Job
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.states import Running
from ltx_studio.queue.workers import is_gone
from ltx_studio.runners.patience import PERMANENT
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.take_store import TakeStore

log = logging.getLogger(__name__)


def recover(queue: Queue, take_store: TakeStore, workers: Path) -> None:
    """Recover jobs whose worker is gone: a finished clip becomes a take, all others wait again.

    Args:
        queue: The queue.
        take_store: Finds and keeps the finished clips.
        workers: The folder of the workers' locks.

    Raises:
        sqlite3.Error: The database cannot be used now.
    """
    spared, now = set(), time.time()
    lost = [job for job in queue.running() if is_gone(job.worker, job.lease_until, workers, now)]
    for job in lost:
        try:
            take = _recovered(take_store, job)
            if take is not None:
                queue.finish(job.id, take, worker=job.worker)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, PERMANENT):
                raise
            log.exception("the clip of job %s could not be recovered; it stays, and the job runs again", job.id)
            spared.add(job.id)
    take_store.sweep(set(queue.recover(lost)) - spared)


def _recovered(take_store: TakeStore, job: Job) -> NewTake | None:
    """Return the take of a job whose clip was finished when its worker ended; else None."""
    is_stopping = isinstance(job.state, Running) and job.state.stopping
    return None if is_stopping or job.verifies else take_store.recovered(job, take_store.spec(job))
