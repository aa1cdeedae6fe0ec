"""Snapshots of an owner's part of the queue, without finished takes."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from ltx_studio.queue.database import Database
from ltx_studio.queue.jobs import COLUMNS, Job, ahead_of, job_of

SHOWN_WAITING = 20
SHOWN_ENDED = 3


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """The counts of a batch: all its jobs, those that are done, and those that still wait."""

    jobs: int
    done: int
    waiting: int


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """An owner's part of the queue at one moment.

    Attributes:
        running: The running jobs.
        waiting: The first waiting jobs, in order.
        waits: How many jobs wait in all.
        ended: The latest jobs that failed or were cancelled, newest first.
        failed: How many jobs failed in all.
        paused: Whether the owner's waiting jobs are held back.
        batches: By id, the batches in which a job still runs or waits.
        newest: The number of the owner's newest take, 0 if there is none. It changes with every new take, whoever
            requested it.
    """

    running: tuple[Job, ...] = ()
    waiting: tuple[Job, ...] = ()
    waits: int = 0
    ended: tuple[Job, ...] = ()
    failed: int = 0
    paused: bool = False
    batches: Mapping[str, BatchCounts] = field(default_factory=dict)
    newest: int = 0


_ENDED = "jobs.state IN ('failed', 'cancelled') AND jobs.ended >= :since ORDER BY jobs.ended DESC, jobs.number DESC"


class QueueSnapshots:
    """Read snapshots of one database; safe in any thread and process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, owner: str, *, since: float = 0.0) -> QueueSnapshot:
        """Return an owner's snapshot, without jobs that ended before `since`, in seconds since the epoch."""
        with self._database.read() as connection:
            ahead = ahead_of(connection, owner)

            def found(which: str, most: int) -> tuple[Job, ...]:
                rows = connection.execute(
                    f"SELECT {COLUMNS} WHERE jobs.owner = :owner AND {which} LIMIT :most",
                    {"owner": owner, "since": since, "most": most},
                )
                return tuple(job_of(row, ahead) for row in rows)

            paused = connection.execute("SELECT paused FROM owners WHERE id = ?", (owner,)).fetchone()
            failed = "SELECT count(*) FROM jobs WHERE owner = ? AND state = 'failed' AND ended >= ?"
            newest = "SELECT coalesce(max(number), 0) FROM takes WHERE owner = ?"
            return QueueSnapshot(
                running=found("jobs.state = 'running' ORDER BY jobs.started", -1),
                waiting=found("jobs.state = 'queued' ORDER BY jobs.place", SHOWN_WAITING),
                waits=len(ahead),
                ended=found(_ENDED, SHOWN_ENDED),
                failed=int(connection.execute(failed, (owner, since)).fetchone()[0]),
                paused=bool(paused and paused["paused"]),
                batches=_batches(connection, owner),
                newest=int(connection.execute(newest, (owner,)).fetchone()[0]),
            )


def _batches(connection: sqlite3.Connection, owner: str) -> dict[str, BatchCounts]:
    rows = connection.execute(
        "SELECT batch, count(*) AS jobs, sum(state = 'done') AS done, sum(state = 'queued') AS waiting FROM jobs"
        " WHERE owner = :owner AND batch IN (SELECT batch FROM jobs WHERE owner = :owner"
        " AND state IN ('running', 'queued')) GROUP BY batch",
        {"owner": owner},
    )
    return {row["batch"]: BatchCounts(row["jobs"], row["done"], row["waiting"]) for row in rows}
