"""The worker carries out what waits, one job after another, and whatever ends it loses none."""

import errno
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Engine, run_folders
from ltx_studio.errors import RequestError, StoppedError
from ltx_studio.events import Cancelled as RunCancelled
from ltx_studio.events import Event, Heartbeat
from ltx_studio.graph import Workflow
from ltx_studio.queue import JobSpec
from ltx_studio.queue.database import Database
from ltx_studio.queue.live_updates import LiveUpdates
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.states import Cancelled, Done, Failed, Progress, Queued, Running, State
from ltx_studio.runners import LocalRunner
from ltx_studio.runners.protocol import Buildable
from ltx_studio.runners.worker import Worker
from ltx_studio.settings import Settings
from ltx_studio.studio.jobs import Jobs
from ltx_studio.takes import recipes
from ltx_studio.takes.editor_metadata import EditorMetadata
from ltx_studio.takes.history import History
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.take_store import TakeStore
from ltx_studio.text.phrases import WAITING
from tests.runners.quick import QuickEngine
from tests.support import MODEL_SETS, leave_partial, small_spec


class Rig:
    """All that a worker needs."""

    def __init__(self, settings: Settings, runner: LocalRunner, folder: Path) -> None:
        self.settings, self.runner = settings, runner
        database = Database(folder / "studio.db")
        self.queue, self.history = Queue(database), History(database, settings.outputs_dir, settings.posters_dir)
        self.live_updates = LiveUpdates()
        self.lock = folder / "worker.lock"  # not that of a page which other tests have opened

    def worker(self, *, only: list[str] | None = None) -> Worker:
        return Worker(
            self.settings.workers_dir,
            self.queue,
            self.runner,
            TakeStore(self.settings),
            self.live_updates,
            lock=self.lock,
            only=only,
        )

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


class EndlessEngine(QuickEngine):
    """An engine whose runs go on until they are stopped."""

    def run(
        self, workflow: Workflow, cancel: CancelToken, *, run_id: str | None = None, fresh: bool = False
    ) -> Iterator[Event]:
        while not cancel.wait(0.01):
            yield Heartbeat(0.0)
        yield RunCancelled()


class Endless(LocalRunner):
    """Its runs go on until they are stopped."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, EndlessEngine(settings))  # type: ignore[arg-type]


class Thorough(LocalRunner):
    """It makes files ready until it is stopped."""

    def prepare(self, spec: Buildable, cancel: CancelToken) -> Workflow:
        while not cancel.wait(0.01):
            pass
        raise StoppedError("Stopped.", "Nothing was saved.")


@pytest.fixture
def warm(engine: Engine, few_steps: None, settings: Settings, tmp_path: Path) -> Rig:
    """With ComfyUI."""
    return Rig(settings, LocalRunner(settings, engine), tmp_path)


@pytest.fixture
def rig(set_up: Settings, tmp_path: Path) -> Rig:
    """With an engine that makes a small clip at once."""
    return Rig(set_up, LocalRunner(set_up, QuickEngine(set_up)), tmp_path)  # type: ignore[arg-type]


@pytest.fixture
def endless(set_up: Settings, tmp_path: Path) -> Rig:
    return Rig(set_up, Endless(set_up), tmp_path)


def test_what_waits_is_carried_out_and_the_take_is_of_the_history(warm: Rig) -> None:
    jobs = warm.submit(small_spec(), small_spec(seed=8))
    worker = warm.worker()
    worker.start()
    try:
        states = [warm.wait(job, Done, Failed) for job in jobs]
    finally:
        assert worker.close(30)

    assert all(isinstance(state, Done) for state in states), states
    takes = warm.history.page("ada").takes
    assert [take.job for take in takes] == jobs[::-1]
    for take in takes:
        path = warm.history.path(take)
        assert path.stat().st_size == take.bytes
        assert recipes.read(path).model_dump(mode="json") == take.recipe
        assert TakeStore(warm.settings).poster(take.id).exists()
    left = [path.name for job in jobs for path in warm.settings.outputs_dir.rglob(f"*{job}*")]
    assert len(left) == 2  # nothing of the run's own is left beside them
    assert [folder for job in jobs for folder in staged_of(warm, job)] == []


def test_a_recipe_says_nothing_of_the_machine(warm: Rig) -> None:
    job = warm.submit(small_spec())[0]
    worker = warm.worker()
    worker.start()
    try:
        warm.wait(job, Done)
    finally:
        worker.close(30)
    (take,) = warm.history.page("ada").takes

    carried = " ".join(recipes.tags(warm.history.path(take)).values())

    assert str(warm.settings.home) not in carried
    assert str(Path.home()) not in carried


def test_a_running_job_is_stopped_by_whoever_asks_the_queue(endless: Rig) -> None:
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


def test_a_job_whose_files_are_being_made_ready_is_stopped_too(set_up: Settings, tmp_path: Path) -> None:
    thorough = Rig(set_up, Thorough(set_up, QuickEngine(set_up)), tmp_path)  # type: ignore[arg-type]
    job = thorough.submit(small_spec())[0]
    worker = thorough.worker()
    worker.start()
    try:
        thorough.wait(job, Running)
        thorough.queue.cancel(job, "ada")
        thorough.wait(job, Cancelled)
    finally:
        assert worker.close(30)


def test_closing_puts_the_running_job_back(endless: Rig) -> None:
    job = endless.submit(small_spec())[0]
    worker = endless.worker()
    worker.start()
    endless.wait(job, Running)

    assert worker.close(30)

    assert endless.queue.get(job, "ada").state == Queued(0, attempts=0)


def test_a_second_worker_begins_when_the_first_has_ended(endless: Rig) -> None:
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


def test_a_job_that_cannot_be_prepared_fails_with_the_reason(endless: Rig) -> None:
    job = endless.submit(JobSpec.from_request("t2v", {"prompt": "a ball"}, MODEL_SETS["fp8"]))[0]
    worker = endless.worker()
    worker.start()
    try:
        state = endless.wait(job, Failed)
    finally:
        worker.close(30)

    assert isinstance(state, Failed)
    assert state.error.code == "model_missing"


def test_a_database_that_cannot_be_written_for_a_while_loses_no_job(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real, faults = rig.queue.finish, ["database or disk is full"]

    def finish(job: str, take: NewTake, *, worker: str) -> bool:
        if faults:
            raise sqlite3.OperationalError(faults.pop())
        return real(job, take, worker=worker)

    monkeypatch.setattr(rig.queue, "finish", finish)
    job = rig.submit(small_spec())[0]
    worker = rig.worker()
    worker.start()
    try:
        assert isinstance(rig.wait(job, Done, Failed), Done)
    finally:
        assert worker.close(30)
    assert [take.job for take in rig.history.page("ada").takes] == [job]


def full(*_: object, **__: object) -> bool:
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("where", ["run", "finish"])
def test_a_job_is_stopped_while_the_database_cannot_be_written(
    endless: Rig, rig: Rig, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """While it runs, and while its finished clip waits for the database."""
    rig = endless if where == "run" else rig
    jobs = Jobs(rig.settings, Database(rig.lock.parent / "studio.db"), live_updates=rig.live_updates)
    job = rig.submit(small_spec())[0]
    worker = rig.worker()
    with monkeypatch.context() as patched:
        for queue, method in (
            (rig.queue, "finish"),
            (rig.queue, "drop"),
            (rig.queue, "report"),
            (jobs._queue, "cancel"),
        ):
            patched.setattr(queue, method, full)
        worker.start()
        try:
            rig.wait(job, Running)
            if where == "finish":
                for _ in range(600):  # its clip is in its place
                    if list(rig.settings.outputs_dir.glob(f"*/*{job}.mp4")):
                        break
                    time.sleep(0.05)
            with pytest.raises(RequestError):
                jobs.cancel(job, "bob")
            assert isinstance(jobs.cancel(job, "ada").state, Running)
            *_, ended = jobs.follow(job, "ada")
            assert isinstance(ended.state, Cancelled)
            assert isinstance(rig.queue.get(job, "ada").state, Running)  # nobody could write it down
        finally:
            patched.undo()
            rig.wait(job, Cancelled)
            closed = worker.close(30)
    assert closed
    assert not list(rig.settings.outputs_dir.glob(f"*/*{job}.mp4"))
    assert rig.history.page("ada").takes == ()


def test_who_follows_a_job_learns_what_it_waits_for_while_the_database_cannot_be_written(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltx_studio.runners.patience.PAUSE_SECONDS", 0.02)
    jobs = Jobs(rig.settings, Database(rig.lock.parent / "studio.db"), live_updates=rig.live_updates)
    job = rig.submit(small_spec())[0]
    worker, following = rig.worker(), jobs.follow(job, "ada")
    with monkeypatch.context() as patched:
        for method in ("finish", "report"):
            patched.setattr(rig.queue, method, full)
        worker.start()
        try:
            shown = []
            for each in following:
                assert isinstance(each.state, Queued | Running)
                if isinstance(each.state, Running):
                    shown.append(each.state.progress)
                if shown and shown[-1].phase == WAITING["disk"]:
                    break
            assert any(progress.step for progress in shown), "it shows the steps that nobody could write down"
            (running,) = jobs.snapshot("ada").running
            assert isinstance(running.state, Running)
            assert running.state.progress == shown[-1], "the queue shows the same"
        finally:
            patched.undo()
            *_, ended = following
            closed = worker.close(30)
    assert closed
    assert isinstance(ended.state, Done)


def test_a_job_whose_failure_cannot_be_written_is_stopped_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltx_studio.runners.patience.PAUSE_SECONDS", 0.02)
    jobs = Jobs(rig.settings, Database(rig.lock.parent / "studio.db"), live_updates=rig.live_updates)
    job = rig.submit(JobSpec.from_request("t2v", {"prompt": "a ball"}, MODEL_SETS["fp8"]))[0]  # its files are missing
    worker = rig.worker()
    with monkeypatch.context() as patched:
        for queue, method in ((rig.queue, "fail"), (jobs._queue, "cancel")):
            patched.setattr(queue, method, full)
        worker.start()
        try:
            wait_for(lambda: rig.live_updates.unwritten(job) == Progress(WAITING["disk"]))
            jobs.cancel(job, "ada")
            *_, stopped = jobs.follow(job, "ada")
        finally:
            patched.undo()
            rig.wait(job, Failed)
            closed = worker.close(30)
    assert closed
    assert isinstance(stopped.state, Cancelled)


@pytest.mark.parametrize(
    "broken",
    ["recipes.write", "recipes.current", "take_store.embed", "take_store.write_poster", "take_store.clip_of"],
)
@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), MemoryError(), ValueError("odd"), KeyError("params")],
    ids=lambda error: type(error).__name__,
)
def test_a_finished_clip_is_kept_whatever_cannot_be_written_about_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, broken: str, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"ltx_studio.takes.{broken}", fail)
    job = rig.submit(small_spec())[0]
    worker = rig.worker()
    worker.start()
    try:
        state = rig.wait(job, Done, Failed)
    finally:
        assert worker.close(30)

    assert isinstance(state, Done), state
    (take,) = rig.history.page("ada").takes
    files = list(rig.settings.outputs_dir.rglob(f"*{job}*"))
    assert files == [rig.history.path(take)], "nothing else of the job is among the outputs"
    assert take.recipe["params"]["prompt"] == small_spec().prompt
    assert ("note" in take.measured) == (broken == "recipes.write")


def test_a_clip_that_cannot_carry_its_graph_still_carries_its_recipe(
    warm: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = recipes.write

    def write(
        source: Path, destination: Path, recipe: recipes.Recipe, embedded: EditorMetadata | None, made_by: Any
    ) -> None:
        if embedded is not None:
            raise ValueError("too large")
        real(source, destination, recipe, embedded, made_by)

    monkeypatch.setattr(recipes, "write", write)
    job = warm.submit(small_spec())[0]
    worker = warm.worker()
    worker.start()
    try:
        assert isinstance(warm.wait(job, Done, Failed), Done)
    finally:
        assert worker.close(30)

    (take,) = warm.history.page("ada").takes
    assert recipes.read(warm.history.path(take)).params["seed"] == 7
    assert "without its workflow for ComfyUI's editor (too large)" in take.note


def test_a_row_that_no_database_takes_fails_the_job_and_is_not_tried_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(job: str, take: NewTake, **_: object) -> bool:
        raise sqlite3.InterfaceError("Error binding parameter")

    monkeypatch.setattr(rig.queue, "finish", refuse)
    job = rig.submit(small_spec())[0]
    worker = rig.worker()
    worker.start()
    try:
        state = rig.wait(job, Failed)
    finally:
        assert worker.close(30)

    assert isinstance(state, Failed)
    assert "Error binding parameter" in state.error.message


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.mark.parametrize("method", ["finish", "fail", "drop", "claim", "report", "is_stopping", "running", "recover"])
def test_errors_of_the_database_neither_count_as_attempts_nor_lose_a_job(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    for module in ("worker", "patience"):
        monkeypatch.setattr(f"ltx_studio.runners.{module}.PAUSE_SECONDS", 0.02)
    real, faults = getattr(rig.queue, method), [sqlite3.OperationalError("database or disk is full")] * 5

    def fault(*given: object, **named: object) -> object:
        if faults:
            raise faults.pop()
        return real(*given, **named)

    monkeypatch.setattr(rig.queue, method, fault)
    good, wrong = rig.submit(small_spec(), JobSpec.from_request("t2v", {"prompt": "a ball"}, MODEL_SETS["fp8"]))
    worker = rig.worker()
    worker.start()
    try:
        assert isinstance(rig.wait(good, Done, Failed), Done)
        assert isinstance(rig.wait(wrong, Failed), Failed)
    finally:
        assert worker.close(30)

    assert [take.job for take in rig.history.page("ada").takes] == [good]
    assert len(list(rig.settings.outputs_dir.rglob(f"*{good}*"))) == 1


def test_a_clip_waits_for_the_database_and_is_taken_up_by_the_next_start(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("worker", "patience"):
        monkeypatch.setattr(f"ltx_studio.runners.{module}.PAUSE_SECONDS", 0.02)
    tried = []

    def full(job: str, take: NewTake, **_: object) -> bool:
        tried.append(job)
        raise sqlite3.OperationalError("database or disk is full")

    job = rig.submit(small_spec())[0]
    with monkeypatch.context() as patched:
        patched.setattr(rig.queue, "finish", full)
        worker = rig.worker()
        worker.start()
        wait_for(lambda: len(tried) > 3)
        assert worker.close(30)
    assert isinstance(rig.queue.get(job, "ada").state, Running)
    (clip,) = rig.settings.outputs_dir.rglob(f"*{job}*")
    before = clip.stat()

    following = rig.worker()
    following.start()
    try:
        rig.wait(job, Done)
    finally:
        assert following.close(30)

    assert (clip.stat().st_ino, clip.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert recipes.read(clip).params["seed"] == 7


def interrupted(rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str) -> str:
    """A job whose studio ended at a place of `TakeStore.keep`, for the second time."""

    class KilledError(BaseException):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    job = rig.submit(small_spec())[0]
    rig.queue.claim()
    rig.queue.recover()
    with monkeypatch.context() as patched:
        patched.setattr(f"ltx_studio.takes.{place}", kill)
        patched.setattr(threading, "excepthook", lambda _: None)
        worker = rig.worker()
        worker.start()
        wait_for(lambda: not worker._thread.is_alive())
    assert isinstance(rig.queue.get(job, "ada").state, Running)
    return job


@pytest.mark.parametrize(
    "place",
    [
        "take_store.TakeStore.keep",
        "recipes.current",
        "recipes.write",
        "take_store.run_folders.discard_run",
        "take_store.write_poster",
        "take_store.measure",
    ],
)
def test_a_clip_that_was_whole_when_the_studio_was_killed_becomes_a_take_also_the_second_time(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    job = interrupted(rig, monkeypatch, place)

    worker = rig.worker()
    worker.start()
    try:
        assert isinstance(rig.wait(job, Done, Failed), Done)
    finally:
        assert worker.close(30)

    (take,) = rig.history.page("ada").takes
    (clip,) = rig.settings.outputs_dir.rglob(f"*{job}*")
    assert clip == rig.history.path(take)
    assert recipes.read(clip).params["seed"] == take.recipe["params"]["seed"] == 7
    assert take.measured["frames"] == 17
    assert TakeStore(rig.settings).poster(take.id).exists()
    assert staged_of(rig, job) == []


def staged_of(rig: Rig, job: str) -> list[Path]:
    return list(rig.settings.staging_dir.glob(f"*-{job}-*"))


def test_a_clip_that_cannot_be_kept_stays_and_the_error_says_where(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    job = rig.submit(small_spec())[0]
    with monkeypatch.context() as patched:
        for place in ("recipes.write", "take_store.move"):
            patched.setattr(f"ltx_studio.takes.{place}", full)
        worker = rig.worker()
        worker.start()
        try:
            state = rig.wait(job, Failed)
        finally:
            assert worker.close(30)

    assert isinstance(state, Failed)
    (clip,) = run_folders.finished(rig.settings.staging_dir, job)
    assert "No space left on device" in state.error.message
    assert str(clip) in state.error.hint
    assert state.error.advice == Advice.to(Do.KEEP_CLIP, where=str(clip))

    rig.queue.retry(job, "ada")
    worker = rig.worker()
    worker.start()
    try:
        assert isinstance(rig.wait(job, Done, Failed), Done)
    finally:
        assert worker.close(30)
    assert staged_of(rig, job) == [], "what it left the first time goes, too"


def test_a_clip_that_was_to_stop_when_the_studio_was_killed_goes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    job = interrupted(rig, monkeypatch, "take_store.TakeStore.keep")
    assert staged_of(rig, job)
    rig.queue.cancel(job, "ada")

    worker = rig.worker()
    worker.start()
    try:
        rig.wait(job, Cancelled)
    finally:
        assert worker.close(30)

    assert staged_of(rig, job) == []


def test_a_clip_that_cannot_be_recovered_stays_until_its_job_is_done(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    job = interrupted(rig, monkeypatch, "take_store.TakeStore.keep")
    before = staged_of(rig, job)

    def fail(*_: object) -> None:
        raise ValueError("odd")

    with monkeypatch.context() as patched:
        patched.setattr(TakeStore, "recovered", fail)
        worker = rig.worker(only=[])
        worker.start()
        try:
            rig.wait(job, Failed)  # it was lost twice
        finally:
            assert worker.close(30)

    assert staged_of(rig, job) == before
    run_folders.discard_run(rig.settings.staging_dir, job)


def test_what_a_killed_studio_was_writing_goes_at_the_next_start(rig: Rig) -> None:
    settings = rig.settings
    folders = settings.kept_dir, settings.posters_dir, settings.outputs_dir / "2026-01-01"
    left = [leave_partial(folder) for folder in folders]
    (job,) = rig.submit(small_spec(preset="draft"))

    worker = rig.worker()
    worker.start()
    try:
        rig.wait(job, Done)
    finally:
        assert worker.close(30)

    assert not any(path.exists() for path in left)


def test_a_clip_of_a_job_that_was_to_stop_is_not_taken_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    job = interrupted(rig, monkeypatch, "take_store.write_poster")
    rig.queue.cancel(job, "ada")

    worker = rig.worker()
    worker.start()
    try:
        rig.wait(job, Cancelled)
    finally:
        assert worker.close(30)

    assert list(rig.settings.outputs_dir.rglob(f"*{job}*")) == []


def test_a_job_that_could_not_be_kept_fails_before_it_is_rendered(set_up: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "outputs").touch()  # where the folder should be
    rig = Rig(Settings(home=home, comfy_dir=set_up.comfy_dir), Endless(set_up), tmp_path)
    job = rig.submit(small_spec())[0]
    worker = rig.worker()
    worker.start()
    try:
        state = rig.wait(job, Failed)
    finally:
        assert worker.close(30)

    assert isinstance(state, Failed)
    assert f"cannot be saved to {home / 'outputs'}" in state.error.message
