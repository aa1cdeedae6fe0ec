"""Carries jobs to an engine in this process. Page and command line know this, not the engine."""

import logging
import traceback
import uuid
from collections.abc import Callable, Iterator

from ltx_studio.engine import CancelToken, Engine, comfyui
from ltx_studio.errors import ExecutionError, StoppedError, StudioError
from ltx_studio.events import Cancelled, Event, Failed
from ltx_studio.jobs.spec import JobSpec
from ltx_studio.media import Stager, sweep
from ltx_studio.models import Store
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)


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

    def run(self, spec: JobSpec, cancel: CancelToken | None = None, *, job_id: str | None = None) -> Iterator[Event]:
        """Make the files of `spec` ready, build its graph and run it; the stream is that of `Engine.run`.

        `job_id` names it.
        """
        cancel = cancel or CancelToken()
        problem = self.problem()
        if problem is not None:
            yield Failed(problem)
            return
        stager = Stager(self._settings.inputs_dir, self._settings.models_dir / "loras", _stopper(cancel))
        try:
            workflow = spec.build(stager)
            Store(self._settings).require(workflow.graph, spec.fetch_command)
        except StoppedError:
            yield Cancelled()
            return
        except StudioError as error:
            yield Failed(error)
            return
        except Exception as error:
            log.exception("the graph of a %s could not be built", spec.mode)
            yield Failed(ExecutionError.unexpected(error, details=traceback.format_exc()))
            return
        yield from self._engine.run(workflow, cancel, run_id=job_id or new_job_id())

    def close(self, timeout: float) -> bool:
        """Stop what runs and waits, and wait up to `timeout` seconds; True when the engine is at rest.

        When it is not, the interpreter cannot end in good order; see `Engine.close`.
        """
        return self._engine.close(timeout)


def new_job_id() -> str:
    """An id that is short enough to read and long enough not to come twice."""
    return uuid.uuid4().hex[:12]


def _stopper(cancel: CancelToken) -> Callable[[], None]:
    """Ends the making ready of files."""

    def check() -> None:
        if cancel.cancelled:
            raise StoppedError("Stopped.", "Nothing was kept.")

    return check
