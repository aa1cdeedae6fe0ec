"""The jobs of an owner, as the interfaces see them."""

import pytest

from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.studio.jobs import Jobs
from tests.support import queue_of, small_spec


@pytest.fixture
def studio(home: Settings) -> Studio:
    return Studio(home)


def test_the_next_job_runs_or_waits_first(studio: Studio) -> None:
    assert studio.jobs.next(LOCAL) is None
    first, second = studio.jobs.submit(LOCAL, studio.jobs.sweep(small_spec(), 2))

    assert studio.jobs.next(LOCAL) == first
    queue_of(studio).claim([second])
    assert studio.jobs.next(LOCAL) == second
    assert studio.jobs.going(LOCAL, limit=5) == [second, first]


def test_a_pause_holds_what_waits_and_not_what_runs(studio: Studio) -> None:
    first, _ = studio.jobs.submit(LOCAL, studio.jobs.sweep(small_spec(), 2))
    studio.jobs.pause(LOCAL)

    assert studio.jobs.next(LOCAL) is None
    queue_of(studio).claim([first])
    assert studio.jobs.next(LOCAL) == first


def test_a_sweep_counts_seeds_up(studio: Studio) -> None:
    assert [spec.seed for spec in studio.jobs.sweep(small_spec(seed=8), 3)] == [8, 9, 10]


def test_a_job_moves_up_by_one(studio: Studio) -> None:
    first, second, third = studio.jobs.submit(LOCAL, studio.jobs.sweep(small_spec(), 3))

    studio.jobs.move_up(third, LOCAL)

    assert studio.jobs.going(LOCAL, limit=5) == [first, third, second]


def test_the_queue_opens_without_the_rest_of_the_studio(studio: Studio) -> None:
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])

    assert [each.id for each in Jobs.open(studio.settings).of(LOCAL)] == [job]
