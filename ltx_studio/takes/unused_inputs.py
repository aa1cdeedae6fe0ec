"""Remove the studio's copies of users' files once no job and no take needs them."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ltx_studio.graph.path_inputs import texts
from ltx_studio.queue.database import Database
from ltx_studio.queue.stored_json import request_of

UNUSED_SECONDS = 24 * 3600
"""The age at which a file that nothing needs is removed; a younger one may belong to a request being submitted."""

RETRY_SECONDS = 90 * 24 * 3600
"""How long the files of a failed or cancelled job are kept, so that it can be retried."""


def free(database: Database, kept_dir: Path) -> int:
    """Remove the kept files that nothing needs any more, and return how many bytes that freed.

    Raises:
        sqlite3.Error: The database cannot be used; nothing is removed.
    """
    freed = 0
    if next(_old(kept_dir), None) is None:
        return freed
    with database.write() as connection:  # no request can be submitted meanwhile
        for path in unneeded(connection, kept_dir):
            with contextlib.suppress(OSError):
                size = path.lstat().st_size
                path.unlink()
                freed += size
    return freed


def unneeded(connection: sqlite3.Connection, kept_dir: Path) -> Iterator[Path]:
    """Yield the kept files that no job and no take needs; none if a damaged row makes that unknowable."""
    needed = _needed(connection)
    if needed is not None:
        yield from (path for path in _old(kept_dir) if path.name not in needed)


def is_old(path: Path) -> bool:
    """Return whether a file is older than `UNUSED_SECONDS`; False if it is gone."""
    with contextlib.suppress(OSError):
        return time.time() - path.lstat().st_mtime > UNUSED_SECONDS
    return False


def _old(kept_dir: Path) -> Iterator[Path]:
    return (path for path in sorted(kept_dir.glob("*")) if is_old(path))


def _needed(connection: sqlite3.Connection) -> set[str] | None:
    """Return the names of the files of takes, and of jobs that may still run."""
    rows = connection.execute(
        "SELECT spec FROM jobs WHERE state IN ('queued', 'running')"
        " OR (state IN ('failed', 'cancelled') AND coalesce(ended, created) > ?)"
        " UNION ALL SELECT recipe FROM takes",
        (time.time() - RETRY_SECONDS,),
    )
    needed: set[str] = set()
    for (text,) in rows:
        request = request_of(text)
        if request is None:
            return None
        needed.update(texts(request["params"]))  # each may be the name of a file
    return needed
