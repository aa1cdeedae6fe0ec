"""How long a request will take here, told from the takes that this machine has made."""

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
"""Takes of the same model set; older ones may have been made by another machine or another version."""
NEAREST = 5
"""Of these, those whose phase had about as much to do."""
SURE = 0.1
"""Share of the whole after which a run's own pace says more than the takes before it."""
MOST_OFF = 5.0
"""How far a run's own pace may change what was expected."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that each phase of a run takes.

    Attributes:
        phases: By the phase's id, in their order.
    """

    phases: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return sum(self.phases.values())

    def left(self, progress: Progress, now: float) -> float:
        """Seconds until the end of a run, `now` being in seconds since the epoch, corrected by its own pace.

        The pace is that of what came after the first step that was sampled: how long it took to start ComfyUI and to
        load models, which the first run after a start does and others do not, says nothing of what is left.
        """
        left = self.seconds - self._until(progress.done)
        expected = self._until(progress.done) - self._until(progress.done_then)
        if not progress.since or expected <= SURE * self.seconds:
            return left
        return left * min(max((now - progress.since) / expected, 1 / MOST_OFF), MOST_OFF)

    def _until(self, done: float) -> float:
        """Seconds until so many of the phases are behind a run."""
        return sum(seconds * min(max(done - index, 0.0), 1.0) for index, seconds in enumerate(self.phases.values()))


@dataclass(frozen=True, slots=True)
class Seen:
    """One phase of a take: how much there was to do, the seconds that it took, and how many of them it would also have
    taken with nothing to do, such as for loading a model."""

    work: float
    seconds: float
    start: float = 0.0

    def of(self, amount: float) -> float:
        """Seconds for another amount of work."""
        return self.start + (self.seconds - self.start) / self.work * amount


class Estimator:
    """Of one history. It looks at the takes again when there is a newer one."""

    def __init__(self, history: History, settings: Settings) -> None:
        self._history, self._settings = history, settings
        self._guard = threading.Lock()
        self._newest: dict[str, int] = {}
        self._seen: dict[str, dict[str, list[Seen]]] = {}

    def __call__(self, spec: JobSpec | WorkflowSpec) -> Estimate | None:
        """What `spec` will take; None when too little is known, as of a workflow of somebody's own."""
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
    """What takes, each its request and what was measured, tell of the phases, by the phase's id."""
    found: dict[str, list[Seen]] = {}
    for request, measured in takes:
        try:
            work = _work(JobSpec.from_dict(request, Path(), registry))
        except (StudioError, KeyError, ValueError, TypeError):
            continue  # of another version
        for phase in measured.get("stages", ()):
            if phase["id"] in work and work[phase["id"]]:
                found.setdefault(phase["id"], []).append(Seen(work[phase["id"]], phase["seconds"], start_of(phase)))
    return found


def start_of(phase: Mapping[str, Any]) -> float:
    """Seconds by which a measured phase's first step took longer than its others."""
    steps, first = phase.get("steps", 0), phase.get("first", 0.0)
    if steps < 2 or not 0 < first <= phase["seconds"]:
        return 0.0
    return max(0.0, float(first - (phase["seconds"] - first) / (steps - 1)))


def expected(work: Mapping[str, float], known: Mapping[str, Sequence[Seen]]) -> Estimate | None:
    """What `work`, by phase, will take after what is `known`; None when no sampling was ever seen."""
    sampled = [each for phase, takes in known.items() if SAMPLED.fullmatch(phase) for each in takes]
    if not sampled:
        return None
    phases = {}
    for phase, amount in work.items():
        takes = known.get(phase) or (sampled if SAMPLED.fullmatch(phase) else ())
        phases[phase] = _seconds(amount, takes) if takes else 0.0
    return Estimate(phases)


def _seconds(amount: float, takes: Sequence[Seen]) -> float:
    """For so much work, as those would take that had about as much to do."""
    near = sorted(takes, key=lambda each: abs(math.log(each.work / amount)))[:NEAREST]
    return median(each.of(amount) for each in near)


def _work(spec: JobSpec) -> dict[str, float]:
    mode = get_mode(spec.mode)
    amounts = mode.work(spec.params, spec.sampling, spec.model_set)
    phases = (phase.id for phase in mode.all_phases(spec.model_set))
    return {phase: amounts[phase] for phase in phases if amounts.get(phase)}
