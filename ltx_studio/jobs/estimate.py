"""How long a request will take here, told from the takes that this machine has made."""

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ltx_studio.errors import StudioError
from ltx_studio.jobs.history import History
from ltx_studio.jobs.own import OwnSpec
from ltx_studio.jobs.spec import JobSpec
from ltx_studio.jobs.states import Progress
from ltx_studio.models import get_model_set
from ltx_studio.modes import get_mode, get_preset
from ltx_studio.modes.stages import SAMPLED

LOOKED_AT = 60
"""Takes of the same model set; older ones may have been made by another machine or another version."""
NEAREST = 5
"""Of these, those whose stage had about as much to do."""
SURE = 0.1
"""Share of the whole after which a run's own pace says more than the takes before it."""
MOST_OFF = 5.0
"""How far a run's own pace may change what was expected."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that each stage of a run takes.

    Attributes:
        stages: By the stage's id, in their order.
    """

    stages: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return sum(self.stages.values())

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
        """Seconds until so many of the stages are behind a run."""
        return sum(seconds * min(max(done - index, 0.0), 1.0) for index, seconds in enumerate(self.stages.values()))


@dataclass(frozen=True, slots=True)
class Seen:
    """One stage of a take: how much there was to do, the seconds that it took, and how many of them it would also have
    taken with nothing to do, such as for loading a model."""

    work: float
    seconds: float
    start: float = 0.0

    def of(self, amount: float) -> float:
        """Seconds for another amount of work."""
        return self.start + (self.seconds - self.start) / self.work * amount


class Estimator:
    """Of one history. It looks at the takes again when there is a newer one."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._guard = threading.Lock()
        self._newest: dict[str, int] = {}
        self._seen: dict[str, dict[str, list[Seen]]] = {}

    def __call__(self, spec: JobSpec | OwnSpec) -> Estimate | None:
        """What `spec` will take; None when too little is known, as of a workflow of somebody's own."""
        if isinstance(spec, OwnSpec):
            return None
        return expected(_work(spec), self._stages(spec.model_set))

    def _stages(self, model_set: str) -> Mapping[str, Sequence[Seen]]:
        with self._guard:
            newest = self._history.newest()
            if self._newest.get(model_set) != newest:
                self._newest[model_set] = newest
                self._seen[model_set] = seen(self._history.measured(model_set, LOOKED_AT))
            return self._seen[model_set]


def seen(takes: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, list[Seen]]:
    """What takes, each its request and what was measured, tell of the stages, by the stage's id."""
    found: dict[str, list[Seen]] = {}
    for request, measured in takes:
        try:
            work = _work(JobSpec.from_dict(request, Path()))
        except (StudioError, KeyError, ValueError, TypeError):
            continue  # of another version
        for stage in measured.get("stages", ()):
            if stage["id"] in work and work[stage["id"]]:
                found.setdefault(stage["id"], []).append(Seen(work[stage["id"]], stage["seconds"], start_of(stage)))
    return found


def start_of(stage: Mapping[str, Any]) -> float:
    """Seconds by which a measured stage's first step took longer than its others."""
    steps, first = stage.get("steps", 0), stage.get("first", 0.0)
    if steps < 2 or not 0 < first <= stage["seconds"]:
        return 0.0
    return max(0.0, float(first - (stage["seconds"] - first) / (steps - 1)))


def expected(work: Mapping[str, float], known: Mapping[str, Sequence[Seen]]) -> Estimate | None:
    """What `work`, by stage, will take after what is `known`; None when no sampling was ever seen."""
    sampled = [each for stage, takes in known.items() if SAMPLED.fullmatch(stage) for each in takes]
    if not sampled:
        return None
    stages = {}
    for stage, amount in work.items():
        takes = known.get(stage) or (sampled if SAMPLED.fullmatch(stage) else ())
        stages[stage] = _seconds(amount, takes) if takes else 0.0
    return Estimate(stages)


def _seconds(amount: float, takes: Sequence[Seen]) -> float:
    """For so much work, as those would take that had about as much to do."""
    near = sorted(takes, key=lambda each: abs(math.log(each.work / amount)))[:NEAREST]
    return median(each.of(amount) for each in near)


def _work(spec: JobSpec) -> dict[str, float]:
    mode, model_set = get_mode(spec.mode), get_model_set(spec.model_set)
    amounts = mode.work(spec.params, get_preset(spec.preset), model_set)
    stages = (stage.id for stage in mode.all_stages(model_set))
    return {stage: amounts[stage] for stage in stages if amounts.get(stage)}
