"""An owner sees what runs, waits and went wrong, and of nobody else's anything."""

from pathlib import Path

import pytest

from ltx_studio.errors import ExecutionError
from ltx_studio.queue.database import Database
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.snapshot import SHOWN_ENDED, SHOWN_WAITING, BatchCounts, QueueSnapshot, QueueSnapshots

SPEC = ("t2v", {"params": {"prompt": "a red ball"}})


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "studio.db")


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database)


@pytest.fixture
def snapshots(database: Database) -> QueueSnapshots:
    return QueueSnapshots(database)


def test_whoever_has_nothing_sees_nothing(queue: Queue, snapshots: QueueSnapshots) -> None:
    queue.submit("bob", [SPEC])

    assert snapshots.of("ada") == QueueSnapshot()


def test_running_waiting_and_ended_jobs_are_told_apart(queue: Queue, snapshots: QueueSnapshots) -> None:
    failed, stopped, runs, waits, last = (queue.submit("ada", [SPEC])[0] for _ in range(5))
    queue.claim(only=[failed])
    queue.fail(failed, ExecutionError("It broke.", "Mend it."))
    queue.cancel(stopped, "ada")
    queue.claim(only=[runs])
    queue.move(last, "ada", 0)

    line = snapshots.of("ada")

    assert [job.id for job in line.running] == [runs]
    assert [job.id for job in line.waiting] == [last, waits]
    assert [job.id for job in line.ended] == [stopped, failed]


def test_a_long_line_is_counted_and_its_beginning_told(queue: Queue, snapshots: QueueSnapshots) -> None:
    ids = queue.submit("ada", [SPEC] * (SHOWN_WAITING + 5))

    line = snapshots.of("ada")

    assert [job.id for job in line.waiting] == ids[:SHOWN_WAITING]
    assert line.waits == SHOWN_WAITING + 5


def test_only_the_last_ones_that_ended_are_told_and_none_from_long_ago(queue: Queue, snapshots: QueueSnapshots) -> None:
    ids = [queue.submit("ada", [SPEC])[0] for _ in range(SHOWN_ENDED + 2)]
    for job in ids:
        queue.cancel(job, "ada")
    last = snapshots.of("ada").ended

    assert [job.id for job in last] == ids[::-1][:SHOWN_ENDED]
    assert snapshots.of("ada", since=last[0].state.ended + 1).ended == ()  # type: ignore[union-attr]


def test_a_batch_tells_its_share_until_nothing_of_it_is_left(queue: Queue, snapshots: QueueSnapshots) -> None:
    ids = queue.submit("ada", [SPEC] * 3)
    queue.submit("ada", [SPEC])
    queue.claim(only=ids[:1])
    (batch,) = {queue.get(job, "ada").batch for job in ids}
    assert batch is not None

    assert snapshots.of("ada").batches == {batch: BatchCounts(jobs=3, done=0, waiting=2)}
    assert queue.cancel_rest(batch, "bob") == 0
    assert queue.cancel_rest(batch, "ada") == 2
    assert snapshots.of("ada").batches == {batch: BatchCounts(jobs=3, done=0, waiting=0)}
    queue.drop(ids[0])
    assert snapshots.of("ada").batches == {}
    assert snapshots.of("ada").waits == 1


def test_a_pause_is_told(queue: Queue, snapshots: QueueSnapshots) -> None:
    queue.pause("ada")

    assert snapshots.of("ada").paused
    assert not snapshots.of("bob").paused
