"""The engine: one warm ComfyUI, one run at a time, each run a stream of events that never raises."""

import contextvars
import gc
import logging
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import boot, memory, run_folders
from ltx_studio.engine.definitions import snapshot_path, write_snapshot
from ltx_studio.engine.run import Run, Warm
from ltx_studio.errors import BusyError, ExecutionError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Heartbeat, Waiting
from ltx_studio.graph import Workflow, check_graph
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
"""How soon a waiting run notices that it was cancelled."""

HEARTBEAT_SECONDS = 0.5
"""The longest time between two events, because a consumer can stop a run only between events."""


class Engine:
    """Runs workflows on ComfyUI in this process.

    Nothing heavy happens before `start` or the first run. The process has one ComfyUI and one lane, so two
    engines take turns; each keeps its own cache.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._booting: Future[boot.Comfy] | None = None
        self._guard = threading.Lock()
        self._warm: Warm | None = None
        self._running: Run | None = None
        self._closed = threading.Event()

    def start(self) -> None:
        """Start to boot ComfyUI in the background, and return at once.

        Calling it again does nothing, except after a failure: what was missing may have been installed since.
        """
        with self._guard:
            if self._booting is None or (self._booting.done() and self._booting.exception() is not None):
                self._booting = Future()
                threading.Thread(target=self._boot, args=(self._booting,), name="comfyui-boot", daemon=True).start()

    def wait_ready(self, timeout: float | None = None) -> None:
        """Boot ComfyUI and wait for it.

        Raises:
            SetupError: ComfyUI cannot be booted.
            TimeoutError: Booting takes longer than `timeout` seconds.
        """
        self._comfy(timeout)

    @property
    def ready(self) -> bool:
        """Whether ComfyUI is booted, so that a run can start at once."""
        booting = self._booting
        return booting is not None and booting.done() and booting.exception() is None

    @property
    def failure(self) -> BaseException | None:
        """The error of a failed boot; None if booting has not failed."""
        booting = self._booting
        return booting.exception() if booting is not None and booting.done() else None

    def run(
        self,
        workflow: Workflow,
        cancel: CancelToken | None = None,
        *,
        run_id: str | None = None,
        fresh: bool = False,
    ) -> Iterator[Event]:
        """Run `workflow` and yield its events as they happen.

        The stream ends with exactly one of Finished, Failed, Cancelled, and does not raise. Closing or dropping
        the iterator cancels the run. The device stays held until the run has unwound. With `fresh`, nothing cached by
        earlier runs is used, loaded models included.

        The files that Finished names are complete, and in the run's folder in staging. They belong to the caller, who
        removes the folder with `run_folders.discard` once the files are in their final place. `run_id` names the run in
        events, logs and its folder: a caller who gives one can find the files by it after a kill. Without one, they are
        lost with the process.
        """
        cancel = cancel or CancelToken()
        if cancel.cancelled or self._closed.is_set():
            yield Cancelled()
            return
        began = time.monotonic()
        try:
            check_graph(workflow.graph)
            comfy = yield from self._await_boot(cancel, began)
            if comfy is None or not (yield from self._await_lane(comfy, cancel, began)):
                yield Cancelled()
                return
            run = self._launch(comfy, workflow, cancel, run_id or run_folders.new_run_id(), fresh=fresh)
        except StudioError as error:
            yield Failed(error)
            return
        except Exception as error:
            log.exception("a run could not be started")
            yield Failed(ExecutionError.unexpected(error, details=traceback.format_exc()))
            return
        yield from self._follow(run, began)

    def memory(self) -> memory.Memory | None:
        """Return the device's current memory, or None while ComfyUI is not booted."""
        return memory.read(self._comfy().model_management) if self.ready else None

    def unload(self, timeout: float = 0.0) -> None:
        """Free every model and the whole cache; the next run loads what it needs again.

        Raises:
            BusyError: A run is in progress, and does not end within `timeout` seconds.
        """
        if not self.ready:
            return
        comfy = self._comfy()
        if not comfy.lane.acquire(timeout=timeout):
            raise BusyError("The models are in use by a run.", "Stop the run, or wait for it to finish.")
        try:
            if self._warm is not None:
                self._warm.executor.reset()
            comfy.model_management.unload_all_models()
            gc.collect()
            comfy.model_management.soft_empty_cache()
        finally:
            comfy.lane.release()

    def wait_idle(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until no run holds the device, and return whether none does."""
        if not self.ready:
            return True
        lane = self._comfy().lane
        is_idle = lane.acquire(timeout=timeout)
        if is_idle:
            lane.release()
        return is_idle

    def close(self, timeout: float) -> bool:
        """Stop the current and all waiting runs, start no more, and wait up to `timeout` seconds.

        Call it before the process ends: a thread inside torch would otherwise crash it, or keep it from ending.
        Returns True if none is: the run has unwound, and ComfyUI is not booting, which nothing can stop.
        """
        self._closed.set()
        if not self.ready:
            return self._booting is None or self._booting.done()
        if self._running is not None:
            self._running.abandon()
        return self.wait_idle(timeout)

    def _comfy(self, timeout: float | None = None) -> boot.Comfy:
        self.start()
        assert self._booting is not None
        return self._booting.result(timeout)

    def _boot(self, booting: "Future[boot.Comfy]") -> None:
        try:
            comfy = boot.boot(self._settings)
            if not snapshot_path(self._settings).is_file():  # a ComfyUI that set-up has not seen
                write_snapshot(comfy, self._settings)
            run_folders.sweep(self._settings.staging_dir)
            run_folders.sweep_temp(self._settings.temp_dir)
            booting.set_result(comfy)
        except BaseException as error:
            log.exception("ComfyUI could not be started")
            booting.set_exception(
                error
                if isinstance(error, StudioError)
                else ExecutionError.unexpected(error, details=traceback.format_exc())
            )

    def _await_boot(self, cancel: CancelToken, began: float) -> Generator[Event, None, boot.Comfy | None]:
        self.start()
        booting = self._booting
        assert booting is not None
        if not booting.done():
            yield Waiting("start")
            yield from self._until(booting.done, cancel, began)
        return None if self._given_up(cancel) else booting.result()

    def _await_lane(self, comfy: boot.Comfy, cancel: CancelToken, began: float) -> Generator[Event, None, bool]:
        if comfy.lane.acquire(blocking=False):
            return True
        yield Waiting("lane")
        return bool((yield from self._until(lambda: comfy.lane.acquire(blocking=False), cancel, began)))

    def _until(self, condition: Callable[[], bool], cancel: CancelToken, began: float) -> Generator[Event, None, bool]:
        """Yield heartbeats until `condition()` holds or the run is given up; return whether it holds."""
        beat = time.monotonic()
        while not self._given_up(cancel):
            if condition():
                return True
            cancel.wait(POLL_SECONDS)
            if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                beat = time.monotonic()
                yield Heartbeat(beat - began)
        return False

    def _given_up(self, cancel: CancelToken) -> bool:
        return cancel.cancelled or self._closed.is_set()

    def _launch(self, comfy: boot.Comfy, workflow: Workflow, cancel: CancelToken, run_id: str, *, fresh: bool) -> Run:
        """Start the run in its own thread, which releases the lane when the run has unwound."""
        thread: threading.Thread | None = None
        try:
            if self._warm is None:
                self._warm = Warm(
                    comfy.execution.PromptExecutor(
                        comfy.host,
                        cache_type=comfy.execution.CacheType.CLASSIC,
                        cache_args={"lru": 0, "ram": 0, "ram_inactive": 0},
                    )
                )
            if fresh:
                self._warm.executor.reset()
            run = Run(comfy, self._warm, self._settings, workflow, cancel, run_id, fresh=fresh)
            context = contextvars.copy_context()  # ZeroGPU bills the visitor whose token is in it
            self._running = run
            if self._closed.is_set():  # `close` may have checked for a running one just before
                run.abandon()
            thread = threading.Thread(target=context.run, args=(run.work,), name=f"run-{run.id}", daemon=True)
            thread.start()
        except BaseException:
            if thread is None or thread.ident is None:  # else the thread runs, and releases the lane itself
                comfy.lane.release()
            raise
        return run

    def _follow(self, run: Run, began: float) -> Iterator[Event]:
        try:
            while True:
                event = _next(run.events, HEARTBEAT_SECONDS)
                yield Heartbeat(time.monotonic() - began) if event is None else event
                if isinstance(event, Finished | Failed | Cancelled):
                    return
        finally:
            run.abandon()


def _next(events: "SimpleQueue[Event]", timeout: float) -> Event | None:
    try:
        return events.get(timeout=timeout)
    except Empty:
        return None
