"""Jobs that are carried out in the request that follows them, as on ZeroGPU."""

import contextvars
import threading
import time
from collections.abc import Iterator

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import ExecutionError
from ltx_studio.events import Event
from ltx_studio.queue import Cancelled
from ltx_studio.queue.workers import host
from ltx_studio.runners.protocol import Buildable
from ltx_studio.settings import Settings
from ltx_studio.studio import Done, Queued, Running, in_request
from ltx_studio.studio.studio import Studio
from tests.runners.quick import QuickRunner
from tests.support import queue_of, small_spec

VISITOR = contextvars.ContextVar("visitor", default="nobody")


class Asking(QuickRunner):
    """Notes the context and the number of its runs."""

    def __init__(self, settings: Settings, seconds: float = 0.1) -> None:
        super().__init__(settings, seconds)
        self.visitors: list[str] = []

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        self.visitors.append(VISITOR.get())
        yield from super().run(spec, cancel, job_id=job_id)


def opened(home: Settings, seconds: float = 0.1) -> tuple[Studio, Asking]:
    runner = Asking(home, seconds)
    return Studio(home, runner, works=True, in_request=True), runner


def state_of(studio: Studio, job_id: str, owner: str) -> object:
    end = time.monotonic() + 20
    while isinstance(state := studio.jobs.get(job_id, owner).state, Queued | Running) and time.monotonic() < end:
        time.sleep(0.02)
    return state


@pytest.fixture
def studio(home: Settings) -> Iterator[tuple[Studio, Asking]]:
    made = opened(home)
    yield made
    assert made[0].close(20)


def test_a_job_waits_for_its_follower_and_runs_in_their_context(studio: tuple[Studio, Asking]) -> None:
    it, runner = studio
    (job_id,) = it.jobs.submit("alice", [small_spec()])
    time.sleep(0.5)
    assert isinstance(it.jobs.get(job_id, "alice").state, Queued)

    VISITOR.set("alice")
    *_, ended = it.follow(job_id, "alice")

    assert isinstance(ended.state, Done)
    assert runner.visitors == ["alice"]
    assert [take.id for take in it.takes.page("alice").takes] == [ended.state.take]
    assert it.takes.page("bob").takes == ()


def test_a_second_follower_only_follows(studio: tuple[Studio, Asking]) -> None:
    it, runner = studio
    (job_id,) = it.jobs.submit("alice", [small_spec()])
    ends: list[object] = []

    def follow() -> None:
        *_, last = it.follow(job_id, "alice")
        ends.append(type(last.state))

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ends == [Done] * 3
    assert len(runner.visitors) == 1


def test_a_follower_who_leaves_stops_the_run_and_one_who_only_follows_does_not(home: Settings) -> None:
    it, _ = opened(home, seconds=4)
    (job_id,) = it.jobs.submit("alice", [small_spec()])
    first = it.follow(job_id, "alice")
    assert isinstance(next(first).state, Queued)
    while not isinstance(next(first).state, Running):
        pass
    second = it.follow(job_id, "alice")
    next(second)
    second.close()
    assert isinstance(it.jobs.get(job_id, "alice").state, Running)

    first.close()

    assert isinstance(state_of(it, job_id, "alice"), Cancelled)
    assert it.close(20)


def test_a_second_tab_that_closes_leaves_the_run_to_the_first(home: Settings) -> None:
    it, _ = opened(home, seconds=1)
    (job_id,) = it.jobs.submit("alice", [small_spec()])
    begun, later = it.follow(job_id, "alice"), it.follow(job_id, "alice")
    assert isinstance(next(begun).state, Queued)
    while not isinstance(next(later).state, Running):
        pass

    begun.close()
    *_, ended = later

    assert isinstance(ended.state, Done)
    assert it.close(20)


def test_a_paused_job_waits(studio: tuple[Studio, Asking]) -> None:
    it, runner = studio
    (job_id,) = it.jobs.submit("alice", [small_spec()])
    it.jobs.pause("alice")
    following = it.follow(job_id, "alice")
    assert isinstance(next(following).state, Queued)
    time.sleep(0.5)
    assert isinstance(next(following).state, Queued)
    assert runner.visitors == []

    it.jobs.resume("alice")
    *_, ended = following

    assert isinstance(ended.state, Done)


def test_a_job_that_cannot_be_begun_is_told_to_its_follower(studio: tuple[Studio, Asking]) -> None:
    it, _ = studio
    (job_id,) = it.jobs.submit("alice", [small_spec()])

    def carry_out(job_id: str, owner: str, cancel: CancelToken) -> Iterator[Event]:
        yield from ()
        raise OSError("the home cannot be written")

    with pytest.raises(ExecutionError, match="the home cannot be written"):
        list(in_request.follow(it.jobs, carry_out, job_id, "alice", CancelToken(), lambda: True))


def test_a_job_whose_process_has_ended_waits_for_its_visitor_again(home: Settings) -> None:
    before, _ = opened(home)
    (job_id,) = before.jobs.submit("alice", [small_spec()])
    queue_of(before).claim([job_id], worker=f"{host()}:1:gone")
    assert before.close(20)

    after, _ = opened(home)
    after.start()

    assert isinstance(after.jobs.get(job_id, "alice").state, Queued)
    *_, ended = after.follow(job_id, "alice")
    assert isinstance(ended.state, Done)
    assert after.close(20)
