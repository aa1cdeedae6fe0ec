"""The workers of a cluster: which of them are there, and which one gets the next job."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio.engine import Memory
from ltx_studio.errors import StudioError
from ltx_studio.runners.cluster_state import WorkerState
from ltx_studio.runners.ray.fingerprint import Fingerprint, mismatch
from ltx_studio.runners.ray.link import Link
from ltx_studio.runners.ray.worker import memory_of

NOT_READY = "It is starting."


@dataclass(eq=False, slots=True)
class Member:
    """One worker as the studio knows it. Only the roster changes it.

    Attributes:
        name: Its name, as users see it.
        link: The connection to it.
        fingerprint: What is installed there; None until it has answered.
        shares_home: Whether it sees the studio's home.
        problem: Why it gets no jobs; empty if it does.
        job: The id of the job that it was given; empty if it is free.
        model_set: The id of the model set that its last job used; empty if nothing is loaded.
        memory: The memory of its device; None while ComfyUI starts.
        joined: When it first answered, by the monotonic clock; None if it never did.
        heard: When it last answered, by the monotonic clock.
        heard_at: The same in seconds since the epoch; 0 if it never did.
        free_since: Since when it has been free, by the monotonic clock.
        kept: The ids of the jobs whose results are there and were not delivered yet, when it last answered.
        is_lost: Whether its process is gone.
    """

    name: str
    link: Link
    fingerprint: Fingerprint | None = None
    shares_home: bool = False
    problem: str = NOT_READY
    job: str = ""
    model_set: str = ""
    memory: Memory | None = None
    joined: float | None = None
    heard: float = field(default_factory=time.monotonic)
    heard_at: float = 0.0
    free_since: float = 0.0
    kept: tuple[str, ...] = ()
    is_lost: bool = False

    def state(self) -> WorkerState:
        """Return what users see of it."""
        memory = self.memory
        device, used, total = ("", 0, 0) if memory is None else (memory.device, memory.taken, memory.total)
        return WorkerState(
            self.name, device, used, total, self.job, self.model_set, self.heard_at, self.problem
        )  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place in the line for workers. Jobs that lost their worker come first."""

    is_new: bool
    number: int
    model_set: str = field(compare=False)
    job_id: str = field(compare=False)


class Roster:
    """The workers, safe in any thread.

    Args:
        fingerprint: What is installed where the studio is; workers are compared with it when they join.
        clock: Return the time in seconds.
    """

    def __init__(self, fingerprint: Fingerprint, clock: Callable[[], float] = time.monotonic) -> None:
        self._fingerprint, self._clock = fingerprint, clock
        self._guard = threading.Lock()
        self._members: list[Member] = []
        self._tickets: list[Ticket] = []
        self._numbers = itertools.count()

    def add(self, name: str, link: Link) -> Member:
        """Add a worker; it gets jobs once it has answered and fits."""
        member = Member(name, link)
        with self._guard:
            self._members.append(member)
        return member

    def remove(self, member: Member) -> None:
        """Remove a worker that is lost or left."""
        with self._guard:
            member.is_lost = True
            if member in self._members:
                self._members.remove(member)

    def hear(self, member: Member, description: Mapping[str, Any]) -> None:
        """Note a worker's answer; the first one decides whether it fits."""
        with self._guard:
            now = self._clock()
            if member.fingerprint is None:
                member.fingerprint = Fingerprint.from_dict(description["fingerprint"])
                member.shares_home = bool(description["shares_home"])
                member.joined = member.free_since = now
            problem = description.get("problem")
            member.problem = mismatch(self._fingerprint, member.fingerprint) or (
                "" if problem is None else StudioError.from_dict(problem).message
            )
            memory = description.get("memory")
            member.memory = None if memory is None else memory_of(memory)
            if not member.job:
                member.model_set = str(description.get("model_set", ""))
            member.kept = tuple(map(str, description.get("kept", ())))
            member.heard, member.heard_at = now, time.time()

    def queue(self, model_set: str, job_id: str, *, again: bool = False) -> Ticket:
        """Join the line for a worker.

        Args:
            model_set: The id of the model set that the job needs; empty if it is unknown.
            job_id: The job's id.
            again: Whether the job has lost its worker.
        """
        with self._guard:
            ticket = Ticket(not again, next(self._numbers), model_set, job_id)
            self._tickets.append(ticket)
            self._tickets.sort()
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """Leave the line."""
        with self._guard:
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    def take(self, ticket: Ticket) -> Member | None:
        """Return the best free worker for a ticket, now busy, or None if those before it need all that are free."""
        with self._guard:
            free = [member for member in self._members if not member.job and not member.problem]
            for each in self._tickets:
                best = self._best(free, each.model_set)
                if each is ticket:
                    if best is not None:
                        self._tickets.remove(ticket)
                        best.job = ticket.job_id
                    return best
                if best is not None:
                    free.remove(best)
            return None

    def _best(self, free: list[Member], model_set: str) -> Member | None:
        """Return the worker that has the set loaded, else one that has nothing loaded, else the one free for longest.

        A worker without the set's files is used only if none has them: the job then says what is missing.
        """
        accepted = [member for member in self._members if not member.problem]
        able = [member for member in accepted if _has(member, model_set)]
        usable = [member for member in free if not able or member in able]
        return min(usable, key=lambda each: (_rank(each, model_set), each.free_since), default=None)

    def release(self, member: Member, model_set: str) -> None:
        """Make a worker free again; `model_set` is loaded there now."""
        with self._guard:
            member.job, member.model_set, member.free_since = "", model_set or member.model_set, self._clock()

    def unloaded(self, member: Member) -> None:
        """Note that a worker has nothing loaded any more."""
        with self._guard:
            member.model_set = ""

    def members(self) -> list[Member]:
        with self._guard:
            return list(self._members)

    def accepted(self) -> int:
        """Return how many workers get jobs."""
        with self._guard:
            return sum(not member.problem for member in self._members)

    def idle(self, seconds: float) -> list[Member]:
        """Return the workers that have had models loaded and no job for `seconds`."""
        with self._guard:
            limit = self._clock() - seconds
            return [each for each in self._members if not each.job and each.model_set and each.free_since <= limit]

    def keepers(self, job_id: str) -> list[Member]:
        """Return the workers that have the results of a job which were not delivered yet."""
        with self._guard:
            return [each for each in self._members if job_id in each.kept]

    def states(self) -> list[WorkerState]:
        """Return what users see of the workers."""
        return [member.state() for member in self.members()]


def _has(member: Member, model_set: str) -> bool:
    return not model_set or (member.fingerprint is not None and model_set in member.fingerprint.model_sets)


def _rank(member: Member, model_set: str) -> int:
    if model_set and member.model_set == model_set:
        return 0
    return 1 if not member.model_set else 2
