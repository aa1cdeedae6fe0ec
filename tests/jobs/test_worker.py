"""The worker carries out what waits, one job after another, and whatever ends it loses none."""

import errno
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Engine
from ltx_studio.errors import StoppedError
from ltx_studio.events import Cancelled as RunCancelled
from ltx_studio.events import Event, Heartbeat
from ltx_studio.graph import Workflow
from ltx_studio.jobs import JobSpec, LocalRunner, Spec, recipes
from ltx_studio.jobs.archive import Archive
from ltx_studio.jobs.board import Board
from ltx_studio.jobs.database import Database
from ltx_studio.jobs.history import History, NewTake
from ltx_studio.jobs.queue import Queue
from ltx_studio.jobs.states import Cancelled, Done, Failed, Queued, Running, State
from ltx_studio.jobs.worker import Worker
from ltx_studio.settings import Settings
from tests.support import small_spec


class Studio:
    """All that a worker needs, with an engine that is warm."""

    def __init__(self, settings: Settings, runner: LocalRunner, folder: Path) -> None:
        self.settings, self.runner = settings, runner
        database = Database(folder / "studio.db")
        self.queue, self.history = Queue(database), History(database, settings.outputs_dir, settings.posters_dir)
        self.board = Board()
        self.lock = folder / "worker.lock"  # not that of a page which other tests have opened

    def worker(self, *, only: list[str] | None = None) -> Worker:
        return Worker(self.lock, self.queue, self.runner, Archive(self.settings), self.board, only=only)

    def submit(self, *specs: JobSpec) -> list[str]:
        return self.queue.submit("ada", [(spec.mode, spec.as_dict()) for spec in specs])

    def wait(self, job: str, *states: type[State], seconds: float = 60) -> State:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.queue.get(job, "ada").state
            if isinstance(state, states):
                return state
            time.sleep(0.02)
        raise AssertionError(f"{job} is {state}")


class Endless(LocalRunner):
    """Its runs go on until they are stopped."""

    def carry_out(
        self, workflow: Workflow, cancel: CancelToken, *, job_id: str, fresh: bool = False
    ) -> Iterator[Event]:
        while not cancel.wait(0.01):
            yield Heartbeat(0.0)
        yield RunCancelled()


class Thorough(LocalRunner):
    """It makes files ready until it is stopped."""

    def prepare(self, spec: Spec, cancel: CancelToken) -> Workflow:
        while not cancel.wait(0.01):
            pass
        raise StoppedError("Stopped.", "Nothing was kept.")


@pytest.fixture
def studio(engine: Engine, settings: Settings, tmp_path: Path) -> Studio:
    return Studio(settings, LocalRunner(settings, engine), tmp_path)


@pytest.fixture
def endless(settings: Settings, engine: Engine, tmp_path: Path) -> Studio:
    return Studio(settings, Endless(settings, engine), tmp_path)


def test_what_waits_is_carried_out_and_the_take_is_of_the_history(studio: Studio) -> None:
    jobs = studio.submit(small_spec(), small_spec(seed=8))
    worker = studio.worker()
    worker.start()
    try:
        states = [studio.wait(job, Done, Failed) for job in jobs]
    finally:
        assert worker.close(30)

    assert all(isinstance(state, Done) for state in states), states
    takes = studio.history.page("ada").takes
    assert [take.job for take in takes] == jobs[::-1]
    for take in takes:
        path = studio.history.path(take)
        assert path.stat().st_size == take.bytes
        assert recipes.read(path).model_dump(mode="json") == take.recipe
        assert Archive(studio.settings).poster(take.id).exists()
    left = [path.name for job in jobs for path in studio.settings.outputs_dir.rglob(f"*{job}*")]
    assert len(left) == 2  # nothing of the run's own is left beside them


def test_a_recipe_says_nothing_of_the_machine(studio: Studio) -> None:
    job = studio.submit(small_spec())[0]
    worker = studio.worker()
    worker.start()
    try:
        studio.wait(job, Done)
    finally:
        worker.close(30)
    (take,) = studio.history.page("ada").takes

    carried = " ".join(recipes.tags(studio.history.path(take)).values())

    assert str(studio.settings.home) not in carried
    assert str(Path.home()) not in carried


def test_a_running_job_is_stopped_by_whoever_asks_the_queue(endless: Studio) -> None:
    first, second = endless.submit(small_spec(), small_spec())
    worker = endless.worker()
    worker.start()
    try:
        endless.wait(first, Running)
        endless.queue.cancel(first, "ada")
        endless.wait(first, Cancelled)
        endless.wait(second, Running)
    finally:
        assert worker.close(30)


def test_a_job_whose_files_are_being_made_ready_is_stopped_too(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    thorough = Studio(settings, Thorough(settings, engine), tmp_path)
    job = thorough.submit(small_spec())[0]
    worker = thorough.worker()
    worker.start()
    try:
        thorough.wait(job, Running)
        thorough.queue.cancel(job, "ada")
        thorough.wait(job, Cancelled)
    finally:
        assert worker.close(30)


def test_closing_puts_the_running_job_back(endless: Studio) -> None:
    job = endless.submit(small_spec())[0]
    worker = endless.worker()
    worker.start()
    endless.wait(job, Running)

    assert worker.close(30)

    assert endless.queue.get(job, "ada").state == Queued(0, attempts=0)


def test_a_second_worker_begins_when_the_first_has_ended(endless: Studio) -> None:
    first, second = endless.submit(small_spec(), small_spec())
    one, other = endless.worker(), endless.worker(only=[second])
    one.start()
    endless.wait(first, Running)
    other.start()
    time.sleep(0.6)
    assert isinstance(endless.queue.get(second, "ada").state, Queued)

    assert one.close(30)

    endless.wait(second, Running)
    assert other.close(30)


def test_a_job_that_cannot_be_prepared_fails_with_the_reason(endless: Studio) -> None:
    job = endless.submit(JobSpec.from_request("t2v", {"prompt": "a ball"}, "fp8"))[0]
    worker = endless.worker()
    worker.start()
    try:
        state = endless.wait(job, Failed)
    finally:
        worker.close(30)

    assert isinstance(state, Failed)
    assert state.error.code == "model_missing"


def test_a_database_that_cannot_be_written_for_a_while_loses_no_job(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, faults = studio.queue.finish, ["database or disk is full"]

    def finish(job: str, take: NewTake) -> bool:
        if faults:
            raise sqlite3.OperationalError(faults.pop())
        return real(job, take)

    monkeypatch.setattr(studio.queue, "finish", finish)
    job = studio.submit(small_spec())[0]
    worker = studio.worker()
    worker.start()
    try:
        assert isinstance(studio.wait(job, Done, Failed), Done)
    finally:
        assert worker.close(30)
    assert [take.job for take in studio.history.page("ada").takes] == [job]


def test_a_clip_that_cannot_be_put_into_the_history_is_told_where_it_is(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recipes, "write", full)
    job = studio.submit(small_spec())[0]
    worker = studio.worker()
    worker.start()
    try:
        state = studio.wait(job, Failed)
    finally:
        assert worker.close(30)

    assert isinstance(state, Failed)
    assert "No space left" in state.error.message
    (kept,) = studio.settings.outputs_dir.rglob(f"*{job}*.mp4")
    assert str(kept) in state.error.hint


def test_a_job_that_could_not_be_kept_fails_before_it_is_rendered(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "outputs").touch()  # where the folder should be
    studio = Studio(Settings(home=home, comfy_dir=settings.comfy_dir), Endless(settings, engine), tmp_path)
    job = studio.submit(small_spec())[0]
    worker = studio.worker()
    worker.start()
    try:
        state = studio.wait(job, Failed)
    finally:
        assert worker.close(30)

    assert isinstance(state, Failed)
    assert f"cannot be kept in {home / 'outputs'}" in state.error.message
