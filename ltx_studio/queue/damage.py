"""Translate SQLite's errors about the studio's database into errors with a remedy."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import Self, TypeVar

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import Remedy, SetupError

_Told = TypeVar("_Told", bound=SetupError)

WAY_OUT = "Repair it: that moves the file aside, recovers what it can, and finds your clips."

_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_DAMAGED_WORDS = ("no such table", "no such column", "could not decode to utf-8")
_LEAST = 64 << 10
"""Free bytes without which SQLite cannot open its log."""
_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PASSED_ON = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.NotSupportedError)
"""Errors about one row or about our own code, never about the file."""


class DatabaseUnusableError(SetupError, sqlite3.OperationalError):
    """The database cannot be read or written now: its folder, its disk or another program prevents it."""

    @classmethod
    def of(cls, path: Path, error: sqlite3.Error) -> Self:
        """Return the error for what SQLite raised, with SQLite's error code."""
        full = is_database_full(error) or _cannot_grow(path, error)
        told = cls(
            f"The disk is full: {path} cannot be written." if full else _what(path, error),
            f"Free up space on the disk of {path.parent}, then try again." if full else _remedy(path, error),
            where=str(path),
            details=f"SQLite: {error}",
            remedies=[Remedy.MAKE_ROOM] if full else [],
        )
        return _with_code(told, error)


class DatabaseDamagedError(SetupError, sqlite3.DatabaseError):
    """The database is damaged, or does not belong to the studio."""

    code = "damaged"

    @classmethod
    def of(cls, path: Path, error: sqlite3.Error | str) -> Self:
        """Return the error for what SQLite raised or reported."""
        told = cls(
            f"{path} is damaged: {str(error).rstrip('.')}.",
            WAY_OUT,
            advice=Advice.to(Do.REPAIR_DATABASE),
            where=str(path),
        )
        return told if isinstance(error, str) else _with_code(told, error)

    @classmethod
    def foreign(cls, path: Path) -> Self:
        """Return the error for another program's database."""
        return cls(
            f"{path} is not a database of LTX 2.3 Studio.",
            WAY_OUT,
            advice=Advice.to(Do.REPAIR_DATABASE),
            where=str(path),
        )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors about the file at `path` as studio errors with a remedy.

    Raises:
        DatabaseDamagedError: The file is damaged.
        DatabaseUnusableError: The file cannot be read or written now.
    """
    try:
        yield
    except (DatabaseDamagedError, DatabaseUnusableError, *_PASSED_ON):
        raise
    except sqlite3.DatabaseError as error:
        raise (DatabaseDamagedError if is_damage(error) else DatabaseUnusableError).of(path, error) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite reports that the file is corrupt or lacks the studio's tables."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGED_CODES or any(words in str(error).lower() for words in _DAMAGED_WORDS)


def _what(path: Path, error: sqlite3.Error) -> str:
    """Return what prevents the use of a file that is intact."""
    if _is_in_use(error):
        return f"The database is locked: another program is using {path}."
    return f"{path} cannot be used: {error}."


def _remedy(path: Path, error: sqlite3.Error) -> str:
    """Return the remedy for a file that is intact but cannot be used."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if _is_in_use(error):
        return "Close that program, then try again."
    return _obstacle(path) or (
        f"The disk cannot be read or written: check the disk of {path.parent}."
        if code == sqlite3.SQLITE_IOERR
        else "Try again. If it happens again, report it with the studio's log."
    )


def _cannot_grow(path: Path, error: sqlite3.Error) -> bool:
    """Return whether the disk has no room left for what SQLite keeps beside a file, which is another error to it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    try:
        cannot = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and not _obstacle(path)
        return cannot and disk_usage(path.parent).free < _LEAST
    except OSError:
        return False


def is_database_full(error: sqlite3.Error) -> bool:
    """Return whether SQLite reports that the disk is full."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL or "disk is full" in str(error)


def _is_in_use(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _IN_USE or "is locked" in str(error)


def _obstacle(path: Path) -> str:
    """Return how to make the file or its folder writable again, or an empty string if no cause is found."""
    folder, elsewhere = path.parent, "choose another folder with LTX_STUDIO_HOME"
    if path.is_dir():
        return f"Move the folder {path} away."
    if not folder.is_dir():
        return f"Restore the folder {folder}, or {elsewhere}."
    for each in (folder, *(path.with_name(f"{path.name}{end}") for end in ("", "-wal", "-shm"))):
        if not each.exists():
            continue
        if _is_read_only(each):
            return f"Remount the read-only disk of {folder} as writable, or {elsewhere}."
        if not os.access(each, os.R_OK | os.W_OK | (os.X_OK if each == folder else 0)):
            return f"Get permission to write to {each}, or {elsewhere}."
    return ""


def _is_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):  # Windows has no such call
        return False


def _with_code(told: _Told, error: sqlite3.Error) -> _Told:
    for name in ("sqlite_errorcode", "sqlite_errorname"):
        if hasattr(error, name):
            setattr(told, name, getattr(error, name))
    return told
