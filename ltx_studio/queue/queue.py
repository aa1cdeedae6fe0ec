"""The queue: jobs that wait, run and have ended, each owner's in a line of its own."""

import json
import sqlite3
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ltx_studio.errors import ExecutionError, Remedy, RequestError, StudioError
from ltx_studio.queue.database import Database
from ltx_studio.queue.states import Cancelled, Done, Failed, Progress, Queued, Running, State
from ltx_studio.queue.stored_json import error_of, object_of, progress_of, request_of

DAMAGED = "Damaged: the request cannot be read."
LOCAL = "local"
"""The owner of what the command line makes, and the page on loopback without a password."""

ATTEMPTS = 2
"""How often a job may begin: once, and once more when the studio ended while it ran."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request and where it is.

    Attributes:
        id: Short and unique.
        owner: Whose it is.
        mode: The mode's id.
        spec: What was asked for, as `JobSpec.as_dict` gives it.
        created: When, in seconds since the epoch.
        state: Where it is.
        batch: The id that it shares with those that were submitted with it; None when it came alone.
        damaged: Whether its row holds no request that could be carried out.
    """

    id: str
    owner: str
    mode: str
    spec: Mapping[str, Any]
    created: float
    state: State
    batch: str | None = None
    damaged: bool = False

    @property
    def params(self) -> Mapping[str, Any]:
        """What was asked for, by name."""
        return {} if self.damaged else dict(self.spec["params"])

    @property
    def prompt(self) -> str:
        """What was written; a sentence instead where that cannot be read."""
        return DAMAGED if self.damaged else str(self.params.get("prompt", ""))

    @property
    def verifies(self) -> bool:
        """Whether it only verifies a take."""
        return bool(self.spec.get("fresh"))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; ``progress`` is 0 to 1, ``stage`` and ``error`` are there where they mean something."""
        state = self.state
        shown: dict[str, Any] = {
            "id": self.id,
            "state": state.name,
            "mode": self.mode,
            "owner": self.owner,
            "created": self.created,
            "batch": self.batch,
            "verifies": self.verifies,
            "progress": float(isinstance(state, Done)),
            "take": None,
            "ahead": 0,
        }
        match state:
            case Queued(ahead):
                shown["ahead"] = ahead
            case Running(_, progress, stopping):
                shown |= {"progress": round(progress.part, 4), "stage": progress.phase, "stopping": stopping}
            case Done(take=take):
                shown["take"] = take
            case Failed(_, error):
                shown["error"] = error.as_dict()
        return shown | ({"damaged": True} if self.damaged else {})


class Insertable(Protocol):
    """What a finished job made, which has a row of its own."""

    def insert(self, connection: sqlite3.Connection) -> None:
        """Add its row in the open transaction."""


class Queue:
    """Of one database. Each method is one transaction, and safe in any thread and process.

    Owners take turns: the next job is the first one in the line of the owner whose last turn is longest ago.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, owner: str, specs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Put requests, (mode, spec) each, at the end of the owner's line, all or none; the jobs' ids."""
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

    def get(self, job: str, owner: str) -> Job:
        """One of the owner's jobs.

        Raises:
            RequestError: The owner has no such job.
        """
        with self._database.read() as connection:
            return job_of(_row(connection, job, owner), ahead_of(connection, owner))

    def of(self, owner: str, *, limit: int | None = None) -> list[Job]:
        """The owner's jobs: the running one, those that wait in their order, then what has ended, newest first."""
        with self._database.read() as connection:
            ahead = ahead_of(connection, owner)
            rows = connection.execute(
                f"SELECT {COLUMNS} WHERE jobs.owner = ? ORDER BY CASE jobs.state WHEN 'running' THEN 0"
                " WHEN 'queued' THEN 1 ELSE 2 END, CASE jobs.state WHEN 'queued' THEN jobs.place ELSE -jobs.number END"
                " LIMIT ?",
                (owner, -1 if limit is None else limit),
            ).fetchall()
            return [job_of(row, ahead) for row in rows]

    def claim(self, only: Collection[str] | None = None) -> Job | None:
        """Take the job whose turn it is, or the first of these that still waits; None when nothing does."""
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
                "UPDATE jobs SET state = 'running', started = ?, attempts = attempts + 1 WHERE id = ?",
                (time.time(), found["id"]),
            )
            return job_of(_row(connection, found["id"], found["owner"]), {})

    def report(self, job: str, progress: Progress) -> bool:
        """Say how far a running job is; whether it is to stop."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET progress = ? WHERE id = ? AND state = 'running'", (json.dumps(progress.store()), job)
            )
            return self._is_stopping(connection, job)

    def is_stopping(self, job: str) -> bool:
        """Whether a running job has been asked to stop, or is no longer running at all."""
        with self._database.read() as connection:
            return self._is_stopping(connection, job)

    @staticmethod
    def _is_stopping(connection: sqlite3.Connection, job: str) -> bool:
        row = connection.execute("SELECT stopping FROM jobs WHERE id = ? AND state = 'running'", (job,)).fetchone()
        return row is None or bool(row["stopping"])

    def finish(self, job: str, take: Insertable) -> bool:
        """A running job is done, and its take is of the history; False, and nothing done, when it ran no longer."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = 'done', ended = ?, stopping = 0 WHERE id = ? AND state = 'running'",
                (time.time(), job),
            ).rowcount
            if changed:
                take.insert(connection)
            return bool(changed)

    def fail(self, job: str, error: StudioError) -> None:
        """A running job ended with an error."""
        self._end(job, "failed", json.dumps(error.store()))

    def drop(self, job: str) -> None:
        """A running job was stopped."""
        self._end(job, "cancelled", None)

    def release(self, job: str) -> None:
        """A running job goes back to the front of the line, as if it had not begun: the studio is being closed."""
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE jobs SET state = 'queued', {_FIRST}, attempts = attempts - 1, started = NULL, progress = NULL"
                " WHERE id = ? AND state = 'running'",
                (job,),
            )

    def _end(self, job: str, state: str, error: str | None) -> None:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, ended = ?, error = ?, stopping = 0 WHERE id = ? AND state = 'running'",
                (state, time.time(), error, job),
            )

    def cancel(self, job: str, owner: str) -> Job:
        """A job that waits is taken out, one that runs is asked to stop; what has ended stays as it is.

        Raises:
            RequestError: The owner has no such job.
        """
        with self._database.write() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? WHERE id = ? AND owner = ?"
                " AND state NOT IN ('running', 'done', 'failed', 'cancelled')",  # it waits, or is in no state
                (time.time(), job, owner),
            )
            connection.execute(
                "UPDATE jobs SET stopping = 1 WHERE id = ? AND owner = ? AND state = 'running'", (job, owner)
            )
            return job_of(_row(connection, job, owner), {})

    def cancel_rest(self, batch: str, owner: str) -> int:
        """Take what still waits of a batch out of the queue; how many these were."""
        with self._database.write() as connection:
            return connection.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? WHERE batch = ? AND owner = ? AND state = 'queued'",
                (time.time(), batch, owner),
            ).rowcount

    def retry(self, job: str, owner: str) -> Job:
        """Put a job that failed or was stopped at the end of the line again.

        Raises:
            RequestError: The owner has no such job, or it did not end that way.
        """
        with self._database.write() as connection:
            row = _row(connection, job, owner)
            if row["state"] not in ("failed", "cancelled"):
                raise RequestError(
                    f"Job {job} is {row['state']}, so there is nothing to try again.",
                    "Only what failed or was stopped can be tried again.",
                )
            connection.execute(
                "UPDATE jobs SET state = 'queued', place = ?, attempts = 0, stopping = 0,"
                " started = NULL, ended = NULL, progress = NULL, error = NULL WHERE id = ?",
                (_last_place(connection, owner) + 1, job),
            )
            return job_of(_row(connection, job, owner), ahead_of(connection, owner))

    def move(self, job: str, owner: str, place: int) -> None:
        """Put a job that waits at a place of its owner's line, 0 being the first.

        Raises:
            RequestError: The owner has no such job, or it does not wait.
        """
        with self._database.write() as connection:
            row = _row(connection, job, owner)
            if row["state"] != "queued":
                raise RequestError(f"Job {job} is {row['state']}.", "Only a job that waits can be moved.")
            line = [
                each["id"]
                for each in connection.execute(
                    "SELECT id FROM jobs WHERE owner = ? AND state = 'queued' ORDER BY place", (owner,)
                )
                if each["id"] != job
            ]
            line.insert(max(0, place), job)
            connection.executemany(
                "UPDATE jobs SET place = ? WHERE id = ?", [(at, each) for at, each in enumerate(line)]
            )

    def pause(self, owner: str, paused: bool = True) -> None:
        """Let none of the owner's jobs begin until it is told otherwise; what runs goes on."""
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

    def recover(self) -> list[str]:
        """Look after jobs that ran when the studio ended without a word; call it before the first `claim`.

        They wait again, first of their lines; but what was to stop is stopped, as is what only verified a take, and
        what was lost twice fails.

        Returns:
            Ids of all that ran; none has a take yet.
        """
        lost = ExecutionError(
            "The studio ended while this job ran, twice.",
            "Try it again with `ltx-studio jobs retry`, or smaller.",
            remedies=[Remedy.SMALLER, Remedy.RETRY],
        )
        with self._database.write() as connection:
            now = time.time()
            ran = [row["id"] for row in connection.execute("SELECT id FROM jobs WHERE state = 'running'")]
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? WHERE state = 'running'"
                " AND (stopping OR CASE WHEN json_valid(spec) THEN coalesce(json_extract(spec, '$.fresh'), 0) END)",
                (now,),
            )
            connection.execute(
                "UPDATE jobs SET state = 'failed', ended = ?, error = ? WHERE state = 'running' AND attempts >= ?",
                (now, json.dumps(lost.store()), ATTEMPTS),
            )
            connection.execute(f"UPDATE jobs SET state = 'queued', {_FIRST}, progress = NULL WHERE state = 'running'")
            return ran


def new_id() -> str:
    """Short enough to read and long enough not to come twice."""
    return uuid.uuid4().hex[:12]


_FIRST = (
    "place = (SELECT coalesce(min(line.place), 1) - 1 FROM jobs AS line"
    " WHERE line.owner = jobs.owner AND line.state = 'queued')"
)
"""Before all others of its owner: it had its turn already."""

COLUMNS = "jobs.*, takes.id AS take FROM jobs LEFT JOIN takes ON takes.job = jobs.id"


def _row(connection: sqlite3.Connection, job: str, owner: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {COLUMNS} WHERE jobs.id = ? AND jobs.owner = ?", (job, owner)
    ).fetchone()
    if row is None:
        raise RequestError(f"There is no job {job}.", "`ltx-studio jobs list` names those that there are.")
    return row


def _last_place(connection: sqlite3.Connection, owner: str) -> int:
    row = connection.execute("SELECT max(place) FROM jobs WHERE owner = ? AND state = 'queued'", (owner,)).fetchone()
    return -1 if row[0] is None else int(row[0])


def ahead_of(connection: sqlite3.Connection, owner: str) -> dict[str, int]:
    """How many jobs come before each of the owner's that wait, as owners take turns."""
    lines = connection.execute(
        "SELECT owners.id, owners.served, count(*) AS length FROM owners JOIN jobs ON jobs.owner = owners.id"
        " WHERE jobs.state = 'queued' AND NOT owners.paused GROUP BY owners.id"
    ).fetchall()
    turn = {line["id"]: (line["served"], line["id"]) for line in lines}
    own = turn.get(owner, (0, owner))
    others = [(line["length"], turn[line["id"]] < own) for line in lines if line["id"] != owner]
    line = connection.execute("SELECT id FROM jobs WHERE owner = ? AND state = 'queued' ORDER BY place", (owner,))
    return {row["id"]: at + sum(min(length, at + earlier) for length, earlier in others) for at, row in enumerate(line)}


def job_of(row: sqlite3.Row, ahead: Mapping[str, int]) -> Job:
    """A row of `COLUMNS`; `ahead` is what `ahead_of` gave."""
    spec, is_damaged = object_of(row["spec"]) or {}, request_of(row["spec"]) is None
    at = (row["created"], _state(row, ahead), row["batch"])
    return Job(row["id"], row["owner"], row["mode"], spec, *at, damaged=is_damaged)


def _state(row: sqlite3.Row, ahead: Mapping[str, int]) -> State:
    started, ended = row["started"] or row["created"], row["ended"] or row["created"]
    match row["state"]:
        case "queued":
            return Queued(ahead.get(row["id"], 0), row["attempts"])
        case "running":
            return Running(started, progress_of(row["progress"]), bool(row["stopping"]))
        case "done":
            return Done(started, ended, row["take"])
        case "failed":
            return Failed(ended, error_of(row["error"]))
        case "cancelled":
            return Cancelled(ended)
        case unknown:
            return Failed(ended, StudioError(f"The job has an unknown state, {unknown!r}.", "Cancel it."))
