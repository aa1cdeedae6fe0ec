"""Estimates of how long a request takes here, from the takes that this machine has made."""

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ltx_studio.errors import StudioError
from ltx_studio.models import Registry, get_registry
from ltx_studio.modes import get_mode
from ltx_studio.modes.phases import SAMPLED
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.states import Progress
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes.history import History

LOOKED_AT = 60
"""How many takes of the same model set to use; older ones may be of another machine or version."""
NEAREST = 5
"""How many of these to use for a phase: those with the most similar amount of work."""
SURE = 0.1
"""The fraction of the whole after which a run's own pace predicts better than earlier takes."""
MOST_OFF = 5.0
"""The largest factor by which a run's own pace may correct the estimate."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The seconds that each phase of a run takes.

    Attributes:
        phases: Seconds by phase id, in order.
    """

    phases: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Seconds of the whole run."""
        return sum(self.phases.values())

    def left(self, progress: Progress, now: float) -> float:
        """Return the seconds until a run ends, corrected by its own pace; `now` is in seconds since the epoch.

        The pace counts only what came after the first sampling step: starting ComfyUI and loading models, which only
        the first run after a start does, says nothing about the rest.
        """
        left = self.seconds - self._until(progress.done)
        expected = self._until(progress.done) - self._until(progress.done_then)
        if not progress.since or expected <= SURE * self.seconds:
            return left
        return left * min(max((now - progress.since) / expected, 1 / MOST_OFF), MOST_OFF)

    def _until(self, done: float) -> float:
        """Return the seconds until `done` phases of a run are complete."""
        return sum(seconds * min(max(done - index, 0.0), 1.0) for index, seconds in enumerate(self.phases.values()))


@dataclass(frozen=True, slots=True)
class Seen:
    """One measured phase of a take: the amount of work, its seconds, and the seconds of them that do not depend on the
    work, such as for loading a model."""

    work: float
    seconds: float
    start: float = 0.0

    def of(self, amount: float) -> float:
        """Return the seconds for another amount of work."""
        return self.start + (self.seconds - self.start) / self.work * amount


class Estimator:
    """Estimates from one history, which is read again whenever it has a newer take."""

    def __init__(self, history: History, settings: Settings) -> None:
        self._history, self._settings = history, settings
        self._guard = threading.Lock()
        self._newest: dict[str, int] = {}
        self._seen: dict[str, dict[str, list[Seen]]] = {}

    def __call__(self, spec: JobSpec | WorkflowSpec) -> Estimate | None:
        """Return the estimate for `spec`; None if too little is known, as for the user's workflow."""
        if isinstance(spec, WorkflowSpec):
            return None
        return expected(_work(spec), self._phases(spec.model_set.id))

    def _phases(self, model_set: str) -> Mapping[str, Sequence[Seen]]:
        with self._guard:
            newest = self._history.newest()
            if self._newest.get(model_set) != newest:
                self._newest[model_set] = newest
                self._seen[model_set] = seen(self._history.measured(model_set, LOOKED_AT), get_registry(self._settings))
            return self._seen[model_set]


def seen(takes: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]], registry: Registry) -> dict[str, list[Seen]]:
    """Return the measured phases of takes, each a request and its measurements, by phase id."""
    found: dict[str, list[Seen]] = {}
    for request, measured in takes:
        try:
            work = _work(JobSpec.from_dict(request, Path(), registry))
        except (StudioError, KeyError, ValueError, TypeError):
            continue  # a take of another version
        for phase in measured.get("stages", ()):
            if phase["id"] in work and work[phase["id"]]:
                found.setdefault(phase["id"], []).append(Seen(work[phase["id"]], phase["seconds"], start_of(phase)))
    return found


def start_of(phase: Mapping[str, Any]) -> float:
    """Return the seconds by which a measured phase's first step took longer than its others."""
    steps, first = phase.get("steps", 0), phase.get("first", 0.0)
    if steps < 2 or not 0 < first <= phase["seconds"]:
        return 0.0
    return max(0.0, float(first - (phase["seconds"] - first) / (steps - 1)))


def expected(work: Mapping[str, float], known: Mapping[str, Sequence[Seen]]) -> Estimate | None:
    """Return the estimate for `work`, by phase, from the `known` phases; None if no sampling was ever measured."""
    sampled = [each for phase, takes in known.items() if SAMPLED.fullmatch(phase) for each in takes]
    if not sampled:
        return None
    phases = {}
    for phase, amount in work.items():
        takes = known.get(phase) or (sampled if SAMPLED.fullmatch(phase) else ())
        phases[phase] = _seconds(amount, takes) if takes else 0.0
    return Estimate(phases)


def _seconds(amount: float, takes: Sequence[Seen]) -> float:
    """Return the seconds for an amount of work, judged by the phases with the most similar amount."""
    near = sorted(takes, key=lambda each: abs(math.log(each.work / amount)))[:NEAREST]
    return median(each.of(amount) for each in near)


def _work(spec: JobSpec) -> dict[str, float]:
    mode = get_mode(spec.mode)
    amounts = mode.work(spec.params, spec.sampling, spec.model_set)
    phases = (phase.id for phase in mode.all_phases(spec.model_set))
    return {phase: amounts[phase] for phase in phases if amounts.get(phase)}
