"""Where a job is: a union of small types, each with what is known there and nowhere else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeAlias

from ltx_studio.errors import StudioError

STORED: Mapping[str, str] = {"phase": "stage", "phases": "stages"}
"""How rows of the database call attributes of `Progress`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        phase: What it does now, in words.
        step: Of this phase's steps, so many are done.
        steps: Of this phase; 0 when it has none.
        index: Of this phase, from 0.
        phases: Of the run; 0 before the first begins.
        since: When the first step of all that is sampled was done, in seconds since the epoch; 0 before. Until then
            ComfyUI starts and models are loaded, so that a run's pace is told from here on.
        done_then: As `done`, at that moment.
    """

    phase: str = ""
    step: int = 0
    steps: int = 0
    index: int = 0
    phases: int = 0
    since: float = 0.0
    done_then: float = 0.0

    def store(self) -> dict[str, Any]:
        """Return what a row of the database keeps; phases have an older name there."""
        return {STORED.get(name, name): value for name, value in asdict(self).items()}

    @property
    def done(self) -> float:
        """So many of the phases are behind it, with a part of this one."""
        return self.index + (self.step / self.steps if self.steps else 0.0)

    @property
    def part(self) -> float:
        """Of the whole run, 0 to 1, each phase counted alike."""
        return self.done / self.phases if self.phases else 0.0


@dataclass(frozen=True, slots=True)
class Queued:
    """It waits for its turn.

    Attributes:
        ahead: Jobs that come before it, of all owners.
        attempts: How often it has begun already: 1 after a crash.
    """

    name: ClassVar[str] = "queued"

    ahead: int
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """It has the engine.

    Attributes:
        started: Seconds since the epoch.
        progress: How far it is.
        stopping: Whether it has been asked to stop.
    """

    name: ClassVar[str] = "running"

    started: float
    progress: Progress = Progress()
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Attributes: started and ended in seconds since the epoch; the id of the take."""

    name: ClassVar[str] = "done"

    started: float
    ended: float
    take: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Attributes: ended in seconds since the epoch; why."""

    name: ClassVar[str] = "failed"

    ended: float
    error: StudioError


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Attributes: ended in seconds since the epoch."""

    name: ClassVar[str] = "cancelled"

    ended: float


State: TypeAlias = Queued | Running | Done | Failed | Cancelled
