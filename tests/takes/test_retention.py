"""Rows of jobs go when nothing a user can see needs them, and not before."""

import time
from pathlib import Path

import pytest

from ltx_studio.errors import ExecutionError
from ltx_studio.queue import LOCAL, Database, Queue
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.history import History
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.retention import JOB_SECONDS, forget_jobs
from tests.support import SMALL, queue_of


class Records:
    """A queue and a history without an engine."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "studio.db")
        self.queue = Queue(self.database)
        self.history = History(self.database, folder / "outputs", folder / "posters")

    def add(self) -> str:
        (job,) = self.queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": dict(SMALL)})])
        return job

    def finish(self, job: str) -> None:
        self.queue.claim([job])
        assert self.queue.finish(job, NewTake(job, job, LOCAL, "t2v", 1.0, "a.mp4", 1, "x", {"params": {}}, {}))

    def rows(self) -> set[str]:
        return {job.id for job in self.queue.of(LOCAL)}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time() + seconds
    monkeypatch.setattr("ltx_studio.takes.retention.time.time", lambda: now)


def test_a_job_goes_long_after_its_take_was_deleted(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, deleted = records.add(), records.add()
    for job in (kept, deleted):
        records.finish(job)
    records.history.delete(deleted, LOCAL)

    assert forget_jobs(records.database) == 0
    later(monkeypatch, JOB_SECONDS + 60)
    assert forget_jobs(records.database) == 1
    assert records.rows() == {kept}


def test_a_job_goes_long_after_it_failed_or_was_cancelled(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    failed, cancelled, waiting, running = (records.add() for _ in range(4))
    records.queue.claim([failed])
    records.queue.fail(failed, ExecutionError("It broke.", "Mend it."))
    records.queue.cancel(cancelled, LOCAL)
    records.queue.claim([running])

    later(monkeypatch, JOB_SECONDS - 60)
    assert forget_jobs(records.database) == 0
    later(monkeypatch, JOB_SECONDS + 60)
    assert forget_jobs(records.database) == 2
    assert records.rows() == {waiting, running}


def test_the_studio_frees_rows_and_then_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio(Settings(home=tmp_path / "home", hub_cache=tmp_path / "hub"))
    kept = studio.settings.kept_dir / f"{'a' * 64}.png"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"12345")
    (job,) = queue_of(studio).submit(LOCAL, [("i2v", {"mode": "i2v", "params": {**SMALL, "image": kept.name}})])
    queue_of(studio).claim([job])
    queue_of(studio).fail(job, ExecutionError("It broke.", "Mend it."))

    assert studio.tidy() == 0
    later(monkeypatch, JOB_SECONDS + 60)
    assert studio.tidy() == 5
    assert studio.jobs.of(LOCAL) == []
