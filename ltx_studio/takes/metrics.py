"""The cost of a run: seconds and steps of each phase, and peak memory."""

import time
from collections.abc import Callable
from typing import Any

from ltx_studio.events import Event, Finished, PhaseStarted, Step, Waiting

LOST = "The first worker was lost during this run, so another one made the clip."


class RunMetrics:
    """Measures a run from its events.

    Args:
        memory: Return the bytes in use now; None if unknown.
        clock: Return the time in seconds.
    """

    def __init__(self, memory: Callable[[], int | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._memory, self._clock = memory, clock
        self._phases: list[dict[str, Any]] = []
        self._began = self._seconds = 0.0
        self._peak, self._note = 0, ""

    def see(self, event: Event) -> None:
        self._peak = max(self._peak, self._memory() or 0)
        match event:
            case Waiting("lost"):
                self._note = LOST
            case PhaseStarted(phase):
                self._end_phase()
                self._phases.append({"id": phase, "seconds": 0.0, "steps": 0, "first": 0.0})
            case Step(phase, step, _):
                for each in self._phases:
                    if each["id"] == phase:
                        each["steps"] = max(each["steps"], step)
                        if step == 1 and each is self._phases[-1]:
                            each["first"] = round(self._clock() - self._began, 3)
            case Finished(_, seconds):
                self._end_phase()
                self._seconds = seconds

    def as_dict(self) -> dict[str, Any]:
        """Return ``seconds`` in all, ``stages`` with the ``seconds`` and ``steps`` of each and the seconds until its
        ``first`` step was done, in which models are loaded, and ``peak_memory`` in bytes."""
        told = {"seconds": round(self._seconds, 3), "stages": self._phases, "peak_memory": self._peak}
        return told | ({"note": self._note} if self._note else {})

    def _end_phase(self) -> None:
        now = self._clock()
        if self._phases:
            self._phases[-1]["seconds"] = round(now - self._began, 3)
        self._began = now
