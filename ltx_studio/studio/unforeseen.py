"""Word errors that nobody foresaw: what happened, and what to do."""

import sqlite3

from ltx_studio.errors import ExecutionError, Remedy, SetupError, StudioError
from ltx_studio.fileio import is_full
from ltx_studio.queue.damage import DatabaseDamagedError, DatabaseUnusableError, is_damage
from ltx_studio.settings import Settings


def in_words(error: BaseException, settings: Settings) -> StudioError:
    """Return an error as a `StudioError`: a full disk and an unusable database by name, anything else as unforeseen."""
    if isinstance(error, StudioError):
        return error
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
        kind = DatabaseDamagedError if is_damage(error) else DatabaseUnusableError
        return kind.of(settings.database_file, error)
    if is_full(error):
        return SetupError(
            "The disk is full: nothing can be saved.",
            f"Free up space on the disk of {settings.home}, then try again.",
            where=str(settings.home),
            remedies=[Remedy.MAKE_ROOM],
        )
    return ExecutionError(
        f"Something unexpected went wrong: {type(error).__name__}.",
        f"Try again. If it happens again, report it with the log at {settings.log_file}.",
    )
