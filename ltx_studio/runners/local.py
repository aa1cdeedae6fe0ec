"""Carries jobs to an engine in this process. Page and command line know this, not the engine."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ltx_studio.engine import CancelToken, Engine, Memory, comfyui
from ltx_studio.errors import StoppedError, StudioError
from ltx_studio.events import Event
from ltx_studio.graph import Workflow
from ltx_studio.media import InputPreparer, PrepareInput, sweep
from ltx_studio.media.input_store import check_kept
from ltx_studio.models import ModelFile, Registry, Store
from ltx_studio.settings import Settings

UNLOAD_PATIENCE = 1.0
"""Seconds. A run that is told as done may still be putting its things away; somebody waits for the answer."""


class Buildable(Protocol):
    """What becomes a graph: a request, or a part of one."""

    @property
    def pocket(self) -> str:
        """Return how to do without the model files that are missing, as the end of a sentence."""
        ...

    def files(self) -> Mapping[str, Path]:
        """Return the kept files that it was given, by name."""
        ...

    def build(self, prepare: PrepareInput) -> Workflow:
        """Return the graph; `prepare` makes the files ready."""
        ...

    def fetch_command(self, missing: list[ModelFile], registry: Registry) -> str:
        """Return the command that fetches the missing model files."""
        ...


class LocalRunner:
    """One engine in this process, and what the surfaces need of it."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._settings = settings
        self._engine = engine or Engine(settings)
        sweep(settings.inputs_dir, settings.models_dir / "loras")

    def problem(self) -> StudioError | None:
        """Why nothing could run here, or None. Looks at files only."""
        try:
            comfyui.find(self._settings)
        except StudioError as problem:
            return problem
        return None

    def warm(self) -> None:
        """Begin to get ready in the background."""
        self._engine.start()

    def prepare(self, spec: Buildable, cancel: CancelToken) -> Workflow:
        """Make the files of `spec` ready and build its graph.

        Raises:
            StoppedError: It was cancelled meanwhile.
            StudioError: It cannot be run here: something is missing, or a file cannot be used.
        """
        problem = self.problem()
        if problem is not None:
            raise problem
        for path in spec.files().values():
            check_kept(path)
        stager = InputPreparer(self._settings.inputs_dir, self._settings.models_dir / "loras", _stopper(cancel))
        workflow = spec.build(stager)
        Store(self._settings).require(workflow.graph, spec.fetch_command, spec.pocket)
        return workflow

    def carry_out(
        self, workflow: Workflow, cancel: CancelToken, *, job_id: str | None = None, fresh: bool = False
    ) -> Iterator[Event]:
        """Run a graph that was prepared; see `Engine.run`, also for whose the files are. Only a job has an id."""
        return self._engine.run(workflow, cancel, run_id=job_id, fresh=fresh)

    def memory(self) -> Memory | None:
        """Of the device that the engine uses; None while it is not ready."""
        return self._engine.memory()

    def failed(self) -> bool:
        """Whether the engine could not be made ready; `warm` tries again."""
        return self._engine.failure is not None

    def unload(self) -> tuple[Memory, Memory] | None:
        """Free all models; memory before and after. None when the engine is not ready, and so has none.

        Raises:
            BusyError: A run is on.
        """
        before = self._engine.memory()
        self._engine.unload(UNLOAD_PATIENCE)
        after = self._engine.memory()
        return None if before is None or after is None else (before, after)

    def close(self, timeout: float) -> bool:
        """Stop what runs and waits, and wait up to `timeout` seconds; True when the engine is at rest.

        When it is not, the interpreter cannot end in good order; see `Engine.close`.
        """
        return self._engine.close(timeout)


def _stopper(cancel: CancelToken) -> Callable[[], None]:
    """Ends the making ready of files."""

    def check() -> None:
        if cancel.cancelled:
            raise StoppedError("Stopped.", "Nothing was kept.")

    return check
