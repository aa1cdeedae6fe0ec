"""Jobs wait in their owners' lines, run one at a time, and end in one way."""

from pathlib import Path

import pytest

from ltx_studio.errors import ExecutionError, RequestError
from ltx_studio.queue.database import Database
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.states import Cancelled, Failed, Progress, Queued, Running

SPEC = ("t2v", {"prompt": "a red ball"})


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(Database(tmp_path / "studio.db"))


def claimed(queue: Queue) -> list[str]:
    """Ids in the order in which they get their turns, each stopped at once."""
    found = []
    while (job := queue.claim()) is not None:
        found.append(job.id)
        queue.drop(job.id)
    return found


def test_jobs_of_one_owner_run_in_the_order_in_which_they_came(queue: Queue) -> None:
    ids = [queue.submit("ada", [SPEC])[0] for _ in range(3)]

    assert claimed(queue) == ids


def test_owners_take_turns(queue: Queue) -> None:
    many = queue.submit("ada", [SPEC] * 4)
    few = queue.submit("bob", [SPEC] * 2)

    assert claimed(queue) == [many[0], few[0], many[1], few[1], many[2], many[3]]


def test_a_job_says_how_many_come_before_it_and_is_right(queue: Queue) -> None:
    for owner, count in (("ada", 3), ("bob", 1), ("cyd", 5)):
        queue.submit(owner, [SPEC] * count)
    first = queue.claim()
    assert first is not None
    queue.drop(first.id)
    told = {job.id: job.state for owner in ("ada", "bob", "cyd") for job in queue.of(owner)}

    order = claimed(queue)

    assert [state.ahead for id_ in order if isinstance(state := told[id_], Queued)] == list(range(len(order)))


def test_a_batch_is_submitted_whole_and_shares_an_id(queue: Queue) -> None:
    ids = queue.submit("ada", [SPEC] * 3)
    alone = queue.submit("ada", [SPEC])[0]

    assert len({queue.get(job, "ada").batch for job in ids}) == 1
    assert queue.get(ids[0], "ada").batch is not None
    assert queue.get(alone, "ada").batch is None
    with pytest.raises(TypeError):
        queue.submit("ada", [SPEC, ("t2v", {"prompt": object()})])
    assert len(queue.of("ada")) == 4


def test_nobody_sees_or_stops_anothers_job(queue: Queue) -> None:
    job = queue.submit("ada", [SPEC])[0]

    assert queue.of("bob") == []
    for act in (queue.get, queue.cancel, queue.retry, lambda job, owner: queue.move(job, owner, 0)):
        with pytest.raises(RequestError, match="There is no job"):
            act(job, "bob")
    assert isinstance(queue.get(job, "ada").state, Queued)


def test_a_job_that_waits_is_taken_out_and_one_that_runs_is_asked_to_stop(queue: Queue) -> None:
    running, waiting = queue.submit("ada", [SPEC] * 2)
    queue.claim()

    assert isinstance(queue.cancel(waiting, "ada").state, Cancelled)
    stopping = queue.cancel(running, "ada").state

    assert isinstance(stopping, Running)
    assert stopping.stopping
    assert queue.is_stopping(running)
    queue.drop(running)
    assert isinstance(queue.get(running, "ada").state, Cancelled)
    assert queue.claim() is None


def test_what_has_ended_stays_as_it_ended(queue: Queue) -> None:
    job = queue.submit("ada", [SPEC])[0]
    queue.claim()
    queue.fail(job, ExecutionError("It broke.", "Try again."))

    queue.drop(job)
    queue.report(job, Progress("Stage 1", 3, 8, 1, 5))

    state = queue.cancel(job, "ada").state
    assert isinstance(state, Failed)
    assert state.error.message == "It broke."


def test_progress_is_seen_and_the_one_who_reports_hears_of_a_stop(queue: Queue) -> None:
    job = queue.submit("ada", [SPEC])[0]
    queue.claim()

    progress = Progress("Stage 1", 3, 8, 1, 5, since=1_700_000_000.25, done_then=1.125)

    assert not queue.report(job, progress)
    state = queue.get(job, "ada").state
    assert isinstance(state, Running)
    assert state.progress == progress
    queue.cancel(job, "ada")
    assert queue.report(job, Progress("Stage 1", 4, 8, 1, 5))


def test_a_failed_job_can_be_tried_again_at_the_end_of_the_line(queue: Queue) -> None:
    failed, waiting = queue.submit("ada", [SPEC] * 2)
    queue.claim()
    queue.fail(failed, ExecutionError("It broke.", "Try again."))

    queue.retry(failed, "ada")

    assert claimed(queue) == [waiting, failed]
    with pytest.raises(RequestError, match="queued, so it cannot be retried"):
        queue.retry(queue.submit("ada", [SPEC])[0], "ada")


@pytest.mark.parametrize(("place", "order"), [(0, [2, 0, 1]), (1, [0, 2, 1]), (9, [0, 1, 2]), (-3, [2, 0, 1])])
def test_a_job_can_be_moved_in_its_owners_line(queue: Queue, place: int, order: list[int]) -> None:
    ids = queue.submit("ada", [SPEC] * 3)

    queue.move(ids[2], "ada", place)

    assert claimed(queue) == [ids[index] for index in order]


def test_what_comes_after_a_move_comes_last(queue: Queue) -> None:
    ids = queue.submit("ada", [SPEC] * 3)
    queue.move(ids[2], "ada", 0)
    later = queue.submit("ada", [SPEC])[0]

    assert claimed(queue) == [ids[2], ids[0], ids[1], later]


def test_a_paused_owner_waits_and_others_do_not(queue: Queue) -> None:
    paused, other = queue.submit("ada", [SPEC])[0], queue.submit("bob", [SPEC])[0]
    queue.pause("ada")

    assert claimed(queue) == [other]
    assert queue.is_paused("ada")
    queue.pause("ada", paused=False)
    assert claimed(queue) == [paused]


def test_a_job_that_ran_at_a_crash_waits_again_once_at_its_place_and_then_fails(queue: Queue) -> None:
    first, second = queue.submit("ada", [SPEC] * 2)
    queue.claim()
    assert queue.recover() == [first]
    assert queue.get(first, "ada").state == Queued(0, attempts=1)

    again = queue.claim()
    assert again is not None
    assert again.id == first
    assert queue.recover() == [first]

    state = queue.get(first, "ada").state
    assert isinstance(state, Failed)
    assert "twice" in state.error.message
    assert claimed(queue) == [second]


def test_a_job_that_was_to_stop_at_a_crash_is_stopped(queue: Queue) -> None:
    job = queue.submit("ada", [SPEC])[0]
    queue.claim()
    queue.cancel(job, "ada")

    assert queue.recover() == [job]
    assert isinstance(queue.get(job, "ada").state, Cancelled)


def test_what_only_verified_a_take_is_not_tried_again_after_a_crash(queue: Queue) -> None:
    mode, spec = SPEC
    job = queue.submit("ada", [(mode, {**spec, "fresh": True})])[0]
    queue.claim()

    assert queue.recover() == [job]
    found = queue.get(job, "ada")
    assert isinstance(found.state, Cancelled)
    assert found.as_dict()["verifies"] is True


def test_one_named_job_can_be_claimed_before_its_turn(queue: Queue) -> None:
    first, second = queue.submit("ada", [SPEC] * 2)

    job = queue.claim([second])

    assert job is not None
    assert job.id == second
    assert queue.claim([second]) is None
    assert claimed(queue) == [first]


def test_a_job_that_is_released_waits_at_its_place_as_if_it_had_not_begun(queue: Queue) -> None:
    first, second = queue.submit("ada", [SPEC] * 2)
    queue.claim()

    queue.release(first)

    assert queue.get(first, "ada").state == Queued(0, attempts=0)
    assert claimed(queue) == [first, second]


def test_a_job_that_goes_back_comes_before_what_was_handed_in_meanwhile(queue: Queue) -> None:
    (first,) = queue.submit("ada", [SPEC])
    queue.claim()
    later = queue.submit("ada", [SPEC] * 2)

    queue.release(first)
    assert [job.id for job in queue.of("ada")] == [first, *later]
    queue.claim()
    queue.recover()

    assert claimed(queue) == [first, *later]
