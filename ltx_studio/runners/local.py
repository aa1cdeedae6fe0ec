"""The runner with an engine in this process."""

import logging
import traceback
from collections.abc import Iterator

from ltx_studio.engine import CancelToken, Engine, Memory
from ltx_studio.errors import ExecutionError, StoppedError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Prepared
from ltx_studio.runners.preparing import Preparer
from ltx_studio.runners.protocol import Buildable, Cost
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

UNLOAD_PATIENCE = 1.0
"""Seconds. A run that has reported its end may still be unwinding, and a user waits for the answer."""


class LocalRunner:
    """A runner with one engine in this process."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._preparer = Preparer(settings)
        self._engine = engine or Engine(settings)

    def problem(self) -> StudioError | None:
        """Return why nothing can run here, or None. Looks at files only."""
        return self._preparer.problem()

    def start(self) -> None:
        """Start to get ready in the background."""
        self._engine.start()

    def cost(self, spec: Buildable) -> Cost | None:  # noqa: ARG002
        """Return None: runs cost nothing here."""
        return None

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        """Prepare the files of `spec`, build its graph, and run it; see `Runner.run`."""
        try:
            workflow = self._preparer.prepare(spec, cancel)
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
