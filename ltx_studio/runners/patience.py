"""Wait for a database that cannot be used for a while."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

Result = TypeVar("Result")

PERMANENT = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.NotSupportedError,
)
"""Errors of the data or the statement, not of the database: trying again would not help."""

PAUSE_SECONDS = 2.0
"""How long to wait before retrying a database that cannot be written."""


def patiently(
    work: Callable[[], Result], closing: threading.Event, waits: Callable[[sqlite3.Error], None] = lambda _: None
) -> Result:
    """Repeat `work` until the database allows it, so that a full disk or another program's lock loses nothing.

    Args:
        work: Uses the database.
        closing: Set while the studio is closing.
        waits: Called with the error before each wait.

    Raises:
        sqlite3.Error: Trying again would not help (`PERMANENT`), or `closing` is set.
    """
    has_complained = False
    while True:
        try:
            return work()
        except PERMANENT:
            raise
        except sqlite3.Error as error:
            if closing.is_set():
                raise
            if not has_complained:
                log.exception("the database is unavailable; trying again every %g s", PAUSE_SECONDS)
            has_complained = True
            waits(error)
        closing.wait(PAUSE_SECONDS)
