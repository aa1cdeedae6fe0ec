"""Replace a damaged database by a new one with the rows that can still be read."""

import contextlib
import errno
import gc
import logging
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ltx_studio.errors import BusyError
from ltx_studio.permissions import home_error
from ltx_studio.queue.damage import translated
from ltx_studio.queue.database import Database
from ltx_studio.queue.stored_json import request_of, tags_of
from ltx_studio.queue.workers import any_alive
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

BESIDE = "-wal", "-shm"
"""The suffixes of SQLite's files beside a database. A left-over one must never be beside a new database."""
_PREFIX = ".recovery-"
TRIED_NUMBERS = 20_000
"""How many row numbers to try one by one after the last row that could be read in order."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """Attributes: the path of the damaged file now, and how many jobs and takes the new database holds."""

    aside: Path
    jobs: int
    takes: int


def recover(settings: Settings) -> Recovered:
    """Replace a damaged database with a new one; the damaged file is moved aside and never changed.

    Raises:
        BusyError: A running studio uses it.
        SetupError: The folder cannot be written; nothing has changed.
    """
    path = settings.database_file
    gc.collect()  # a connection left open would, on closing, remove the log of the new file by its name
    with _unused(settings), translated(path):
        for left_by_a_kill in path.parent.glob(f"{_PREFIX}*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        try:
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=_PREFIX) as folder:
                new = Path(folder) / path.name
                jobs, takes = _salvage(_copy(path, Path(folder) / "damaged.db"), new)
                aside = _move_aside(path)
                new.replace(path)
        except OSError as error:
            raise home_error(settings.home, error) from error
    log.warning("moved a damaged database to %s; recovered %d jobs and %d takes", aside, jobs, takes)
    return Recovered(aside, jobs, takes)


@contextlib.contextmanager
def _unused(settings: Settings) -> Iterator[None]:
    """Hold the worker lock, so that no studio writes to the file that is moved."""
    try:
        with FileLock(settings.worker_lock).acquire(blocking=False):
            if any_alive(settings.workers_dir) or any_alive(settings.downloaders_dir):
                raise _in_use(settings)
            yield
    except Timeout:
        raise _in_use(settings) from None


def _in_use(settings: Settings) -> BusyError:
    return BusyError(
        f"A running studio is using {settings.database_file}.", "Stop it (Ctrl+C in its terminal), then try again."
    )


def _copy(path: Path, copy: Path) -> Path:
    """Copy the file with its log, because SQLite would change the files that it reads."""
    shutil.copyfile(path, copy)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(path.with_name(f"{path.name}-wal"), copy.with_name(f"{copy.name}-wal"))
    return copy


def _move_aside(path: Path) -> Path:
    """Rename the file to include the date; its log goes first, so that none is left beside a new file."""
    name = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = path.with_name(name), 2
    while os.path.lexists(aside):
        aside, number = path.with_name(f"{name}-{number}"), number + 1
    for end in BESIDE:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(f"{path.name}{end}").rename(aside.with_name(f"{aside.name}{end}"))
    return path.rename(aside)


def _salvage(damaged: Path, new: Path) -> tuple[int, int]:
    """Build a database from the readable rows, and return how many jobs and takes it holds."""
    with closing(sqlite3.connect(damaged)) as source, closing(Database(new).connection) as target:
        target.execute("BEGIN")
        for row in _rows(source, "owners", ("id", "served", "paused"), numbered=False):
            _put(target, "owners", row)
        jobs = sum(_put_job(target, row) for row in _rows(source, "jobs", _columns(target, "jobs")))
        takes = sum(_put_take(target, row) for row in _rows(source, "takes", _columns(target, "takes")))
        target.execute("COMMIT")
    if new.with_name(f"{new.name}-wal").exists():  # closing merges the log into the file, which can then be moved alone
        raise OSError(errno.EBUSY, "the new database is in use", str(new))
    return jobs, takes


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def _rows(
    source: sqlite3.Connection, table: str, columns: Sequence[str], *, numbered: bool = True
) -> Iterator[dict[str, Any]]:
    """Yield every readable row: in order up to the first broken page, then one by one after it."""
    there = columns
    with contextlib.suppress(sqlite3.Error):
        there = [name for name in _columns(source, table) if name in columns]
    names = ", ".join(there)
    last = 0
    if not names:
        return
    try:
        for values in source.execute(f"SELECT {names} FROM {table}{' ORDER BY number' if numbered else ''}"):
            row = dict(zip(there, values, strict=True))
            last = row.get("number", 0)
            yield row
    except sqlite3.Error as error:
        log.warning("reading the damaged database: %s", error)
        if numbered and getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_NOTADB:
            for number in _numbers(source, table, last):
                with contextlib.suppress(sqlite3.Error):
                    for values in source.execute(f"SELECT {names} FROM {table} WHERE number = ?", (number,)):
                        yield dict(zip(there, values, strict=True))


def _numbers(source: sqlite3.Connection, table: str, last: int) -> range:
    """Return the row numbers to try after `last`."""
    with contextlib.suppress(sqlite3.Error):
        (highest,) = source.execute(f"SELECT max(number) FROM {table}").fetchone()
        if isinstance(highest, int):
            return range(last + 1, min(highest, last + 50 * TRIED_NUMBERS) + 1)
    return range(last + 1, last + 1 + TRIED_NUMBERS)


def _put(target: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
    """Insert a row if it is intact, and return how many were inserted."""
    marks = ", ".join("?" * len(row))
    try:
        return target.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
        ).rowcount
    except (sqlite3.IntegrityError, sqlite3.DataError) as error:  # a wrong type, or a missing column
        log.warning("lost a row of %s: %s", table, error)
        return 0


def _put_job(target: sqlite3.Connection, row: dict[str, Any]) -> int:
    if request_of(row.get("spec")) is None or not _put_owner(target, row):
        return 0
    return _put(target, "jobs", row)


def _put_take(target: sqlite3.Connection, row: dict[str, Any]) -> int:
    if request_of(row.get("recipe")) is None or "number" not in row or not _put_owner(target, row):
        return 0  # its clip carries its recipe, and joins the history as a stray
    added = _put(target, "takes", row)
    if added:
        words = "\n".join((row["prompt"], *tags_of(row.get("tags"))))
        target.execute("INSERT INTO takes_words (rowid, words) VALUES (?, ?)", (row["number"], words))
    return added


def _put_owner(target: sqlite3.Connection, row: dict[str, Any]) -> bool:
    """Insert the owner of a row, who may be lost; return whether the row names one."""
    if not isinstance(row.get("owner"), str):
        return False
    _put(target, "owners", {"id": row["owner"]})
    return True
