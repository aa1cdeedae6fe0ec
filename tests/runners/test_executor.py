"""A job is carried out in a worker's thread or inside a request, by whatever runner, once."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import ExecutionError, RequestError
from ltx_studio.events import Event, Finished, Heartbeat, Step
from ltx_studio.queue import LOCAL, Cancelled, Done, Failed, Running
from ltx_studio.runners.protocol import Buildable
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.runners.quick import QuickRunner
from tests.support import ROOT, home_apart, queue_of, small_spec


@pytest.fixture
def studio(home: Settings) -> Studio:
    return Studio(home, QuickRunner(home))


def submit(studio: Studio, count: int = 1) -> list[str]:
    return studio.jobs.submit(LOCAL, [small_spec(seed=number) for number in range(count)])


def test_a_request_carries_its_job_itself(studio: Studio) -> None:
    (job,) = submit(studio)

    events = list(studio.carry_out(job, LOCAL))

    assert isinstance(events[-1], Finished)
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3, 4]
    state = studio.jobs.get(job, LOCAL).state
    assert isinstance(state, Done)
    assert studio.takes.path(studio.takes.get(state.take, LOCAL)).is_file()
    assert not list(studio.settings.staging_dir.glob("*")), "the run's folder is removed"


def test_a_request_takes_no_job_that_another_has(studio: Studio) -> None:
    (job,) = submit(studio)
    queue_of(studio).claim([job], worker="elsewhere:1:a")

    with pytest.raises(RequestError, match="no longer waiting"):
        list(studio.carry_out(job, LOCAL))
    with pytest.raises(RequestError, match="no job"):
        list(studio.carry_out(job, "eve"))


def test_a_request_that_ends_early_stops_its_job(studio: Studio) -> None:
    (job,) = submit(studio)
    events = studio.carry_out(job, LOCAL)
    while not isinstance(next(events), Step):
        pass

    events.close()  # type: ignore[attr-defined]

    assert isinstance(studio.jobs.get(job, LOCAL).state, Cancelled)


def test_a_request_beside_a_worker_is_carried_out_once(studio: Studio) -> None:
    jobs = submit(studio, 6)
    studio.work()
    try:
        try:
            own = list(studio.carry_out(jobs[-1], LOCAL))
        except RequestError:
            own = []  # the worker was faster
        for job in jobs:
            *_, ended = studio.jobs.follow(job, LOCAL)
            assert isinstance(ended.state, Done), ended.state
    finally:
        assert studio.close(10)

    assert len(studio.takes.page(LOCAL, limit=20).takes) == 6
    assert own == [] or isinstance(own[-1], Finished)


class Silent(QuickRunner):
    """Its stream ends without saying how."""

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        yield Heartbeat(0.0)


def test_a_stream_without_an_end_is_a_failure(home: Settings) -> None:
    studio = Studio(home, Silent(home))
    (job,) = submit(studio)

    list(studio.carry_out(job, LOCAL))

    state = studio.jobs.get(job, LOCAL).state
    assert isinstance(state, Failed)
    assert isinstance(state.error, ExecutionError)


def test_a_worker_that_lost_its_job_does_not_end_it(studio: Studio) -> None:
    (job,) = submit(studio)
    events = studio.carry_out(job, LOCAL)
    while not isinstance(next(events), Step):
        pass
    (mine,) = queue_of(studio).running()
    queue_of(studio).recover([mine])
    queue_of(studio).claim([job], worker="elsewhere:1:a")

    rest = list(events)

    assert isinstance(rest[-1], Finished)
    after = studio.jobs.get(job, LOCAL)
    assert isinstance(after.state, Running)
    assert after.worker == "elsewhere:1:a"
    assert studio.takes.page(LOCAL).takes == ()


WORK = """
import sys, time
from pathlib import Path
from ltx_studio.queue import LOCAL, Queued, Running
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.runners.quick import QuickRunner
settings = Settings(home=Path(sys.argv[1]), hub_cache=Path(sys.argv[1]) / "hub")
if len(sys.argv) > 3:
    settings = Settings(home=settings.home, hub_cache=settings.hub_cache, comfy_dir=Path(sys.argv[3]))
    studio = Studio(settings)
else:
    studio = Studio(settings, QuickRunner(settings, float(sys.argv[2])))
studio.work(alone=False)
while any(isinstance(job.state, Queued | Running) for job in studio.jobs.of(LOCAL)):
    time.sleep(0.05)
studio.close(10)
"""


def start_worker(home: Settings, seconds: float, *comfy: str) -> "subprocess.Popen[bytes]":
    """Start a process that works until no job waits: with ComfyUI if its folder is given, else with a stand-in."""
    return subprocess.Popen([sys.executable, "-c", WORK, str(home.home), str(seconds), *comfy], cwd=ROOT)


@pytest.mark.parametrize("engine_of", ["quick", pytest.param("real", marks=pytest.mark.thorough)])
def test_two_workers_carry_each_of_twenty_jobs_out_once(
    home: Settings, engine_of: str, request: pytest.FixtureRequest
) -> None:
    comfy: list[str] = []
    if engine_of == "real":
        home = home_apart(request.getfixturevalue("set_up"), home.home)
        comfy = [str(home.comfy_dir)]
    studio = Studio(home, QuickRunner(home))
    jobs = submit(studio, 20)

    workers = [start_worker(home, 0.4, *comfy) for _ in range(2)]

    assert [worker.wait(280) for worker in workers] == [0, 0]
    found = {job.id: job for job in studio.jobs.of(LOCAL)}
    assert all(isinstance(found[job].state, Done) for job in jobs)
    assert sorted(take.job for take in studio.takes.page(LOCAL, limit=40).takes) == sorted(jobs)
    assert len({found[job].worker for job in jobs}) == 2, "both worked"
    with studio._database.read() as connection:
        assert {row[0] for row in connection.execute("SELECT attempts FROM jobs")} == {1}


def test_a_killed_workers_job_is_taken_over_by_the_next_one(home: Settings) -> None:
    studio = Studio(home, QuickRunner(home))
    (job,) = submit(studio)
    worker = start_worker(home, 30)
    end = time.monotonic() + 60
    while not isinstance(studio.jobs.get(job, LOCAL).state, Running):
        assert time.monotonic() < end
        time.sleep(0.05)

    worker.send_signal(signal.SIGKILL)
    worker.wait()
    studio.work()
    *_, ended = studio.jobs.follow(job, LOCAL)

    assert studio.close(10)
    assert isinstance(ended.state, Done), ended.state
    assert json.dumps(ended.as_dict())
