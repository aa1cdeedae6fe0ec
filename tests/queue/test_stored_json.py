"""Rows of nonsense, as somebody may put in by hand or a disk may make: each is shown, none stops the others."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.queue import LOCAL, Database, Failed, Queue, Running
from ltx_studio.queue.specs import read_spec
from ltx_studio.queue.states import Progress
from ltx_studio.settings import Settings
from ltx_studio.takes.history import History
from ltx_studio.takes.records import NewTake
from ltx_studio.web.panels.queue_panel import name_of

SPECS = [
    "{}",
    "[]",
    "5",
    "null",
    '"x"',
    '{"params": []}',
    '{"params": null}',
    '{"mode": "t2v"}',
    "no JSON",
    "",
    "[" * 900,
]
PROGRESS = [
    "no JSON", "[]", "7", '{"stage": 5}', '{"step": "many"}', '{"step": NaN}', '{"steps": true}', '{"colour": 1}',
]  # fmt: skip
ERRORS: list[str | None] = [
    "no JSON",
    "{}",
    "[]",
    '{"error": 1, "message": [], "hint": 0, "where": "", "details": ""}',
    None,
]


def put(path: Path, **columns: Any) -> None:
    """Change every job as somebody with a hammer would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for name, value in columns.items():
            connection.execute(f"UPDATE jobs SET {name} = ?", (value,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "studio.db"


def handed_in(path: Path, spec: Mapping[str, Any] | None = None) -> tuple[Queue, str]:
    queue = Queue(Database(path))
    return queue, queue.submit(LOCAL, [("t2v", spec or {"mode": "t2v", "params": {"prompt": "a ball"}})])[0]


@pytest.mark.parametrize("spec", SPECS)
def test_a_job_without_a_request_is_shown_claimed_and_refused(path: Path, spec: str) -> None:
    queue, job = handed_in(path)
    put(path, spec=spec)

    (found,) = queue.of(LOCAL)
    assert found.damaged
    assert "Damaged" in found.prompt
    assert found.as_dict()["damaged"] is True
    assert name_of(found)
    claimed = queue.claim()
    assert claimed is not None
    with pytest.raises(RequestError) as told:
        read_spec(claimed.spec, Settings(home=path.parent))
    queue.fail(job, told.value)
    assert isinstance(queue.get(job, LOCAL).state, Failed)


@pytest.mark.parametrize("spec", SPECS)
def test_a_restart_is_not_stopped_by_one(path: Path, spec: str) -> None:
    queue, job = handed_in(path)
    queue.claim()
    put(path, spec=spec)

    assert queue.recover() == [job]


@pytest.mark.parametrize("progress", PROGRESS)
def test_a_progress_that_is_none_is_no_progress(path: Path, progress: str) -> None:
    queue, job = handed_in(path)
    queue.claim()
    put(path, progress=progress)

    state = queue.get(job, LOCAL).state
    assert isinstance(state, Running)
    assert state.progress in (Progress(), Progress())
    assert state.progress.part == 0.0
    assert json.dumps(queue.get(job, LOCAL).as_dict())


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_that_is_none_is_said_to_be_lost(path: Path, error: str | None) -> None:
    queue, job = handed_in(path)
    put(path, state="failed", error=error)

    state = queue.get(job, LOCAL).state
    assert isinstance(state, Failed)
    assert "reason was lost" in state.error.message


def test_a_state_that_is_none_is_shown_as_failed_and_can_be_cancelled(path: Path) -> None:
    queue, job = handed_in(path)
    put(path, state="dancing")

    state = queue.get(job, LOCAL).state
    assert isinstance(state, Failed)
    assert "'dancing'" in state.error.message
    assert queue.claim() is None
    assert queue.cancel(job, LOCAL).state.name == "cancelled"


@pytest.mark.parametrize("recipe", SPECS)
@pytest.mark.parametrize("measured", ["{}", "[]", "no", '{"width": "x", "fps": [], "seconds": "long", "stages": 5}'])
def test_a_damaged_take_is_shown_and_found(path: Path, recipe: str, measured: str) -> None:
    queue, job = handed_in(path)
    queue.claim()
    queue.finish(job, NewTake(job, job, LOCAL, "t2v", 1.0, "a.mp4", 1, "a ball", {"params": {"seed": 3}}, {}))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE takes SET recipe = ?, measured = ?, tags = 'no JSON'", (recipe, measured))
    history = History(Database(path), path.parent, path.parent)

    (found,) = history.page(LOCAL, search="ball").takes
    assert found.as_dict()["seed"] is None
    assert (found.clip, found.tags, found.measured["seconds"]) == ({}, (), 0.0)
    assert history.has_used(LOCAL, "a" * 64) is False
    assert history.measured("pocket", 5) == []
