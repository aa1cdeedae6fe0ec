"""The studio's database: one SQLite file for jobs and takes, changed by numbered migrations."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from ltx_studio.errors import Remedy, SetupError
from ltx_studio.permissions import open_home
from ltx_studio.queue.damage import DatabaseDamagedError, DatabaseUnusableError, translated
from ltx_studio.queue.reserve import SIZE, SLICE, Reserve

T = TypeVar("T")

BUSY_SECONDS = 30.0
"""How long one process waits for another's write, which takes milliseconds."""

_NEEDED = {
    "owners": "id, served, paused",
    "jobs": "number, id, owner, batch, mode, spec, state, place, created, started, ended, attempts, stopping, progress,"
    " error, worker, lease_until, unused_since",
    "takes": "number, id, job, owner, mode, created, file, bytes, prompt, recipe, measured, favourite, tags, leaving",
    "takes_words": "rowid, words",
}
"""Tables and columns that identify a file as the studio's database."""


class Database:
    """One SQLite file, opened once in each thread that uses it.

    Readers never wait (write-ahead log); writers take turns. A committed transaction survives a kill of every process;
    only a power cut may lose the last moments (`synchronous = NORMAL`).

    SQLite errors raised within `read` and `write` reach the caller as `DatabaseUnusableError` or
    `DatabaseDamagedError`. Both are studio errors with a remedy and SQLite errors too, so code that catches
    `sqlite3.Error` to retry later catches them, and `sqlite_errorcode` is kept. `sqlite3.IntegrityError` is passed on
    unchanged, because it is about one row.

    Args:
        path: The file; created and migrated when it is first opened.

    Raises:
        SetupError: A newer studio wrote the file.
        DatabaseDamagedError: The file is not a database, not the studio's, or damaged.
        DatabaseUnusableError: The file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._reserve = Reserve(path.parent)
        open_home(path.parent)
        try:
            self._prepare()
        except DatabaseUnusableError as error:
            if not self._is_freed_for(error, SLICE):
                raise
            self._prepare()
        self._reserve.keep()

    def _prepare(self) -> None:
        try:
            with translated(self._path):
                _migrate(self.connection, self._path)
                _check_tables(self.connection, self._path)
        except BaseException:
            self.close()
            raise

    def _is_freed_for(self, error: DatabaseUnusableError, size: int) -> bool:
        """Return whether part of the reserve was given up because the disk is full."""
        return Remedy.MAKE_ROOM in error.remedies and self._reserve.release(size)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection; rows can be read by column name."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = _open(self._path)
        return found

    def close(self) -> None:
        """Close this thread's connection; it is reopened on the next use."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None:
            self._local.connection = None
            found.close()

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a read transaction: all reads in it see the same state."""
        return self._transaction("BEGIN")

    def write(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a write transaction, all or nothing. It takes the write lock first, so what it reads stays valid."""
        return self._transaction("BEGIN IMMEDIATE")

    def note_deletion(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `change` does in a write transaction, even on a full disk: deleting must be noted first.

        Args:
            change: What to do; it may run twice.
        """
        try:
            with self.write() as connection:
                return change(connection)
        except DatabaseUnusableError as error:
            if not self._is_freed_for(error, SIZE):
                raise
        with self.write() as connection:
            return change(connection)

    def keep_reserve(self) -> None:
        """Keep space for the next deletions again, after some."""
        self._reserve.keep()

    def check(self, *, thorough: bool = False) -> None:
        """Read every page of the file; with `thorough`, also compare each table with its indexes.

        Raises:
            DatabaseDamagedError: The database is damaged.
        """
        pragma = "integrity_check" if thorough else "quick_check"
        with self.read() as connection:
            damage = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}(1)")]
        if damage != ["ok"]:
            raise DatabaseDamagedError.of(self._path, damage[0])
        if thorough:
            with self.write() as connection:  # SQLite requires an INSERT for this check; it changes nothing
                connection.execute("INSERT INTO takes_words (takes_words) VALUES ('integrity-check')")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with translated(self._path), _transaction(self.connection, begin) as connection:
            yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite rolls back by itself after some errors, such as a full disk
            with contextlib.suppress(sqlite3.Error):  # the first error is the one to report
                connection.execute("ROLLBACK")
        raise


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        _use_log(connection)
        for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # else Python keeps the connection open until garbage collection
        raise
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. SQLite does not wait by itself when several processes open a new file at once."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not is_busy or time.monotonic() > end:  # else a read-only folder would be retried for half a minute
                raise
            time.sleep(0.02)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run the pending migrations in order; the file's `user_version` is the number of the last one that ran.

    The old file is first copied beside it, as `studio.db.before-0002` for migration 2.
    """
    steps = sorted((each for each in _folder().iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    if _version(connection) == len(steps):
        return
    with _transaction(connection, "BEGIN IMMEDIATE"):
        version = _version(connection)
        tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not (set(_NEEDED) <= tables if version else not tables):
            raise DatabaseDamagedError.foreign(path)
        if version > len(steps):
            raise SetupError(f"{path} was written by a newer LTX 2.3 Studio.", "Update the studio.")
        if 0 < version < len(steps):
            _back_up(path, f"{path.name}.before-{version + 1:04}")
        for number, step in enumerate(steps[version:], version + 1):
            for statement in statements_of(step.read_text(encoding="utf-8")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def statements_of(script: str) -> Iterator[str]:
    """Yield the statements of an SQL script; a trigger counts as one statement."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _back_up(path: Path, name: str) -> None:
    """Copy the database to a file beside it, all or nothing. No process may write meanwhile."""
    partial = path.with_name(f".{name}.part")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
        partial.replace(path.with_name(name))
    finally:
        partial.unlink(missing_ok=True)


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse another program's database."""
    for table, columns in _NEEDED.items():
        try:
            connection.execute(f"SELECT {columns} FROM {table} LIMIT 0")
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise
            raise DatabaseDamagedError.foreign(path) from error


def _folder() -> Traversable:
    return files("ltx_studio.queue") / "migrations"


__all__ = ["BUSY_SECONDS", "Database", "DatabaseDamagedError", "DatabaseUnusableError"]
