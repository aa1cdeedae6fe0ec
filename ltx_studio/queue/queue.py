"""The queue: jobs that wait, run and have ended, one line for each owner."""

import json
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import ExecutionError, Remedy, RequestError, StudioError
from ltx_studio.queue.database import Database
from ltx_studio.queue.jobs import COLUMNS, Job, ahead_of, job_of
from ltx_studio.queue.states import Progress
from ltx_studio.queue.workers import LEASE_SECONDS

LOCAL = "local"
"""The owner of everything made from the command line, or from the page on loopback without a password."""

ATTEMPTS = 2
"""How often a job may start: once, and once more if the studio ended while it ran."""


class Insertable(Protocol):
    """The result of a finished job, which has its own row."""

    def insert(self, connection: sqlite3.Connection) -> None:
        """Insert its row in the open transaction."""


class Queue:
    """The queue in one database. Each method is one transaction, safe in any thread and process.

    Owners take turns: the next job is the first of the owner whose last turn is longest ago.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, owner: str, specs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Add requests, (mode, spec) each, to the end of the owner's line, all or none, and return the jobs' ids."""
        ids = [new_id() for _ in specs]
        batch, now = new_id() if len(specs) > 1 else None, time.time()
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO owners (id) VALUES (?)", (owner,))
            last = _last_place(connection, owner)
            connection.executemany(
                "INSERT INTO jobs (id, owner, batch, mode, spec, state, place, created)"
                " VALUES (?, ?, ?, ?, ?, 'queued', ?, ?)",
                [
                    (job, owner, batch, mode, json.dumps(spec), last + number, now)
                    for number, (job, (mode, spec)) in enumerate(zip(ids, specs, strict=True), 1)
                ],
            )
        return ids

    def get(self, job_id: str, owner: str) -> Job:
        """Return one of the owner's jobs.

        Raises:
            RequestError: The owner has no such job.
        """
        with self._database.read() as connection:
            return job_of(_row(connection, job_id, owner), ahead_of(connection, owner))

    def of(self, owner: str, *, limit: int | None = None) -> list[Job]:
        """Return the owner's jobs: the running one, the waiting ones in order, then the ended ones, newest first."""
        with self._database.read() as connection:
            ahead = ahead_of(connection, owner)
            rows = connection.execute(
                f"SELECT {COLUMNS} WHERE jobs.owner = ? ORDER BY CASE jobs.state WHEN 'running' THEN 0"
                " WHEN 'queued' THEN 1 ELSE 2 END, CASE jobs.state WHEN 'queued' THEN jobs.place ELSE -jobs.number END"
                " LIMIT ?",
                (owner, -1 if limit is None else limit),
            ).fetchall()
            return [job_of(row, ahead) for row in rows]

    def claim(self, only: Collection[str] | None = None, *, worker: str | None = None) -> Job | None:
        """Lease the next job to `worker` and return it; None if no job waits.

        Args:
            only: Take the first waiting job among these ids, and no other.
            worker: The id of the worker that will run it.
        """
        with self._database.write() as connection:
            if only is None:
                found = connection.execute(
                    "SELECT jobs.id, jobs.owner, min(jobs.place) FROM owners JOIN jobs ON jobs.owner = owners.id"
                    " WHERE jobs.state = 'queued' AND NOT owners.paused"
                    " GROUP BY owners.id ORDER BY owners.served, owners.id LIMIT 1"
                ).fetchone()
            else:
                found = connection.execute(
                    "SELECT id, owner FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND state = 'queued'"
                    " ORDER BY place LIMIT 1",
                    (json.dumps(list(only)),),
                ).fetchone()
            if found is None:
                return None
            connection.execute(
                "UPDATE owners SET served = (SELECT max(served) + 1 FROM owners) WHERE id = ?", (found["owner"],)
            )
            connection.execute(
                "UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1, worker = ?, lease_until = ?"
                " WHERE id = ?",
                (now := time.time(), worker, now + LEASE_SECONDS, found["id"]),
            )
            return job_of(_row(connection, found["id"], found["owner"]), {})

    def report(self, job_id: str, progress: Progress) -> bool:
        """Store a running job's progress, and return whether the job must stop."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET progress = ? WHERE id = ? AND state = 'running'",
                (json.dumps(progress.store()), job_id),
            )
            return self._is_stopping(connection, job_id)

    def renew(self, job_id: str, worker: str) -> bool:
        """Renew the lease of a running job; return False if it is no longer the worker's."""
        with self._database.write() as connection:
            return bool(
                connection.execute(
                    "UPDATE jobs SET lease_until = ? WHERE id = ? AND state = 'running' AND worker = ?",
                    (time.time() + LEASE_SECONDS, job_id, worker),
                ).rowcount
            )

    def is_stopping(self, job_id: str) -> bool:
        """Return whether a running job has been asked to stop, or no longer runs."""
        with self._database.read() as connection:
            return self._is_stopping(connection, job_id)

    @staticmethod
    def _is_stopping(connection: sqlite3.Connection, job_id: str) -> bool:
        row = connection.execute("SELECT stopping FROM jobs WHERE id = ? AND state = 'running'", (job_id,)).fetchone()
        return row is None or bool(row["stopping"])

    def finish(self, job_id: str, take: Insertable, *, worker: str | None = None) -> bool:
        """End a running job and add its take to the history.

        Args:
            job_id: The job's id.
            take: The result.
            worker: The worker that ran it; None skips the check.

        Returns:
            False, and nothing is done, if the job no longer runs or belongs to another worker.
        """
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = 'done', ended = ?, stopping = 0 WHERE id = ? AND state = 'running'"
                f" AND {_MINE}",
                (time.time(), job_id, worker, worker),
            ).rowcount
            if changed:
                take.insert(connection)
            return bool(changed)

    def fail(self, job_id: str, error: StudioError, *, worker: str | None = None) -> None:
        """End a running job with an error; see `finish`."""
        self._end(job_id, "failed", json.dumps(error.to_dict()), worker)

    def drop(self, job_id: str, *, worker: str | None = None) -> None:
        """End a running job that was cancelled; see `finish`."""
        self._end(job_id, "cancelled", None, worker)

    def release(self, job_id: str, *, worker: str | None = None) -> None:
        """Return a running job to the front of its owner's line, as if it had not started; see `finish`."""
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE jobs SET state = 'queued', {_FIRST}, attempts = attempts - 1, started = NULL, progress = NULL"
                f" WHERE id = ? AND state = 'running' AND {_MINE}",
                (job_id, worker, worker),
            )

    def _end(self, job_id: str, state: str, error: str | None, worker: str | None) -> None:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, ended = ?, error = ?, stopping = 0 WHERE id = ? AND state = 'running'"
                f" AND {_MINE}",
                (state, time.time(), error, job_id, worker, worker),
            )

    def cancel(self, job_id: str, owner: str) -> Job:
        """Cancel a waiting job, or ask a running one to stop; a job that has ended stays unchanged.

        Raises:
            RequestError: The owner has no such job.
        """
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? WHERE id = ? AND owner = ?"
                " AND state NOT IN ('running', 'done', 'failed', 'cancelled')",  # it waits, or its state is unknown
                (time.time(), job_id, owner),
            )
            connection.execute(
                "UPDATE jobs SET stopping = 1 WHERE id = ? AND owner = ? AND state = 'running'", (job_id, owner)
            )
            return job_of(_row(connection, job_id, owner), {})

    def cancel_rest(self, batch: str, owner: str) -> int:
        """Cancel the waiting jobs of a batch, and return how many there were."""
        with self._database.write() as connection:
            return connection.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? WHERE batch = ? AND owner = ? AND state = 'queued'",
                (time.time(), batch, owner),
            ).rowcount

    def retry(self, job_id: str, owner: str) -> Job:
        """Put a failed or cancelled job at the end of the line again.

        Raises:
            RequestError: The owner has no such job, or it has neither failed nor been cancelled.
        """
        with self._database.write() as connection:
            row = _row(connection, job_id, owner)
            if row["state"] not in ("failed", "cancelled"):
                raise RequestError(
                    f"Job {job_id} is {row['state']}, so it cannot be retried.",
                    "Only failed and stopped jobs can be retried.",
                )
            connection.execute(
                "UPDATE jobs SET state = 'queued', place = ?, attempts = 0, stopping = 0,"
                " started = NULL, ended = NULL, progress = NULL, error = NULL WHERE id = ?",
                (_last_place(connection, owner) + 1, job_id),
            )
            return job_of(_row(connection, job_id, owner), ahead_of(connection, owner))

    def move(self, job_id: str, owner: str, place: int) -> None:
        """Move a waiting job to a place in its owner's line, 0 being the first.

        Raises:
            RequestError: The owner has no such job, or it does not wait.
        """
        with self._database.write() as connection:
            row = _row(connection, job_id, owner)
            if row["state"] != "queued":
                raise RequestError(f"Job {job_id} is {row['state']}.", "Only waiting jobs can be moved.")
            line = [
                each["id"]
                for each in connection.execute(
                    "SELECT id FROM jobs WHERE owner = ? AND state = 'queued' ORDER BY place", (owner,)
                )
                if each["id"] != job_id
            ]
            line.insert(max(0, place), job_id)
            connection.executemany(
                "UPDATE jobs SET place = ? WHERE id = ?", [(at, each) for at, each in enumerate(line)]
            )

    def pause(self, owner: str, *, paused: bool = True) -> None:
        """Keep the owner's jobs from starting, or let them start again; running jobs go on."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO owners (id) VALUES (?)", (owner,))
            connection.execute("UPDATE owners SET paused = ? WHERE id = ?", (paused, owner))

    def is_paused(self, owner: str) -> bool:
        with self._database.read() as connection:
            row = connection.execute("SELECT paused FROM owners WHERE id = ?", (owner,)).fetchone()
            return bool(row and row["paused"])

    def running(self) -> list[Job]:
        """Return the running jobs of all owners."""
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {COLUMNS} WHERE jobs.state = 'running'").fetchall()
            return [job_of(row, {}) for row in rows]

    def recover(self, jobs: Iterable[Job] | None = None) -> list[str]:
        """Recover running jobs whose worker is gone; call this before the first `claim`.

        They wait again, first in their lines. But a job that was asked to stop is cancelled, as is one that only
        verified a take, and a job that was lost twice fails.

        Args:
            jobs: Recover only these, if they still run with the same worker; None recovers all running jobs.

        Returns:
            The ids of the recovered jobs; none has a take yet.
        """
        lost = ExecutionError(
            "The studio quit twice while this job was running.", "Retry it, or make it smaller.",
            advice=Advice.to(Do.RETRY_SMALLER), remedies=[Remedy.SMALLER, Remedy.RETRY],
        )  # fmt: skip
        with self._database.write() as connection:
            now = time.time()
            if jobs is None:
                ran = [row["id"] for row in connection.execute("SELECT id FROM jobs WHERE state = 'running'")]
            else:
                ran = [job.id for job in jobs if _is_still(connection, job)]
            these, ids = "state = 'running' AND id IN (SELECT value FROM json_each(?))", json.dumps(ran)
            connection.execute(
                f"UPDATE jobs SET state = 'cancelled', ended = ? WHERE {these}"
                " AND (stopping OR CASE WHEN json_valid(spec) THEN coalesce(json_extract(spec, '$.fresh'), 0) END)",
                (now, ids),
            )
            connection.execute(
                f"UPDATE jobs SET state = 'failed', ended = ?, error = ? WHERE {these} AND attempts >= ?",
                (now, json.dumps(lost.to_dict()), ids, ATTEMPTS),
            )
            connection.execute(f"UPDATE jobs SET state = 'queued', {_FIRST}, progress = NULL WHERE {these}", (ids,))
            return ran


def _is_still(connection: sqlite3.Connection, job: Job) -> bool:
    """Return whether a job still runs with the worker that it was seen with."""
    found = connection.execute("SELECT worker FROM jobs WHERE id = ? AND state = 'running'", (job.id,)).fetchone()
    return found is not None and found["worker"] == job.worker


def new_id() -> str:
    """Return a new id, short enough to read and long enough to be unique."""
    return uuid.uuid4().hex[:12]


_MINE = "(? IS NULL OR worker = ?)"
"""Matches the given worker, or any if it is None; takes the parameter twice."""

_FIRST = (
    "place = (SELECT coalesce(min(line.place), 1) - 1 FROM jobs AS line"
    " WHERE line.owner = jobs.owner AND line.state = 'queued')"
)
"""The place before all others of the owner, for a job that already had its turn."""


def _row(connection: sqlite3.Connection, job_id: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {COLUMNS} WHERE jobs.id = ? AND jobs.owner = ?", (job_id, owner)
    ).fetchone()
    if row is None:
        raise RequestError(f"There is no job {job_id}.", "Choose a job in the queue.", advice=Advice.to(Do.LIST_JOBS))
    return row


def _last_place(connection: sqlite3.Connection, owner: str) -> int:
    row = connection.execute("SELECT max(place) FROM jobs WHERE owner = ? AND state = 'queued'", (owner,)).fetchone()
    return -1 if row[0] is None else int(row[0])
