"""Where a job is: a union of small types, each with what is known there and nowhere else."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ltx_studio.errors import StudioError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        stage: What it does now, in words.
        step: Of this stage's steps, so many are done.
        steps: Of this stage; 0 when it has none.
        index: Of this stage, from 0.
        stages: Of the run; 0 before the first begins.
        since: When the first step of all that is sampled was done, in seconds since the epoch; 0 before. Until then
            ComfyUI starts and models are loaded, so that a run's pace is told from here on.
        done_then: As `done`, at that moment.
    """

    stage: str = ""
    step: int = 0
    steps: int = 0
    index: int = 0
    stages: int = 0
    since: float = 0.0
    done_then: float = 0.0

    @property
    def done(self) -> float:
        """So many of the stages are behind it, with a part of this one."""
        return self.index + (self.step / self.steps if self.steps else 0.0)

    @property
    def part(self) -> float:
        """Of the whole run, 0 to 1, each stage counted alike."""
        return self.done / self.stages if self.stages else 0.0


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
