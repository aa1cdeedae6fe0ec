"""The studio's database: one SQLite file for jobs and takes, changed by numbered migrations."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ltx_studio.errors import SetupError

BUSY_SECONDS = 30.0
"""How long one process waits for another's write; each takes milliseconds."""


class Database:
    """One file, opened once in each thread that uses it.

    Readers never wait (write-ahead log), writers take turns. What a committed transaction wrote outlives a kill of
    every process; only a power cut may take the last moments (`synchronous = NORMAL`).

    Args:
        path: The file; it is made, and brought up to date, when it is first opened.

    Raises:
        SetupError: It is of a newer studio, or no database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _migrate(self.connection, path)
        except OSError as error:
            raise SetupError(
                f"The studio's folder {path.parent} cannot be written: {error.strerror}.",
                "Check it, or name another one in LTX_STUDIO_HOME.",
            ) from error
        except sqlite3.OperationalError as error:
            raise SetupError(
                f"{path} cannot be used: {error}.", "Check the disk and its free space, then try again."
            ) from error
        except sqlite3.DatabaseError as error:
            raise SetupError(
                f"{path} cannot be read: {error}.",
                "Move it away; your clips stay, and `ltx-studio doctor --repair` finds them again.",
            ) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's; rows are read by name."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = _open(self._path)
        return found

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        """Everything that is read in it is of the same moment."""
        return _transaction(self.connection, "BEGIN")

    def write(self) -> AbstractContextManager[sqlite3.Connection]:
        """All of it happens, or nothing. The turn is taken at the beginning, so that what is read in it still holds."""
        return _transaction(self.connection, "BEGIN IMMEDIATE")


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    _use_log(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. When several open a new file at once, SQLite does not wait here by itself."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run the migrations that the file has not seen, in their order; its `user_version` is the last one's number."""
    steps = sorted((each for each in _folder().iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    with _transaction(connection, "BEGIN IMMEDIATE"):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(steps):
            raise SetupError(f"{path} was written by a newer LTX 2.3 Studio.", "Update the studio.")
        for number, step in enumerate(steps[version:], version + 1):
            for statement in step.read_text(encoding="utf-8").split(";\n\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _folder() -> Traversable:
    return files("ltx_studio.jobs") / "migrations"
