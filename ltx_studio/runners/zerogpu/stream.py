"""Reading a GPU process's stream in the studio's process: events, its end, and a watch over its silence."""

import contextlib
import contextvars
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import Any

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory
from ltx_studio.errors import StoppedError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Heartbeat, Outcome, from_dict
from ltx_studio.runners.protocol import UNWIND_SECONDS, Account
from ltx_studio.runners.zerogpu.gpu_process import MEMORY, PROCESS
from ltx_studio.runners.zerogpu.refusals import ABORTED, lost, no_gpu, refusal_of, timed_out

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 0.5
SILENT_SECONDS = 60.0
"""How long a GPU process may say nothing, which it never does for more than half a second, before it is ended."""
GPU_SECONDS = 300.0
"""How long to wait for a GPU. The platform itself gives up after a minute."""
END_SECONDS = 10.0
"""How long to wait for the platform to take the GPU back after a run."""
CUT_OFF = 0.9
"""A process that is killed after this part of its time was killed because of the time."""

_claimed: set[int] = set()
"""The processes that have said which call they belong to."""


class Stream:
    """One call on a GPU. A thread with the caller's context reads it: the platform bills the visitor in that context.

    Attributes:
        pid: The GPU process, once it has begun.
        memory: The last reading of the GPU process's memory.
        account: The visitor's account, once the platform has answered.
    """

    def __init__(
        self,
        call: Callable[[], Iterator[Mapping[str, Any]]],
        seconds: int,
        told_account: Callable[[], Account] = lambda: "",
    ) -> None:
        self.pid: int | None = None
        self.account: Account = ""
        self._told_account = told_account
        self.memory: Memory | None = None
        self._call, self._seconds = call, seconds
        self._items: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        self._stop, self._ended = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._others = _children()
        _claimed.intersection_update(self._others)  # a new process may get the number of one that has ended
        self._began = self._began_on_gpu = self._heard = time.monotonic()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._read,), name="gpu-stream", daemon=True)

    def events(self, cancel: CancelToken) -> Iterator[Event]:
        """Yield the events of the call; the last one is an outcome. Closing the iterator stops the run."""
        self._thread.start()
        try:
            yield (yield from self._until_outcome(cancel))
        finally:
            self._stop.set()

    def stop(self) -> None:
        """Stop the run, and return at once."""
        self._stop.set()

    def close(self, timeout: float) -> bool:
        """Stop the run, end its process if it takes longer than `timeout` seconds, and return whether it has ended."""
        self._stop.set()
        if self._thread.ident is not None and not self._ended.wait(timeout):
            self._end_process()
        return self._thread.ident is None or self._ended.wait(END_SECONDS)

    def _until_outcome(self, cancel: CancelToken) -> Generator[Event, None, Outcome]:
        beat, stopped_at = time.monotonic(), None
        while True:
            if cancel.cancelled and stopped_at is None:
                self._stop.set()
                stopped_at = time.monotonic()
            if stopped_at is not None and self.pid is None:
                return Cancelled()  # no GPU yet; when one is lent, the thread gives it back
            item = self._next()
            now = time.monotonic()
            if item is not None:
                self._heard = now
                event = self._understood(item)
                if isinstance(event, Finished | Failed | Cancelled):
                    self._ended.wait(END_SECONDS)
                    return event
                if event is not None:
                    beat = now
                    yield event
            elif self._ended.is_set() and self._items.empty():
                return self._ending(is_stopped=stopped_at is not None or self._stop.is_set())
            elif (failure := self._overdue(now, stopped_at)) is not None:
                self._end_process()
                self._ended.wait(END_SECONDS)
                return failure
            if now - beat >= HEARTBEAT_SECONDS:
                beat = now
                yield Heartbeat(now - self._began)

    def _next(self) -> Mapping[str, Any] | None:
        try:
            return self._items.get(timeout=0.1)
        except Empty:
            return None

    def _understood(self, item: Mapping[str, Any]) -> Event | None:
        """Return the event of a dictionary, or None if it is one of ours that is no event."""
        match item:
            case {"type": type_, "pid": int(pid)} if type_ == PROCESS:
                self.pid, self._began_on_gpu = pid, time.monotonic()
                _claimed.add(pid)
                return None
            case {"type": type_, "models": models, **values} if type_ == MEMORY:
                self.memory = Memory(**values, models=tuple((name, size) for name, size in models))
                return None
        return from_dict(item)

    def _overdue(self, now: float, stopped_at: float | None) -> Outcome | None:
        """Return how the run ends if it must not be waited for any longer."""
        if stopped_at is not None and now - stopped_at > UNWIND_SECONDS:
            log.error("GPU process %s did not stop in time", self.pid)
            return Cancelled()
        if self.pid is None and now - self._began > GPU_SECONDS:
            return Failed(no_gpu(details=f"no answer within {GPU_SECONDS:g} s"))
        if self.pid is None and not self._new():
            self._heard = now  # there is no process yet that could say anything
        if now - self._heard > SILENT_SECONDS:
            return Failed(lost(details=f"no output for {SILENT_SECONDS:g} s"))
        return None

    def _new(self) -> set[int]:
        """Return the processes that were forked since the call began and belong to no other."""
        return _children() - self._others - _claimed

    def _ending(self, *, is_stopped: bool) -> Outcome:
        """Return the outcome of a stream that ended without one."""
        error = self._error
        if is_stopped:
            return Cancelled()
        if error is None:
            return Failed(lost(details="its stream ended without a result"))
        on_gpu = time.monotonic() - self._began_on_gpu
        if self.pid is not None and ABORTED in str(getattr(error, "message", error)):
            return Failed(timed_out(self._seconds) if on_gpu >= CUT_OFF * self._seconds else lost(details=ABORTED))
        refusal = refusal_of(error, self._seconds)
        return Cancelled() if isinstance(refusal, StoppedError) else Failed(refusal)

    def _read(self) -> None:
        try:
            items = self._call()
            try:
                for item in items:
                    self.account = self._told_account()
                    self._items.put(item)
                    if self._stop.is_set():
                        break
            finally:
                if isinstance(items, Generator):
                    items.close()  # stops the run on the GPU, and waits until it has unwound
        except BaseException as error:
            self._error = error
        finally:
            self.account = self._told_account()  # of this thread
            self._ended.set()

    def _end_process(self) -> None:
        """End the GPU process at once. One that has said nothing yet is known as the only new one."""
        self._stop.set()
        new = self._new()
        pid = self.pid if self.pid is not None else next(iter(new)) if len(new) == 1 else None
        if pid is not None and pid in _children():
            log.error("ending GPU process %s", pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _children() -> set[int]:
    """Return the processes that this one has forked."""
    return {process.pid for process in multiprocessing.active_children() if process.pid is not None}
