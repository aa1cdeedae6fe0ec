"""Jobs as database rows hold them: what was requested, by whom, and their state."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltx_studio.errors import StudioError
from ltx_studio.queue.states import Cancelled, Done, Failed, Queued, Running, State
from ltx_studio.queue.stored_json import error_of, object_of, progress_of, request_of

DAMAGED = "Damaged: the request cannot be read."

COLUMNS = "jobs.*, takes.id AS take FROM jobs LEFT JOIN takes ON takes.job = jobs.id"


@dataclass(frozen=True, slots=True)
class Job:
    """One request and its state.

    Attributes:
        id: Short and unique.
        owner: The owner's id.
        mode: The mode's id.
        spec: The request, as `JobSpec.as_dict` returns it.
        created: Submission time, in seconds since the epoch.
        state: Where it is in its life.
        worker: The worker that runs it or ran it last; None if there was none.
        lease_until: When the lease of that worker ends, in seconds since the epoch.
        batch: The id shared by all jobs of one batch; None for a single job.
        damaged: Whether its row holds no usable request.
    """

    id: str
    owner: str
    mode: str
    spec: Mapping[str, Any]
    created: float
    state: State
    batch: str | None = None
    damaged: bool = False
    worker: str | None = None
    lease_until: float | None = None

    @property
    def params(self) -> Mapping[str, Any]:
        """The request's parameters by name."""
        return {} if self.damaged else dict(self.spec["params"])

    @property
    def prompt(self) -> str:
        """The prompt, or a sentence in its place if the request cannot be read."""
        return DAMAGED if self.damaged else str(self.params.get("prompt", ""))

    @property
    def verifies(self) -> bool:
        """Whether it only verifies a take."""
        return bool(self.spec.get("fresh"))

    def as_dict(self) -> dict[str, Any]:
        """Return the job for JSON; ``progress`` is 0 to 1, ``stage`` and ``error`` appear only where they apply."""
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


def ahead_of(connection: sqlite3.Connection, owner: str) -> dict[str, int]:
    """Return how many jobs come before each of the owner's waiting jobs, as owners take turns."""
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
    """Return the job in a row of `COLUMNS`; `ahead` is the result of `ahead_of`."""
    spec, is_damaged = object_of(row["spec"]) or {}, request_of(row["spec"]) is None
    at = (row["created"], _state(row, ahead), row["batch"])
    lease = {"worker": row["worker"], "lease_until": row["lease_until"]}
    return Job(row["id"], row["owner"], row["mode"], spec, *at, damaged=is_damaged, **lease)


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
