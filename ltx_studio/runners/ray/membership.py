"""Who works for a studio: hire workers where a cluster has room, hear them, and part with those that are lost."""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from ltx_studio.engine import Memory
from ltx_studio.errors import StudioError
from ltx_studio.runners.cluster_state import forget_states, write_states
from ltx_studio.runners.ray.fingerprint import Fingerprint
from ltx_studio.runners.ray.link import Link, WorkerLostError
from ltx_studio.runners.ray.roster import Member, Roster
from ltx_studio.runners.ray.worker import memory_of
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often workers are asked for their state, and the cluster for new ones."""

LOST_SECONDS = 60.0
"""How long a worker may stay silent before it counts as lost. A dead process or machine is noticed sooner."""

ASK_SECONDS = 120.0
"""How long a worker may take to answer a question."""

HIRE_AGAIN_SECONDS = 30.0
"""When to try again where a worker could not be started or ended early: it may fail each time."""

EARLY_SECONDS = 60.0
"""A worker that ends sooner than this after its first answer has ended early."""


class Cluster(Protocol):
    """Where workers come from."""

    def open(self) -> None:
        """Connect.

        Raises:
            SetupError: There is no cluster, or it cannot be used.
        """
        ...

    def places(self) -> Mapping[str, str]:
        """Return the places for workers that exist now: id → the name of the worker there."""
        ...

    def hire(self, place: str, name: str, token: str) -> Link:
        """Start a worker at a place.

        Args:
            place: The id of the place.
            name: The worker's name.
            token: See `Post.token`.
        """
        ...

    def close(self) -> None:
        """Disconnect; its workers end."""
        ...


class Membership:
    """The workers of one studio.

    Args:
        settings: The studio's settings.
        cluster: Where workers come from.

    Attributes:
        roster: The workers that are there.
    """

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._settings, self._cluster = settings, cluster
        self.roster = Roster(Fingerprint.of(settings))
        self._hired: dict[str, Member] = {}
        self._not_before: dict[str, float] = {}
        self._token = settings.workers_dir / f"cluster-{uuid.uuid4().hex}.token"
        self._closed = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="cluster", daemon=True)

    @property
    def is_closed(self) -> bool:
        """Whether the studio is closing."""
        return self._closed.is_set()

    def open(self) -> None:
        """Connect to the cluster, and begin to look for workers.

        Raises:
            SetupError: There is no cluster, or it cannot be used.
        """
        self._token.parent.mkdir(parents=True, exist_ok=True)
        for old in self._token.parent.glob("cluster-*.token"):
            old.unlink(missing_ok=True)
        self._token.touch()
        try:
            self._cluster.open()
        except StudioError:
            self._token.unlink(missing_ok=True)
            raise
        self._watching.start()

    def close(self, timeout: float) -> None:
        """Have all workers stop, wait up to `timeout` seconds for them, and leave the cluster."""
        self._closed.set()
        end = time.monotonic() + timeout
        if self._watching.is_alive():
            self._watching.join(timeout)
        for member in self.roster.members():
            with contextlib.suppress(WorkerLostError, TimeoutError, StudioError):
                member.link.ask("close", timeout=max(end - time.monotonic(), 0.1))
        self._cluster.close()
        with contextlib.suppress(OSError):
            self._token.unlink(missing_ok=True)
            forget_states(self._settings)

    def lose(self, member: Member) -> None:
        """Part with a worker; if its process still lives, it ends."""
        self.roster.remove(member)
        with contextlib.suppress(Exception):
            member.link.kill()

    def unload(self, member: Member) -> tuple[Memory, Memory] | None:
        """Free a worker's models; return its memory before and after, or None if it runs a job or is lost.

        A worker that cannot free them counts as lost.
        """
        try:
            answer = ask(member, "unload")
        except WorkerLostError:
            return None
        except Exception:
            log.exception("worker %s cannot free its models", member.name)
            self.lose(member)
            return None
        if answer is None:
            return None
        self.roster.unloaded(member)
        return memory_of(answer["before"]), memory_of(answer["after"])

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:
                log.exception("the cluster could not be looked at")

    def look(self) -> None:
        """Look at the cluster and hear all workers once."""
        places = self._cluster.places()
        self._part(places)
        now = time.monotonic()
        for place, name in places.items():
            if place not in self._hired and now >= self._not_before.get(place, 0.0):
                self._hire(place, name)
        for member in self.roster.members():
            self._hear(member)
        if self._settings.keep_alive_minutes is not None:
            for member in self.roster.idle(self._settings.keep_alive_minutes * 60):
                self.unload(member)
        with contextlib.suppress(OSError):
            write_states(self._settings, self.roster.states())

    def _hire(self, place: str, name: str) -> None:
        try:
            link = self._cluster.hire(place, name, self._token.name)
        except Exception:
            log.exception("worker %s could not be started", name)
            self._not_before[place] = time.monotonic() + HIRE_AGAIN_SECONDS
            return
        self._hired[place] = self.roster.add(name, link)

    def _part(self, places: Mapping[str, str]) -> None:
        """Part with workers that are lost, or whose place is gone."""
        for place, member in list(self._hired.items()):
            if member.is_lost or place not in places:
                log.info("worker %s has left", member.name)
                self.lose(member)
                del self._hired[place]
                now = time.monotonic()
                if member.joined is None or now - member.joined < EARLY_SECONDS:
                    self._not_before[place] = now + HIRE_AGAIN_SECONDS

    def _hear(self, member: Member) -> None:
        had = member.problem
        try:
            description = member.link.look()
            if description is not None:
                self.roster.hear(member, description)
        except WorkerLostError:
            self.lose(member)
            return
        except Exception:
            log.exception("worker %s cannot describe itself", member.name)
            self.lose(member)
            return
        if description is None:
            if member.heard_at and time.monotonic() - member.heard > LOST_SECONDS:
                self.lose(member)
            return
        if member.problem and member.problem != had:
            log.warning("worker %s gets no jobs: %s", member.name, member.problem)
        elif had and not member.problem:
            log.info("worker %s has joined", member.name)


def ask(member: Member, method: str, *given: Any) -> Any:
    """Call a method of a worker.

    Raises:
        WorkerLostError: The worker is lost, or does not answer.
        StudioError: The method raised it.
    """
    try:
        return member.link.ask(method, *given, timeout=ASK_SECONDS)
    except TimeoutError:
        raise WorkerLostError(member.name) from None


def for_workers(settings: Settings) -> Settings:
    """Return the settings that workers on this machine use: the studio's, without what only the page needs."""
    return replace(settings, password="", origins=dict(settings.origins))
