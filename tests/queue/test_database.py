"""The database file: made, brought up to date, shared."""

import sqlite3
import threading
from pathlib import Path

import pytest

from ltx_studio.errors import SetupError
from ltx_studio.queue.database import Database, statements_of


def test_it_is_made_once_and_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "studio.db"
    with Database(path).write() as connection:
        connection.execute("INSERT INTO owners (id) VALUES ('ada')")

    with Database(path).read() as connection:
        assert [row["id"] for row in connection.execute("SELECT id FROM owners")] == ["ada"]
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_many_may_make_it_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    gate = threading.Barrier(8)

    def make() -> None:
        gate.wait()
        try:
            Database(tmp_path / "studio.db")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "studio.db")

    def write() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO owners (id) VALUES ('ada')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM owners").fetchone()[0] == 0


def test_one_of_a_newer_studio_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    Database(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1000")

    with pytest.raises(SetupError, match="newer"):
        Database(path)


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    path.write_bytes(b"not a database" * 100)

    with pytest.raises(SetupError, match="is damaged: file is not a database"):
        Database(path)
    assert path.read_bytes().startswith(b"not a database")


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    faults: list[Exception] = []

    def open_it(path: Path) -> None:
        try:
            Database(path)
        except Exception as error:
            faults.append(error)

    for attempt in range(20):
        threads = [threading.Thread(target=open_it, args=(tmp_path / f"{attempt}.db",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert faults == []


def test_a_trigger_of_a_migration_is_one_statement() -> None:
    script = """CREATE TABLE a (x INTEGER);

CREATE TRIGGER t AFTER INSERT ON a BEGIN
    DELETE FROM a WHERE x = 1;

    DELETE FROM a WHERE x = 2; -- two; in one
END;

CREATE TABLE b (y TEXT DEFAULT ';

');
"""

    assert [text.split()[:2] for text in statements_of(script)] == [
        ["CREATE", "TABLE"],
        ["CREATE", "TRIGGER"],
        ["CREATE", "TABLE"],
    ]
