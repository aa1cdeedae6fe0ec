"""The line of downloads: one place for who asks, who works, and what is left behind."""

import sqlite3
from pathlib import Path

import pytest

from ltx_studio.errors import DownloadError, RequestError
from ltx_studio.events import Fetching, Waiting
from ltx_studio.queue.database import Database
from ltx_studio.queue.download import DownloadProgress
from ltx_studio.queue.downloads import ATTEMPTS, DownloadQueue
from ltx_studio.queue.states import Cancelled, Done, Failed, Queued, Running

CACHE = "/cache"
FILE = Fetching("loras/a", "fetching", 5, 10, 5, 10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studio.db"


@pytest.fixture
def queue(file: Path) -> DownloadQueue:
    return DownloadQueue(Database(file))


def submit(queue: DownloadQueue, *files: str, worker: str | None = None) -> str:
    return queue.submit("Some files", CACHE, files or ("loras/a",), worker=worker)


def test_a_download_waits_runs_and_ends(queue: DownloadQueue) -> None:
    one = submit(queue, "loras/a", "loras/b")
    assert isinstance(queue.get(one).state, Queued)

    claimed = queue.claim(CACHE, "me")
    assert claimed is not None
    assert (claimed.id, claimed.files, claimed.damaged) == (one, ("loras/a", "loras/b"), None)
    assert queue.claim(CACHE, "me") is None
    assert not queue.report(one, "me", DownloadProgress((FILE,), Waiting("hub", "so")), has_grown=True)

    running = queue.get(one)
    assert isinstance(running.state, Running)
    assert running.progress == DownloadProgress((FILE,), Waiting("hub", "so"))
    assert (running.progress.done, running.progress.size) == (5, 10)
    queue.finish(one, "me")
    assert isinstance(queue.get(one).state, Done)
    assert queue.active() == []
    assert [each.id for each in queue.all()] == [one]


def test_a_failed_one_tells_why(queue: DownloadQueue) -> None:
    one = submit(queue)
    queue.claim(CACHE, "me")

    queue.fail(one, "me", DownloadError("It is gone.", "Look elsewhere."))

    found = queue.get(one)
    assert isinstance(found.state, Failed)
    assert found.error == DownloadError("It is gone.", "Look elsewhere.")
    assert found.as_dict()["error"]["message"] == "It is gone."


def test_the_same_files_are_not_fetched_twice_at_once(queue: DownloadQueue) -> None:
    one = submit(queue, "loras/a", "loras/b")

    assert submit(queue, "loras/b") == one
    queue.claim(CACHE, "me")
    assert submit(queue, "loras/a", "loras/b") == one
    assert submit(queue, "loras/a", "loras/c") != one
    queue.finish(one, "me")
    assert submit(queue, "loras/b") != one


def test_a_repair_is_one_of_its_own_and_keeps_what_it_replaces(queue: DownloadQueue) -> None:
    one = submit(queue)
    copies = frozenset({(1, 2, 3, 4), (5, 6, 7, 8)})

    repair = queue.submit("Repair", CACHE, ["loras/a"], damaged=copies)

    assert repair != one
    assert queue.get(repair).damaged == copies
    assert submit(queue) == one, "a repair is no download that others may wait for"


def test_each_cache_has_its_own_line(queue: DownloadQueue) -> None:
    one = submit(queue)

    assert queue.claim("/elsewhere", "me") is None
    assert queue.submit("Some files", "/elsewhere", ["loras/a"]) != one


def test_a_waiting_one_is_cancelled_and_a_running_one_asked_to_stop(queue: DownloadQueue) -> None:
    one, other = submit(queue, "loras/a"), submit(queue, "loras/b")
    queue.claim(CACHE, "me", one)

    assert isinstance(queue.cancel(other).state, Cancelled)
    assert queue.cancel(one).is_stopping
    assert queue.report(one, "me", DownloadProgress(), has_grown=False)
    queue.drop(one, "me")
    assert isinstance(queue.get(one).state, Cancelled)
    assert isinstance(queue.cancel(one).state, Cancelled)
    with pytest.raises(RequestError, match="no download nobody"):
        queue.cancel("nobody")


def test_what_a_worker_that_is_gone_left_is_anyones(queue: DownloadQueue) -> None:
    one, other = submit(queue, "loras/a", worker="gone"), submit(queue, "loras/b", worker="here")
    queue.claim(CACHE, "gone", one)
    assert queue.claim(CACHE, "me") is None

    queue.recover(lambda worker, lease_until: worker == "gone")

    assert queue.claim(CACHE, "me", other) is None
    claimed = queue.claim(CACHE, "me")
    assert claimed is not None
    assert claimed.id == one


def test_one_that_was_being_stopped_is_cancelled_when_its_worker_is_gone(queue: DownloadQueue) -> None:
    one = submit(queue)
    queue.claim(CACHE, "gone")
    queue.cancel(one)

    queue.recover(lambda worker, lease_until: True)

    assert isinstance(queue.get(one).state, Cancelled)


def test_what_ends_the_studio_each_time_fails_unless_bytes_come(queue: DownloadQueue) -> None:
    one = submit(queue)
    for _ in range(ATTEMPTS):
        queue.claim(CACHE, "gone")
        queue.report(one, "gone", DownloadProgress((FILE,)), has_grown=True)
        queue.recover(lambda worker, lease_until: True)
    assert isinstance(queue.get(one).state, Queued)

    for _ in range(ATTEMPTS):
        queue.claim(CACHE, "gone")
        queue.recover(lambda worker, lease_until: True)

    error = queue.get(one).error
    assert error is not None
    assert f"quit {ATTEMPTS} times" in error.message


def test_a_studio_that_ends_in_order_may_do_so_as_often_as_it_likes(queue: DownloadQueue) -> None:
    one = submit(queue)
    for _ in range(2 * ATTEMPTS):
        queue.claim(CACHE, "me")
        queue.release(one, "me")

    assert isinstance(queue.get(one).state, Queued)


def test_a_worker_that_lost_its_download_changes_nothing(queue: DownloadQueue) -> None:
    one = submit(queue)
    queue.claim(CACHE, "slow")
    queue.release(one, "slow")
    queue.claim(CACHE, "me")

    assert queue.report(one, "slow", DownloadProgress((FILE,)), has_grown=True), "it must stop"
    queue.fail(one, "slow", DownloadError("No.", "No."))
    queue.release(one, "slow")

    found = queue.get(one)
    assert isinstance(found.state, Running)
    assert (found.worker, found.progress) == ("me", DownloadProgress())


def test_ended_ones_are_forgotten_after_a_while(queue: DownloadQueue, file: Path) -> None:
    one = submit(queue)
    queue.claim(CACHE, "me")
    queue.finish(one, "me")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE downloads SET ended = 1")

    submit(queue)

    with pytest.raises(RequestError):
        queue.get(one)


def test_a_damaged_row_breaks_nothing(queue: DownloadQueue, file: Path) -> None:
    one = submit(queue)
    with sqlite3.connect(file) as connection:
        connection.execute("""UPDATE downloads SET progress = '{"files": [{"type": "Step"}]}', files = '{}',
                           damaged = '[[1], "x"]', error = '7'""")

    found = queue.get(one)

    assert (found.progress, found.files, found.damaged) == (DownloadProgress(), (), frozenset())
    assert queue.active() == [found]


def test_a_request_that_is_withdrawn_leaves_the_download_to_the_others(queue: DownloadQueue) -> None:
    one = submit(queue, worker="mine")
    assert submit(queue, worker="yours") == one
    queue.claim(CACHE, "mine", one)

    left = queue.withdraw(one, "mine")

    assert isinstance(left.state, Queued)
    assert left.worker is None
    assert queue.claim(CACHE, "yours", one) is not None
    assert isinstance(queue.withdraw(one, "yours").state, Cancelled), "nobody else wants it any more"


def test_a_request_that_is_withdrawn_changes_nothing_for_who_runs_the_download(queue: DownloadQueue) -> None:
    one = submit(queue, worker="mine")
    submit(queue, worker="yours")
    queue.claim(CACHE, "mine", one)

    assert isinstance(queue.withdraw(one, "yours").state, Running)
    assert isinstance(queue.withdraw(one, "mine").state, Cancelled)


def test_a_waiting_download_is_left_to_others_or_cancelled(queue: DownloadQueue) -> None:
    shared, own = submit(queue, "loras/a", worker="mine"), submit(queue, "loras/b", worker="mine")
    submit(queue, "loras/a")

    assert isinstance(queue.withdraw(own, "mine").state, Cancelled)
    left = queue.withdraw(shared, "mine")
    assert (left.state.name, left.worker) == ("queued", None)


def test_a_stop_ends_a_download_however_many_requested_it(queue: DownloadQueue) -> None:
    one = submit(queue, worker="mine")
    submit(queue)
    queue.claim(CACHE, "mine", one)
    queue.cancel(one)

    assert isinstance(queue.withdraw(one, "mine").state, Cancelled)


def test_an_older_download_that_waits_for_its_own_worker_has_its_turn_first(queue: DownloadQueue, file: Path) -> None:
    older, newer = submit(queue, "loras/a", worker="living"), submit(queue, "loras/b")

    assert queue.next(CACHE, "me") is None
    assert queue.claim(CACHE, "me") is None
    only = queue.next(CACHE, "me", newer)
    assert only is not None
    assert only.id == newer

    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE downloads SET lease_until = 1 WHERE id = ?", (older,))
    found = queue.next(CACHE, "me")
    assert found is not None
    assert found.id == newer, "a worker that is silent holds nobody up"

    queue.renew(older, "living")
    assert queue.next(CACHE, "me") is None
    lease = queue.get(older).lease_until
    queue.renew(older, "another")
    assert queue.get(older).lease_until == lease


def test_releasing_never_gives_a_download_more_attempts(queue: DownloadQueue, file: Path) -> None:
    one = submit(queue)
    queue.claim(CACHE, "me")
    queue.report(one, "me", DownloadProgress((FILE,)), has_grown=True)

    queue.release(one, "me")

    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT attempts FROM downloads").fetchone() == (0,)
