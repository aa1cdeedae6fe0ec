"""The states of a job: a union of small types, each with only what is known in that state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeAlias

from ltx_studio.errors import StudioError

STORED: Mapping[str, str] = {"phase": "stage", "phases": "stages"}
"""The stored names of attributes of `Progress` in database rows."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run.

    Attributes:
        phase: The current phase, in words.
        step: Completed steps of this phase.
        steps: Steps of this phase; 0 if it has none.
        index: Index of this phase, from 0.
        phases: Phases of the run; 0 before the first begins.
        since: When the first sampling step was completed, in seconds since the epoch; 0 before. Until then ComfyUI
            starts and models load, so a run's pace is measured from here.
        done_then: The value of `done` at that moment.
    """

    phase: str = ""
    step: int = 0
    steps: int = 0
    index: int = 0
    phases: int = 0
    since: float = 0.0
    done_then: float = 0.0

    def store(self) -> dict[str, Any]:
        """Return what a database row keeps; phases have an older name there."""
        return {STORED.get(name, name): value for name, value in asdict(self).items()}

    @property
    def done(self) -> float:
        """The number of completed phases, with the fraction of the current one."""
        return self.index + (self.step / self.steps if self.steps else 0.0)

    @property
    def part(self) -> float:
        """The completed fraction of the whole run, 0 to 1; each phase counts alike."""
        return self.done / self.phases if self.phases else 0.0


@dataclass(frozen=True, slots=True)
class Queued:
    """The job waits for its turn.

    Attributes:
        ahead: Jobs of all owners that come before it.
        attempts: How often it has already started: 1 after a crash.
    """

    name: ClassVar[str] = "queued"

    ahead: int
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """The job runs.

    Attributes:
        started: Seconds since the epoch.
        progress: Its progress.
        stopping: Whether it has been asked to stop.
    """

    name: ClassVar[str] = "running"

    started: float
    progress: Progress = Progress()
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Attributes: start and end in seconds since the epoch; the id of the take."""

    name: ClassVar[str] = "done"

    started: float
    ended: float
    take: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Attributes: end in seconds since the epoch; the reason."""

    name: ClassVar[str] = "failed"

    ended: float
    error: StudioError


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Attributes: end in seconds since the epoch."""

    name: ClassVar[str] = "cancelled"

    ended: float


State: TypeAlias = Queued | Running | Done | Failed | Cancelled
