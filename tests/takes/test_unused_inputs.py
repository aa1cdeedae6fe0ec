"""Copies of users' files are freed with the last job or take that needs them, and not a moment before."""

import json
import os
import time
from pathlib import Path

import pytest

from ltx_studio.queue.database import Database
from ltx_studio.queue.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes import unused_inputs
from ltx_studio.takes.records import NewTake
from ltx_studio.takes.unused_inputs import RETRY_SECONDS, UNUSED_SECONDS

FILE = f"{'a' * 64}.mp4"


@pytest.fixture
def away(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def database(away: Settings) -> Database:
    return Database(away.database_file)


@pytest.fixture
def kept(away: Settings) -> Path:
    away.kept_dir.mkdir(parents=True)
    path = away.kept_dir / FILE
    path.write_bytes(b"x" * 100)
    os.utime(path, (0, time.time() - 2 * UNUSED_SECONDS))
    return path


def add_job(database: Database, state: str, ended: float | None = None, params: str = "") -> None:
    spec = json.dumps({"params": {"clip": params or FILE}})
    with database.write() as connection:
        connection.execute("INSERT OR IGNORE INTO owners (id) VALUES (?)", (LOCAL,))
        connection.execute(
            "INSERT INTO jobs (id, owner, mode, spec, state, place, created, ended)"
            " VALUES (?, ?, 'style', ?, ?, 0, ?, ?)",
            (os.urandom(6).hex(), LOCAL, spec, state, time.time() - 2 * RETRY_SECONDS, ended),
        )


def add_take(database: Database) -> None:
    recipe = {"params": {"prompt": "x", "clip": FILE}}
    with database.write() as connection:
        connection.execute("INSERT OR IGNORE INTO owners (id) VALUES (?)", (LOCAL,))
        NewTake("a" * 12, "a" * 12, LOCAL, "style", 0.0, "a.mp4", 1, "x", recipe, {}).insert(connection)


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_file_goes_when_nothing_needs_it(state: str, database: Database, away: Settings, kept: Path) -> None:
    add_job(database, state)

    assert unused_inputs.free(database, away.kept_dir) == 100

    assert not kept.exists()


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_file_stays_while_a_job_may_run(state: str, database: Database, away: Settings, kept: Path) -> None:
    add_job(database, state)

    assert unused_inputs.free(database, away.kept_dir) == 0

    assert kept.exists()


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_file_stays_while_its_job_can_be_tried_again(
    state: str, database: Database, away: Settings, kept: Path
) -> None:
    add_job(database, state, time.time() - RETRY_SECONDS + 60)

    assert unused_inputs.free(database, away.kept_dir) == 0

    assert kept.exists()


def test_a_file_stays_while_a_take_was_made_of_it(database: Database, away: Settings, kept: Path) -> None:
    add_job(database, "done")
    add_take(database)

    assert unused_inputs.free(database, away.kept_dir) == 0

    assert kept.exists()


def test_a_new_file_stays_for_a_day(database: Database, away: Settings, kept: Path) -> None:
    os.utime(kept)

    assert unused_inputs.free(database, away.kept_dir) == 0

    assert kept.exists()


def test_a_worker_with_nothing_to_do_frees_them(away: Settings, kept: Path) -> None:
    studio = Studio(away)
    studio.work()
    try:
        for _ in range(1000):
            if not kept.exists():
                break
            time.sleep(0.01)
    finally:
        studio.close()

    assert not kept.exists()
