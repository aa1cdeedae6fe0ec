"""Databases that are damaged in every way that was seen or thought of."""

import gc
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

PAGE = 4096

Damage = Callable[[Path], None]


def _noise(path: Path, first: int, last: int | None) -> None:
    """Fill pages, counted from 0, with noise."""
    data = bytearray(path.read_bytes())
    end = len(data) if last is None else last * PAGE
    data[first * PAGE : end] = random.Random(7).randbytes(len(data[first * PAGE : end]))
    path.write_bytes(bytes(data))


def _last_pages(path: Path) -> None:
    _noise(path, path.stat().st_size // PAGE - 3, None)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _other_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, title TEXT)")


def _other_program_with_a_version(path: Path) -> None:
    _other_program(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 1")


def _a_table_is_gone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE takes")


def _an_index_lies(path: Path) -> None:
    """The index of a table leads to rows of another."""
    with closing(sqlite3.connect(path)) as connection, connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'takes_of_owner'").fetchone()
    _noise(path, root - 1, root)


DAMAGES: Mapping[str, Damage] = {
    "first page noise": lambda path: _noise(path, 0, 1),
    "page 3 noise": lambda path: _noise(path, 2, 3),
    "pages 4 to 8 noise": lambda path: _noise(path, 3, 8),
    "last pages noise": _last_pages,
    "all but the first page noise": lambda path: _noise(path, 1, None),
    "truncated": _truncated,
    "text": lambda path: _write(path, b"Dear diary, " * 400),
    "short text": lambda path: _write(path, b"Dear diary"),
    "another program's": _other_program,
    "another program's with a version": _other_program_with_a_version,
    "a table is gone": _a_table_is_gone,
    "an index is noise": _an_index_lies,
}
UNSEEN: Mapping[str, Damage] = {
    "empty": lambda path: _write(path, b""),
    "log noise": lambda path: _write(path.with_name(f"{path.name}-wal"), random.Random(3).randbytes(9 * PAGE)),
}
"""Files that SQLite takes for good ones: a new one, or one whose log was lost."""


def settle(path: Path) -> None:
    """Put all of the log into the file, as when the last process has ended."""
    gc.collect()  # Python closes a connection that nobody holds only now
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in ("-wal", "-shm"):
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
