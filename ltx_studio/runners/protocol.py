"""The protocol of runners: the seam between the queue and engines in this process, on a GPU host or in a cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from ltx_studio.advice import Advice, Do
from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory
from ltx_studio.errors import StudioError
from ltx_studio.events import Event
from ltx_studio.graph import Workflow
from ltx_studio.media import PrepareInput
from ltx_studio.models import ModelFile, Registry
from ltx_studio.runners.cluster_state import WorkerState

UNWIND_SECONDS = 60.0
"""How long a run may take to stop: it stops within one step, which can take that long on a slow machine."""


Account: TypeAlias = Literal["", "free", "pro"]
"""A visitor's account at the host that lends GPUs; empty if it is unknown, or they have none."""


class Buildable(Protocol):
    """A request, or a part of one, from which a graph can be built."""

    @property
    def pocket(self) -> Do:
        """Return how to do without the model files that are missing."""
        ...

    @property
    def fresh(self) -> bool:
        """Return whether it is rendered without anything cached by earlier runs."""
        ...

    def files(self) -> Mapping[str, Path]:
        """Return the kept copies of its files, by name."""
        ...

    def build(self, prepare: PrepareInput) -> Workflow:
        """Return the graph; `prepare` makes the files ready."""
        ...

    def fetch_advice(self, missing: list[ModelFile], registry: Registry) -> Advice:
        """Return how to get the missing model files."""
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run will cost the visitor who asks for it.

    Attributes:
        seconds: Seconds on the GPU, as expected.
        counted: Seconds that are reserved of the visitor's daily quota meanwhile.
        a_day: Seconds of quota that the visitor has each day; with an unknown account, that of a free one.
        most: The seconds on the GPU that a run may take at most.
        account: The visitor's account.
    """

    seconds: int
    counted: int
    a_day: int
    most: int
    account: Account = ""

    @property
    def fits(self) -> bool:
        """Return whether a visitor with this account may make this run."""
        return self.seconds <= self.most


class Runner(Protocol):
    """Executes jobs. `run` may be called from a worker thread or from inside a web request."""

    def problem(self) -> StudioError | None:
        """Return why nothing can run here, or None. Looks at files only."""
        ...

    def start(self) -> None:
        """Start to get ready in the background."""
        ...

    def cost(self, spec: Buildable) -> Cost | None:
        """Return what a run would cost, or None where runs cost nothing."""
        ...

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        """Prepare the files of `spec`, build its graph once, and run it.

        The stream never raises. It begins with `Prepared`, unless preparing fails, and ends with exactly one of
        `Finished`, `Failed`, `Cancelled`. The files that `Finished` names belong to the caller, as does removing the
        run's folder: see `engine/run_folders.py`.

        Args:
            spec: What to make.
            cancel: Stops the run.
            job_id: Names the run; after a kill its finished files are found by it. None for a run whose files nobody
                will look for.
        """
        ...

    def memory(self) -> Memory | None:
        """Return the memory of the device; None while it is not ready."""
        ...

    def failed(self) -> bool:
        """Return whether it failed to get ready; `start` tries again."""
        ...

    def unload(self) -> tuple[Memory, Memory] | None:
        """Free all models; return the memory before and after, or None if there is nothing to free.

        Raises:
            BusyError: A run is in progress.
        """
        ...

    def close(self, timeout: float) -> bool:
        """Stop all runs, wait up to `timeout` seconds, and return whether the process can exit cleanly."""
        ...


@runtime_checkable
class ClusterRunner(Runner, Protocol):
    """A runner that runs several jobs at once, each in a thread of the caller."""

    def lanes(self) -> int:
        """Return how many jobs can run at once now."""
        ...

    def workers(self) -> list[WorkerState]:
        """Return the state of each worker, also of those that get no jobs."""
        ...
