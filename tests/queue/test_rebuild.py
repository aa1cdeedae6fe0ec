"""A damaged database is said to be damaged wherever that shows, and a new one keeps what can be read of it."""

import contextlib
import os
import pickle
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import BusyError, SetupError, StudioError
from ltx_studio.queue import LOCAL, Database, Queue, rebuild
from ltx_studio.queue.damage import WAY_OUT, DatabaseDamagedError, DatabaseUnusableError, is_damage, translated
from ltx_studio.queue.rebuild import recover
from ltx_studio.queue.workers import WorkerId
from ltx_studio.settings import Settings
from ltx_studio.takes.history import History
from ltx_studio.takes.integrity import IntegrityCheck
from ltx_studio.takes.records import NewTake
from tests.queue.damaged import DAMAGES, UNSEEN, Damage, settle

TAKES, JOBS = 40, 10


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A studio with takes that have no files, favourites and tags among them, and jobs that wait."""
    settings = Settings(home=tmp_path_factory.mktemp("filled") / "home")
    database = Database(settings.database_file)
    queue, history = Queue(database), history_of(settings)
    for number in range(TAKES):
        (job,) = queue.submit(
            LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": f"ball {number}", "pad": "x" * 900}})]
        )
        queue.claim([job])
        recipe = {"params": {"prompt": f"ball {number}"}, "pad": "y" * 1500}
        queue.finish(job, NewTake(job, job, LOCAL, "t2v", 1.0, f"d/{job}.mp4", 1, f"ball {number}", recipe, {}))
        history.favour(job, LOCAL, favourite=True)
        history.tag(job, LOCAL, [f"tag {number}"])
    queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": f"later {n}"}}) for n in range(JOBS)])
    del database, queue, history
    settle(settings.database_file)
    return settings


@pytest.fixture(autouse=True)
def few_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try no more row numbers than could be there: 20,000 take most of the time."""
    monkeypatch.setattr(rebuild, "TRIED_NUMBERS", 500)


@pytest.fixture
def studio(filled: Settings, tmp_path: Path) -> Settings:
    """A copy of the filled studio, to be damaged."""
    shutil.copytree(filled.home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


def history_of(settings: Settings) -> History:
    return History(Database(settings.database_file), settings.outputs_dir, settings.posters_dir)


def use_all(settings: Settings) -> None:
    """Everything that commands ask of a database."""
    database = Database(settings.database_file)
    queue, history = Queue(database), history_of(settings)
    for job in queue.of(LOCAL):
        queue.get(job.id, LOCAL)
    history.page(LOCAL, limit=100)
    history.page(LOCAL, search="ball")
    history.room(LOCAL)
    queue.submit(LOCAL, [("t2v", {"params": {"prompt": "new"}})])
    queue.claim()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_damage_is_told_with_the_way_out(studio: Settings, damage: Damage) -> None:
    damage(studio.database_file)

    with pytest.raises(DatabaseDamagedError) as told:
        Database(studio.database_file).check(thorough=True)
    assert (told.value.hint, told.value.exit_code) == (WAY_OUT, 1)
    assert told.value.advice == Advice.to(Do.REPAIR_DATABASE)
    assert str(studio.database_file) in told.value.message
    with contextlib.suppress(DatabaseDamagedError):  # as far as it comes
        use_all(studio)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_the_way_out_leads_out(studio: Settings, damage: Damage) -> None:
    damage(studio.database_file)
    before = studio.database_file.read_bytes()

    made = recover(studio)

    assert made.aside.read_bytes() == before
    assert made.aside.name.startswith("studio.db.damaged-")
    Database(studio.database_file).check(thorough=True)
    use_all(studio)
    assert not list(studio.home.glob(".recovery-*"))
    page = history_of(studio).page(LOCAL, limit=100)
    assert len(page.takes) == made.takes
    assert all(take.favourite and take.tags == (f"tag {take.prompt[5:]}",) for take in page.takes)


def test_a_broken_page_costs_its_own_rows_only(studio: Settings) -> None:
    """The rows before it and behind it, and those of other tables, are kept."""
    with closing(sqlite3.connect(studio.database_file)) as connection, connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'takes'").fetchone()
        leaves = _leaves(studio.database_file, root)
    _blot(studio.database_file, leaves[len(leaves) // 2])

    made = recover(studio)

    assert made.jobs == TAKES + JOBS
    assert TAKES - 5 <= made.takes < TAKES
    numbers = [take.number for take in history_of(studio).page(LOCAL, limit=100).takes]
    assert {1, TAKES} <= set(numbers)
    assert len(history_of(studio).page(LOCAL, search="tag", limit=100).takes) == made.takes
    assert sum(job.state.name == "queued" for job in Queue(Database(studio.database_file)).of(LOCAL)) == JOBS


def _leaves(path: Path, root: int) -> list[int]:
    """The leaf pages of a table, by the pointers in its root page."""
    page = path.read_bytes()[(root - 1) * 4096 : root * 4096]
    assert page[0] == 5, "an interior page"
    cells = int.from_bytes(page[3:5], "big")
    at = [int.from_bytes(page[12 + 2 * cell : 14 + 2 * cell], "big") for cell in range(cells)]
    return [int.from_bytes(page[each : each + 4], "big") for each in at]


def _blot(path: Path, page: int) -> None:
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", UNSEEN.values(), ids=UNSEEN)
def test_what_sqlite_takes_for_good_works(studio: Settings, damage: Damage) -> None:
    damage(studio.database_file)

    use_all(studio)
    Database(studio.database_file).check(thorough=True)


def test_a_log_that_is_left_over_does_not_get_into_a_new_database(studio: Settings) -> None:
    database = Database(studio.database_file)
    Queue(database).submit("ada", [("t2v", {"params": {"prompt": "in the log"}})])
    log = studio.database_file.with_name("studio.db-wal").read_bytes()
    assert log
    del database
    DAMAGES["text"](studio.database_file)
    studio.database_file.with_name("studio.db-wal").write_bytes(log)

    made = recover(studio)

    assert made.aside.with_name(f"{made.aside.name}-wal").read_bytes() == log
    assert Queue(Database(studio.database_file)).of("ada") == []


def test_nothing_is_moved_under_a_running_studio(studio: Settings) -> None:
    DAMAGES["page 3 noise"](studio.database_file)
    before = studio.database_file.read_bytes()

    with FileLock(studio.worker_lock), pytest.raises(BusyError, match="running"):
        recover(studio)

    assert studio.database_file.read_bytes() == before
    assert list(studio.home.glob("*damaged*")) == []


def test_nothing_is_moved_under_a_running_download(studio: Settings) -> None:
    DAMAGES["page 3 noise"](studio.database_file)
    worker = WorkerId(studio.downloaders_dir)
    worker.hold()

    with pytest.raises(BusyError, match="running"):
        recover(studio)

    worker.release()
    recover(studio)


def test_two_in_one_second_do_not_overwrite_each_other(studio: Settings) -> None:
    DAMAGES["text"](studio.database_file)
    first = recover(studio)
    DAMAGES["short text"](studio.database_file)
    second = recover(studio)

    assert first.aside != second.aside
    assert first.aside.read_bytes() != second.aside.read_bytes()


def test_one_of_a_newer_studio_is_not_taken_for_damaged(studio: Settings) -> None:
    with closing(sqlite3.connect(studio.database_file)) as connection, connection:
        connection.execute("PRAGMA user_version = 1000")

    with pytest.raises(SetupError, match="newer") as told:
        IntegrityCheck(studio)
    assert not isinstance(told.value, DatabaseDamagedError)


def test_a_migration_leaves_a_copy_of_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltx_studio.queue import database as module

    path = tmp_path / "studio.db"
    Queue(Database(path)).submit(LOCAL, [("t2v", {"params": {"prompt": "a"}})])
    steps = tmp_path / "steps"
    steps.mkdir()
    for step in module._folder().iterdir():
        (steps / step.name).write_bytes(step.read_bytes())
    number = len(list(steps.iterdir())) + 1
    (steps / f"{number:04}_more.sql").write_text("ALTER TABLE takes ADD COLUMN colour TEXT;\n\nDELETE FROM jobs;")
    monkeypatch.setattr(module, "_folder", lambda: steps)

    assert Queue(Database(path)).of(LOCAL) == []
    Database(path)

    (copy,) = tmp_path.glob("studio.db.before-*")
    assert copy.name == f"studio.db.before-{number:04}"
    with closing(sqlite3.connect(copy)) as connection, connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
        assert connection.execute("PRAGMA user_version").fetchone() == (number - 1,)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltx_studio.queue import database as module

    path = tmp_path / "studio.db"
    Queue(Database(path)).submit(LOCAL, [("t2v", {"params": {"prompt": "a"}})])
    steps = tmp_path / "steps"
    steps.mkdir()
    for step in module._folder().iterdir():
        (steps / step.name).write_bytes(step.read_bytes())
    (steps / "9999_more.sql").write_text("DELETE FROM jobs;\n\nINSERT INTO songs VALUES (1)")
    with monkeypatch.context() as changed:
        changed.setattr(module, "_folder", lambda: steps)
        with pytest.raises(StudioError):
            Database(path)

    assert len(Queue(Database(path)).of(LOCAL)) == 1


def raised(statement: str, path: Path) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as error:
        sqlite3.connect(path).execute(statement)
    return error.value


def failing(name: str, words: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name
    return error


@pytest.mark.parametrize(
    ("error", "kind", "hint"),
    [
        (failing("SQLITE_FULL", "database or disk is full"), DatabaseUnusableError, "Free up space"),
        (failing("SQLITE_BUSY", "database is locked"), DatabaseUnusableError, "Close that program"),
        (failing("SQLITE_LOCKED", "database table is locked"), DatabaseUnusableError, "Close that program"),
        (failing("SQLITE_IOERR_WRITE", "disk I/O error"), DatabaseUnusableError, "The disk cannot be read or written"),
        (failing("SQLITE_CORRUPT", "database disk image is malformed"), DatabaseDamagedError, WAY_OUT),
        (failing("SQLITE_CORRUPT_VTAB", "database disk image is malformed"), DatabaseDamagedError, WAY_OUT),
        (failing("SQLITE_NOTADB", "file is not a database"), DatabaseDamagedError, WAY_OUT),
        (sqlite3.OperationalError("Could not decode to UTF-8 column 'a'"), DatabaseDamagedError, WAY_OUT),
        (failing("SQLITE_ERROR", "something new"), DatabaseUnusableError, "report it"),
    ],
    ids=str,
)
def test_what_sqlite_says_comes_with_what_to_do(
    tmp_path: Path, error: sqlite3.Error, kind: type[StudioError], hint: str
) -> None:
    with pytest.raises(kind) as told, translated(tmp_path / "studio.db"):
        raise error

    assert told.value.hint.startswith(hint) or hint in told.value.hint
    assert isinstance(told.value, sqlite3.Error), "the worker waits and tries again"
    assert getattr(told.value, "sqlite_errorcode", None) == getattr(error, "sqlite_errorcode", None)
    assert str(error) in told.value.message + told.value.details
    assert pickle.loads(pickle.dumps(told.value)).hint == told.value.hint


@pytest.mark.parametrize("error", [sqlite3.IntegrityError("x"), sqlite3.ProgrammingError("y"), ZeroDivisionError()])
def test_what_is_not_about_the_file_stays_as_it_is(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)) as told, translated(tmp_path / "studio.db"):
        raise error

    assert told.value is error


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "studio.db").mkdir()

    with pytest.raises(DatabaseUnusableError) as told:
        Database(tmp_path / "studio.db")
    assert "Move the folder" in told.value.hint
    assert "free" not in told.value.hint


@pytest.mark.parametrize("what", ["read-only disk", "somebody else's"])
def test_a_home_that_cannot_be_written_is_not_told_to_be_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The tests may run as root, whom no mode stops, so the system's answers are put in."""
    path = tmp_path / "studio.db"
    Database(path)
    if what == "read-only disk":
        state = os.statvfs_result((4096, 4096, 1, 1, 1, 1, 1, 1, os.ST_RDONLY, 255))
        monkeypatch.setattr(os, "statvfs", lambda path: state)
    monkeypatch.setattr(os, "access", lambda *args, **named: False)

    with pytest.raises(DatabaseUnusableError) as told, translated(path):
        raise failing("SQLITE_CANTOPEN", "unable to open database file")

    assert "free space" not in told.value.hint
    assert ("as writable" if what == "read-only disk" else "Get permission to write") in told.value.hint
    assert "LTX_STUDIO_HOME" in told.value.hint


def test_a_commit_that_fails_does_not_leave_a_transaction_open(tmp_path: Path) -> None:
    database = Database(tmp_path / "studio.db")

    def write() -> None:
        with database.write() as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute(
                "INSERT INTO jobs (id, owner, mode, spec, state, place, created)"
                " VALUES ('a', 'nobody', 'm', '{}', 'queued', 1, 1.0)"
            )

    with pytest.raises(sqlite3.IntegrityError):
        write()
    with database.write() as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone()[0] == 0


def test_the_words_for_damage_are_sqlites(studio: Settings) -> None:
    path = studio.database_file
    assert is_damage(raised("SELECT * FROM songs", path))
    assert is_damage(raised("SELECT colour FROM jobs", path))
    DAMAGES["text"](path)
    assert is_damage(raised("SELECT * FROM jobs", path))
