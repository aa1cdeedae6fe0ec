"""The downloads that wait, run and have ended: a line of their own beside the jobs, one for each cache."""

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import DownloadError, RequestError, StudioError
from ltx_studio.models.files import Identity
from ltx_studio.queue.database import Database
from ltx_studio.queue.download import Download, DownloadProgress, download_of
from ltx_studio.queue.queue import new_id
from ltx_studio.queue.workers import LEASE_SECONDS

KEPT_SECONDS = 30 * 24 * 3600
"""How long the row of a download stays after its end."""

ATTEMPTS = 5
"""How often a download may start without a new byte: what ends the studio each time must not do so for ever."""

_ACTIVE = "state IN ('queued', 'running')"


class DownloadQueue:
    """The downloads in one database. Each method is one transaction, safe in any thread and process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(
        self,
        title: str,
        cache: str,
        files: Sequence[str],
        *,
        damaged: Collection[Identity] | None = None,
        worker: str | None = None,
    ) -> str:
        """Add a download, and return its id; if one that waits or runs brings the same files, return that one's.

        A repair is always a download of its own, and no other request is answered with it.

        Args:
            title: What it is, for users.
            cache: The folder of the Hugging Face cache that the files go to.
            files: The keys of the files in the registry.
            damaged: The copies to replace, for a repair.
            worker: The only worker that may carry it out, as long as it lives.
        """
        now = time.time()
        with self._database.write() as connection:
            connection.execute(f"DELETE FROM downloads WHERE NOT {_ACTIVE} AND ended < ?", (now - KEPT_SECONDS,))
            same = None if damaged is not None else _with_all(connection, cache, files)
            if same is not None:
                connection.execute("UPDATE downloads SET others = others + 1 WHERE id = ?", (same,))
                return same
            download_id = new_id()
            copies = None if damaged is None else json.dumps(sorted(damaged))
            connection.execute(
                "INSERT INTO downloads (id, title, cache, files, damaged, state, created, worker, lease_until)"
                " VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
                (download_id, title, cache, json.dumps(list(files)), copies, now, worker, now + LEASE_SECONDS),
            )
            return download_id

    def get(self, download_id: str) -> Download:
        """Return a download.

        Raises:
            RequestError: There is none with this id.
        """
        with self._database.read() as connection:
            return download_of(_row(connection, download_id))

    def all(self, limit: int = 50) -> list[Download]:
        """Return the downloads: those that run, those that wait in their order, then the ended ones, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM downloads ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 ELSE 2 END,"
                " CASE WHEN state IN ('queued', 'running') THEN number ELSE -number END LIMIT ?",
                (limit,),
            ).fetchall()
            return [download_of(row) for row in rows]

    def active(self) -> list[Download]:
        """Return the downloads that run, then those that wait, in their order."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT * FROM downloads WHERE {_ACTIVE} ORDER BY state = 'queued', number"
            ).fetchall()
            return [download_of(row) for row in rows]

    def next(self, cache: str, worker: str, only: str | None = None) -> Download | None:
        """Return the next download into a cache that a worker may carry out: the first, or only the given one.

        The first is not taken while an older one waits for its own worker, which would else never get its turn.
        """
        with self._database.read() as connection:
            row = _next(connection, cache, worker, only)
            return None if row is None else download_of(row)

    def claim(self, cache: str, worker: str, only: str | None = None) -> Download | None:
        """Lease the download that `next` returns to a worker; None if there is none."""
        now = time.time()
        with self._database.write() as connection:
            row = _next(connection, cache, worker, only)
            if row is None:
                return None
            connection.execute(
                "UPDATE downloads SET state = 'running', started = ?, attempts = attempts + 1, worker = ?,"
                " lease_until = ? WHERE id = ?",
                (now, worker, now + LEASE_SECONDS, row["id"]),
            )
            return download_of(_row(connection, row["id"]))

    def report(self, download_id: str, worker: str, progress: DownloadProgress, *, has_grown: bool) -> bool:
        """Store the progress of a running download, renew its lease, and return whether it must stop."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE downloads SET progress = ?, lease_until = ?, attempts = CASE WHEN ? THEN 0 ELSE attempts END"
                " WHERE id = ? AND state = 'running' AND worker = ?",
                (json.dumps(progress.store()), time.time() + LEASE_SECONDS, has_grown, download_id, worker),
            )
            row = connection.execute(
                "SELECT stopping FROM downloads WHERE id = ? AND state = 'running' AND worker = ?",
                (download_id, worker),
            ).fetchone()
            return row is None or bool(row["stopping"])

    def finish(self, download_id: str, worker: str) -> None:
        """End a worker's running download, whose files are all here."""
        self._end(download_id, worker, "done")

    def fail(self, download_id: str, worker: str, error: StudioError) -> None:
        """End a worker's running download with an error."""
        self._end(download_id, worker, "failed", json.dumps(error.to_dict()))

    def drop(self, download_id: str, worker: str) -> None:
        """End a worker's running download, which was stopped."""
        self._end(download_id, worker, "cancelled")

    def _end(self, download_id: str, worker: str, state: str, error: str | None = None) -> None:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE downloads SET state = ?, ended = ?, error = ?, stopping = 0"
                " WHERE id = ? AND state = 'running' AND worker = ?",
                (state, time.time(), error, download_id, worker),
            )

    def release(self, download_id: str, worker: str) -> None:
        """Let anyone go on with a worker's download; one that was asked to stop is cancelled."""
        with self._database.write() as connection:
            _release(connection, download_id, worker)

    def withdraw(self, download_id: str, worker: str) -> Download:
        """Take one request for a download back: without another request, it is cancelled.

        Args:
            download_id: The download.
            worker: The worker of who takes the request back. If it runs the download, it must have stopped.

        Raises:
            RequestError: There is none with this id.
        """
        with self._database.write() as connection:
            found = _row(connection, download_id)
            if found["others"] and not found["stopping"]:
                connection.execute("UPDATE downloads SET others = others - 1 WHERE id = ?", (download_id,))
                _release(connection, download_id, worker)
            else:
                connection.execute(
                    "UPDATE downloads SET state = 'cancelled', ended = ?, stopping = 0"
                    f" WHERE id = ? AND {_ACTIVE} AND (worker = ? OR worker IS NULL)",
                    (time.time(), download_id, worker),
                )
            return download_of(_row(connection, download_id))

    def renew(self, download_id: str, worker: str) -> None:
        """Renew the lease of a download that waits for its own worker."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE downloads SET lease_until = ? WHERE id = ? AND state = 'queued' AND worker = ?",
                (time.time() + LEASE_SECONDS, download_id, worker),
            )

    def cancel(self, download_id: str) -> Download:
        """Cancel a waiting download, or ask a running one to stop; one that has ended stays unchanged.

        Raises:
            RequestError: There is none with this id.
        """
        with self._database.write() as connection:
            connection.execute(
                "UPDATE downloads SET state = 'cancelled', ended = ? WHERE id = ? AND state = 'queued'",
                (time.time(), download_id),
            )
            connection.execute("UPDATE downloads SET stopping = 1 WHERE id = ? AND state = 'running'", (download_id,))
            return download_of(_row(connection, download_id))

    def recover(self, is_gone: Callable[[str | None, float | None], bool]) -> None:
        """Let anyone go on with the downloads whose worker is gone.

        Args:
            is_gone: Returns whether a worker is gone, from its id and the end of its lease.
        """
        lost = [each for each in self.active() if _is_held(each) and is_gone(each.worker, each.lease_until)]
        if not lost:
            return
        with self._database.write() as connection:
            for download in lost:
                _free(connection, download.id, download.worker)


def _next(connection: sqlite3.Connection, cache: str, worker: str, only: str | None) -> sqlite3.Row | None:
    """Return the row of the next download; a worker without a valid lease keeps none from its turn."""
    waiting = connection.execute(
        "SELECT * FROM downloads WHERE state = 'queued' AND cache = ? AND (? IS NULL OR id = ?)"
        " AND (worker IS NULL OR worker = ? OR (? IS NULL AND lease_until > ?)) ORDER BY number LIMIT 1",
        (cache, only, only, worker, only, time.time()),
    )
    row: sqlite3.Row | None = waiting.fetchone()
    return row if row is not None and row["worker"] in (None, worker) else None


def _is_held(download: Download) -> bool:
    return download.worker is not None or download.state.name == "running"


def _free(connection: sqlite3.Connection, download_id: str, worker: str | None) -> None:
    """Put a download that is held by a worker back into the line, or end it if it was asked to stop or fails again."""
    mine = f"id = ? AND worker IS ? AND {_ACTIVE}"
    now = time.time()
    lost = DownloadError(
        f"The studio quit {ATTEMPTS} times during this download.",
        "Download the files again. If it happens again, report it with the studio's log.",
    )
    connection.execute(
        f"UPDATE downloads SET state = 'cancelled', ended = ?, stopping = 0 WHERE {mine} AND stopping",
        (now, download_id, worker),
    )
    connection.execute(
        f"UPDATE downloads SET state = 'failed', ended = ?, error = ? WHERE {mine} AND attempts >= ?",
        (now, json.dumps(lost.to_dict()), download_id, worker, ATTEMPTS),
    )
    connection.execute(f"UPDATE downloads SET state = 'queued', worker = NULL WHERE {mine}", (download_id, worker))


def _release(connection: sqlite3.Connection, download_id: str, worker: str) -> None:
    """Put a worker's download back into the line; this start of it does not count."""
    connection.execute(
        "UPDATE downloads SET attempts = MAX(attempts - 1, 0) WHERE id = ? AND state = 'running' AND worker = ?",
        (download_id, worker),
    )
    _free(connection, download_id, worker)


def _with_all(connection: sqlite3.Connection, cache: str, files: Sequence[str]) -> str | None:
    """Return the id of a download into the cache that waits or runs and brings all these files."""
    rows = connection.execute(
        f"SELECT * FROM downloads WHERE {_ACTIVE} AND cache = ? AND damaged IS NULL AND NOT stopping ORDER BY number",
        (cache,),
    )
    found = (download_of(row) for row in rows.fetchall())
    return next((each.id for each in found if set(files) <= set(each.files)), None)


def _row(connection: sqlite3.Connection, download_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM downloads WHERE id = ?", (download_id,)).fetchone()
    if row is None:
        raise RequestError(
            f"There is no download {download_id}.",
            "See the list of downloads.",
            advice=Advice.to(Do.LIST_DOWNLOADS),
        )
    return row
