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
"""Seconds. A run that is told as done may still be putting its things away; somebody waits for the answer."""


class LocalRunner:
    """One engine in this process."""

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

    def start(self) -> None:
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
        """Of the device that the engine uses; None while it is not ready."""
        return self._engine.memory()

    def failed(self) -> bool:
        """Whether the engine could not be made ready; `start` tries again."""
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
