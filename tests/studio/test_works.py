"""A studio runs jobs only if it works: the server says so once, and commands that only submit do not."""

import time

from ltx_studio.queue import LOCAL
from ltx_studio.queue.states import Failed, Queued, Running
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.support import queue_of, small_spec


def state_after_work(studio: Studio, job: str) -> object:
    """The job's state once a worker had time to take it."""
    end = time.monotonic() + 60
    while isinstance(state := studio.jobs.get(job, LOCAL).state, Queued | Running) and time.monotonic() < end:
        time.sleep(0.02)
    return state


def test_a_studio_that_works_runs_what_is_submitted(home: Settings) -> None:
    studio = Studio(home, works=True)
    try:
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        state = state_after_work(studio, job)
    finally:
        assert studio.close(60)

    assert isinstance(state, Failed)  # nothing is set up in this home, so that much was tried


def test_a_studio_that_does_not_work_leaves_jobs_to_others(home: Settings) -> None:
    studio = Studio(home)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    studio.jobs.move(job, LOCAL, 0)

    assert not studio.is_worked()
    assert isinstance(studio.jobs.get(job, LOCAL).state, Queued)


def test_changes_start_nothing_that_could_only_fail(home: Settings) -> None:
    (waits,) = Studio(home).jobs.submit(LOCAL, [small_spec()])
    studio = Studio(home, works=True)
    assert studio.problem() is not None
    queue_of(studio).claim([waits])
    queue_of(studio).drop(waits)

    studio.jobs.retry(waits, LOCAL)
    studio.jobs.resume(LOCAL)

    assert not studio.is_worked()
    assert isinstance(studio.jobs.get(waits, LOCAL).state, Queued)
