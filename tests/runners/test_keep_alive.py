"""Models are unloaded after a while without a job; without an engine."""

from pathlib import Path

import pytest

from ltx_studio.engine import Memory
from ltx_studio.errors import BusyError
from ltx_studio.queue import Database, Failed, Queue
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.runners import LocalRunner
from ltx_studio.runners.worker import Worker
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.take_store import TakeStore
from tests.support import small_spec


class Counting(LocalRunner):
    """Counts how often it is to unload, and may be busy."""

    unloaded, busy, broken = 0, False, False

    def unload(self) -> tuple[Memory, Memory] | None:
        self.unloaded += 1
        if self.busy:
            raise BusyError("A run is on.", "Wait for it.")
        if self.broken:
            raise RuntimeError("CUDA error")
        return None


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Bench:
    """A worker that looks when the test says so; its jobs fail at once, for ComfyUI is not installed."""

    def __init__(self, settings: Settings, keep_alive: float | None) -> None:
        self.queue, self.runner = Queue(Database(settings.database_file)), Counting(settings)
        self.worker = Worker(
            settings.workers_dir,
            self.queue,
            self.runner,
            TakeStore(settings),
            LiveUpdates(),
            keep_alive=keep_alive,
        )

    def job(self) -> None:
        (job,) = self.queue.submit("ada", [("t2v", small_spec().as_dict())])
        self.worker._look()
        assert isinstance(self.queue.get(job, "ada").state, Failed)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ltx_studio.runners.worker.time", clock)
    monkeypatch.setattr("ltx_studio.runners.worker.LOOK_SECONDS", 0.0)
    return clock


def test_models_are_unloaded_once_after_the_time_and_again_after_the_next_job(home: Settings, clock: Clock) -> None:
    bench = Bench(home, 60)
    clock.now += 1000
    bench.worker._look()
    assert bench.runner.unloaded == 0, "nothing has run"

    for jobs in (1, 2):
        bench.job()
        clock.now += 59
        bench.worker._look()
        assert bench.runner.unloaded == jobs - 1
        clock.now += 1
        bench.worker._look()
        bench.worker._look()
        assert bench.runner.unloaded == jobs


def test_each_job_begins_the_time_anew(home: Settings, clock: Clock) -> None:
    bench = Bench(home, 60)
    for _ in range(3):
        bench.job()
        clock.now += 40
        bench.worker._look()

    assert bench.runner.unloaded == 0


def test_zero_unloads_as_soon_as_nothing_waits(home: Settings, clock: Clock) -> None:
    bench = Bench(home, 0)
    bench.job()
    bench.worker._look()

    assert bench.runner.unloaded == 1


def test_without_a_time_models_stay(home: Settings, clock: Clock) -> None:
    bench = Bench(home, None)
    bench.job()
    clock.now += 1e9
    bench.worker._look()

    assert bench.runner.unloaded == 0


def test_an_engine_in_use_is_asked_again_later_and_a_broken_one_is_not(home: Settings, clock: Clock) -> None:
    bench = Bench(home, 60)
    bench.runner.busy = True
    bench.job()
    for asked in (1, 2):
        clock.now += 60
        bench.worker._look()
        bench.worker._look()
        assert bench.runner.unloaded == asked

    bench.runner.busy, bench.runner.broken = False, True
    for _ in range(2):
        clock.now += 60
        bench.worker._look()
    assert bench.runner.unloaded == 3


@pytest.mark.parametrize(("minutes", "unloaded"), [(0.0, 1), (None, 0)])
def test_the_studio_gives_its_worker_the_setting(
    tmp_path: Path, minutes: float | None, unloaded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "start", lambda self: None)
    settings = Settings(home=tmp_path / "home", keep_alive_minutes=minutes)
    runner = Counting(settings)
    studio = Studio(settings, runner)
    studio.work()
    assert isinstance(studio._worker, Worker)

    studio.jobs.submit("ada", [small_spec()])
    studio._worker._look()
    studio._worker._look()

    assert runner.unloaded == unloaded
