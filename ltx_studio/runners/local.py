"""The runner with an engine in this process."""

import logging
import traceback
from collections.abc import Callable, Iterator

from ltx_studio.engine import CancelToken, Engine, Memory, comfyui
from ltx_studio.errors import ExecutionError, StoppedError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Prepared
from ltx_studio.graph import Workflow
from ltx_studio.media import InputPreparer, sweep
from ltx_studio.media.input_store import check_kept
from ltx_studio.models import Store
from ltx_studio.runners.protocol import Buildable
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

UNLOAD_PATIENCE = 1.0
"""Seconds. A run that has reported its end may still be unwinding, and a user waits for the answer."""


class LocalRunner:
    """A runner with one engine in this process."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._settings = settings
        self._engine = engine or Engine(settings)
        sweep(settings.inputs_dir, settings.models_dir / "loras")

    def problem(self) -> StudioError | None:
        """Return why nothing can run here, or None. Looks at files only."""
        try:
            comfyui.find(self._settings)
        except StudioError as problem:
            return problem
        return None

    def start(self) -> None:
        """Start to get ready in the background."""
        self._engine.start()

    def prepare(self, spec: Buildable, cancel: CancelToken) -> Workflow:
        """Make the files of `spec` ready and build its graph.

        Raises:
            StoppedError: It was cancelled meanwhile.
            StudioError: It cannot run here: something is missing, or a file cannot be used.
        """
        problem = self.problem()
        if problem is not None:
            raise problem
        for path in spec.files().values():
            check_kept(path)
        stager = InputPreparer(self._settings.inputs_dir, self._settings.models_dir / "loras", _stopper(cancel))
        workflow = spec.build(stager)
        Store(self._settings).require(workflow.graph, spec.fetch_advice, spec.pocket)
        return workflow

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        """Prepare the files of `spec`, build its graph, and run it; see `Runner.run`."""
        try:
            workflow = self.prepare(spec, cancel)
        except StoppedError:
            yield Cancelled()
        except StudioError as error:
            yield Failed(error)
        except Exception as error:
            log.exception("a request could not be prepared")
            yield Failed(ExecutionError.unexpected(error, details=traceback.format_exc()))
        else:
            yield Prepared(workflow.graph)
            yield from self._engine.run(workflow, cancel, run_id=job_id, fresh=spec.fresh)

    def memory(self) -> Memory | None:
        """Return the memory of the engine's device; None while the engine is not ready."""
        return self._engine.memory()

    def failed(self) -> bool:
        """Return whether the engine failed to get ready; `start` tries again."""
        return self._engine.failure is not None

    def unload(self) -> tuple[Memory, Memory] | None:
        """Free all models, and return the memory before and after; None if the engine is not ready.

        Raises:
            BusyError: A run is in progress.
        """
        before = self._engine.memory()
        self._engine.unload(UNLOAD_PATIENCE)
        after = self._engine.memory()
        return None if before is None or after is None else (before, after)

    def close(self, timeout: float) -> bool:
        """Stop all runs, wait up to `timeout` seconds, and return whether the engine is idle.

        If it is not, the interpreter cannot exit cleanly; see `Engine.close`.
        """
        return self._engine.close(timeout)


def _stopper(cancel: CancelToken) -> Callable[[], None]:
    """Return a function that raises if `cancel` is set, to stop the preparation of files."""

    def check() -> None:
        if cancel.cancelled:
            raise StoppedError("Stopped.", "Nothing was saved.")

    return check
