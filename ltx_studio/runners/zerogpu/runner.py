"""The runner for ZeroGPU: prepares requests in the studio's process, and runs them in one on a lent GPU."""

import logging
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from multiprocessing import active_children

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory, run_folders
from ltx_studio.engine.imports import import_packages
from ltx_studio.errors import ExecutionError, GpuError, GpuTimeError, StoppedError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Outcome, Prepared, Waiting
from ltx_studio.graph import Workflow
from ltx_studio.models import get_registry
from ltx_studio.runners import visitors
from ltx_studio.runners.preparing import Preparer
from ltx_studio.runners.protocol import Buildable, Cost
from ltx_studio.runners.zerogpu import quote as quotes
from ltx_studio.runners.zerogpu.accounts import Accounts
from ltx_studio.runners.zerogpu.gpu_process import Order
from ltx_studio.runners.zerogpu.quote import LongerQuotes, Quote
from ltx_studio.runners.zerogpu.stream import Stream
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

Expected = Callable[[Buildable], float | None]
"""Returns the seconds that a request takes by earlier takes, or None if there are none."""


def _unknown(_spec: Buildable) -> float | None:
    return None


class ZeroGPURunner:
    """A runner that borrows a GPU for each run. `run` must be called in the context of the visitor's request.

    Args:
        settings: The studio's settings.
        expected: Estimates the seconds of a request.
    """

    def __init__(self, settings: Settings, expected: Expected = _unknown) -> None:
        from ltx_studio.runners.zerogpu import call  # before the page opens: the platform looks for these functions

        import_packages()  # here, not in a thread: a fork in the middle of an import would leave its locks held
        self._settings, self._expected, self._call = settings, expected, call
        self._preparer = Preparer(settings)
        self._streams: set[Stream] = set()
        self._pids: dict[quotes.Size, int] = {}
        self._seen: set[int] = set()
        self._longer, self._accounts = LongerQuotes(), Accounts()
        self._memory: Memory | None = None
        self._here = threading.local()
        self._guard, self._closed = threading.Lock(), threading.Event()

    def problem(self) -> StudioError | None:
        """Return why nothing can run here, or None. Looks at files only."""
        return self._preparer.problem()

    def start(self) -> None:
        """Do nothing: ComfyUI starts in the GPU process, with the first run."""

    def cost(self, spec: Buildable) -> Cost | None:
        """Return the seconds on the GPU, and of the visitor's quota, that a run would reserve."""
        quote = self._quote(spec)
        return quote.cost(self._call.factor(quote.size), self._accounts.of(visitors.current()))

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        """Prepare the files of `spec`, build its graph, and run it on a GPU; see `Runner.run`.

        A run that was cut off after its time is tried once more with twice the time, which is reserved at once for the
        next runs of that kind.
        """
        self._here.memory = None
        try:
            workflow, quote = self._preparer.prepare(spec, cancel), self._quote(spec)
        except StoppedError:
            yield Cancelled()
            return
        except StudioError as error:
            yield Failed(error)
            return
        except Exception as error:
            log.exception("a request could not be prepared")
            yield Failed(ExecutionError.unexpected(error, details=traceback.format_exc()))
            return
        yield Prepared(workflow.graph)
        outcome = yield from self._attempts(spec, workflow, quote, cancel, job_id)
        if job_id is not None and not isinstance(outcome, Finished):
            run_folders.discard_run(self._settings.staging_dir, job_id)
        yield outcome

    def memory(self) -> Memory | None:
        """Return the memory of the GPU process when it was last read; in the thread of a run, by that run."""
        return getattr(self._here, "memory", self._memory)

    def failed(self) -> bool:
        """Return False: each run starts anew."""
        return False

    def unload(self) -> tuple[Memory, Memory] | None:
        """Return None: between runs the studio holds no GPU."""
        return None

    def close(self, timeout: float) -> bool:
        """Stop all runs, end the GPU processes, and return whether all runs have ended."""
        self._closed.set()
        with self._guard:
            streams = list(self._streams)
        for stream in streams:
            stream.stop()
        ended = [stream.close(timeout / max(len(streams), 1)) for stream in streams]
        for process in active_children():
            if process.pid in self._seen:
                process.kill()
        return all(ended)

    def _quote(self, spec: Buildable) -> Quote:
        registry = get_registry(self._settings)
        size = quotes.size_for(spec, registry)
        is_warm = self._pids.get(size) in _children()
        quote = quotes.quote(spec, registry, expected=self._expected(spec), is_warm=is_warm, size=size)
        return self._longer.at_least(spec, quote)

    def _attempts(
        self, spec: Buildable, workflow: Workflow, quote: Quote, cancel: CancelToken, job_id: str | None
    ) -> Generator[Event, None, Outcome]:
        outcome = yield from self._attempt(spec, workflow, quote, cancel, job_id)
        if cancel.cancelled or not _is_cut_off(outcome):
            return outcome
        log.warning("job %s was cut off after %s s on the GPU; trying once more", job_id, quote.seconds)
        longer = self._longer.doubled(spec, quote)
        again = yield from self._attempt(spec, workflow, longer, cancel, job_id)
        if _is_cut_off(again):
            self._longer.doubled(spec, longer)
        if (
            isinstance(again, Failed)
            and isinstance(again.error, GpuError)
            and not isinstance(again.error, GpuTimeError)
        ):
            return outcome
        return again

    def _attempt(
        self, spec: Buildable, workflow: Workflow, quote: Quote, cancel: CancelToken, job_id: str | None
    ) -> Generator[Event, None, Outcome]:
        if self._closed.is_set():
            return Cancelled()
        yield Waiting("gpu")
        order = Order(self._settings, workflow, job_id, spec.fresh, quote.seconds)
        stream = Stream(lambda: self._call.CALLS[quote.size](order), quote.seconds, self._call.account)
        with self._guard:
            self._streams.add(stream)
        try:
            for event in stream.events(cancel):
                if stream.pid is not None:
                    self._note_process(quote.size, stream.pid)
                self._here.memory = stream.memory
                self._memory = stream.memory or self._memory
                if isinstance(event, Finished | Failed | Cancelled):
                    return event
                yield event
        finally:
            self._accounts.note(visitors.current(), stream.account)
            with self._guard:
                self._streams.discard(stream)
        return Cancelled()

    def _note_process(self, size: quotes.Size, pid: int) -> None:
        """Note the GPU process that ran last, and forget those that have ended: their numbers are given out again."""
        self._pids[size] = pid
        if pid not in self._seen:
            self._seen = {pid, *self._seen & _children()}


def _children() -> set[int]:
    """Return the processes that this one has forked."""
    return {process.pid for process in active_children() if process.pid is not None}


def _is_cut_off(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and isinstance(outcome.error, GpuTimeError)
