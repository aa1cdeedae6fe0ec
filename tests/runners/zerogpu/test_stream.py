"""Reading what a GPU process says, whatever it says; the process itself is played."""

import contextvars
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.events import Cancelled, Event, Failed, Finished, Heartbeat, Step, to_dict
from ltx_studio.runners.zerogpu import stream as streams
from ltx_studio.runners.zerogpu.stream import Stream

HERE = {"type": "Process", "pid": 4_000_000}
VISITOR = contextvars.ContextVar("visitor", default="nobody")


class PlatformError(Exception):
    """As the platform raises it: with a title beside the message."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(repr(message))
        self.title, self.message = title, message


def told(*items: Any, seconds: int = 30) -> list[Event]:
    """Return the events of a call that yields dictionaries, sleeps, raises."""

    def call() -> Iterator[dict[str, Any]]:
        for item in items:
            if isinstance(item, float):
                time.sleep(item)
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item

    return [each for each in Stream(call, seconds).events(CancelToken()) if not isinstance(each, Heartbeat)]


def code_of(events: list[Event]) -> str:
    assert isinstance(events[-1], Failed)
    return events[-1].error.code


def test_events_arrive_and_the_last_is_the_outcome() -> None:
    step, end = Step("stage1", 1, 8), Finished((), 1.0)

    assert told(HERE, to_dict(step), to_dict(end)) == [step, end]


def test_a_stream_without_an_outcome_is_a_failure() -> None:
    assert code_of(told(HERE, to_dict(Step("stage1", 1, 8)))) == "gpu_lost"
    assert code_of(told()) == "gpu_lost"


def test_an_abort_is_for_time_only_when_the_time_is_over() -> None:
    aborted = PlatformError("ZeroGPU worker error", "GPU task aborted")

    assert code_of(told(HERE, aborted)) == "gpu_lost"
    assert code_of(told(HERE, 1.0, aborted, seconds=1)) == "gpu_time"
    assert code_of(told(1.0, aborted, seconds=1)) == "gpu_lost"  # it had no GPU yet


def test_a_stream_that_is_closed_ends_as_cancelled_so_that_its_job_can_wait_again() -> None:
    def call() -> Iterator[dict[str, Any]]:
        yield HERE
        while True:
            yield to_dict(Step("stage1", 1, 8))
            time.sleep(0.05)

    stream = Stream(call, 30)
    events = stream.events(CancelToken())
    while not isinstance(next(events), Step):
        pass
    closing = threading.Thread(target=stream.close, args=(10,))
    closing.start()

    *_, last = events

    closing.join()
    assert last == Cancelled()


def test_a_visitor_who_left_while_waiting_has_cancelled() -> None:
    assert told(RuntimeError("Connection closed by visitor while queueing")) == [Cancelled()]


def test_an_unknown_error_of_the_platform_is_told() -> None:
    assert code_of(told(RuntimeError("ZeroGPU API /schedule error: 500"))) == "gpu"
    assert code_of(told(PlatformError("ZeroGPU of the future", "unheard of"))) == "gpu"


def test_silence_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(streams, "END_SECONDS", 0.1)

    assert code_of(told(HERE, 2.0)) == "gpu_lost"


def test_a_process_with_the_number_of_an_earlier_one_is_watched_before_it_says_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(streams, "END_SECONDS", 0.1)
    monkeypatch.setattr(os, "kill", lambda *_: None)
    told(HERE, to_dict(Finished((), 1.0)))  # the earlier one has ended
    lists = iter([set[int]()])
    monkeypatch.setattr(streams, "_children", lambda: next(lists, {HERE["pid"]}))

    (silent,) = told(1.5)

    assert isinstance(silent, Failed)
    assert "no output" in silent.error.details


def test_no_gpu_is_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "GPU_SECONDS", 0.3)
    monkeypatch.setattr(streams, "END_SECONDS", 0.1)

    assert code_of(told(2.0)) == "gpu_busy"


def test_the_call_is_made_in_the_callers_context_and_closed_by_a_stop() -> None:
    seen, closed, cancel = [], threading.Event(), CancelToken()

    def call() -> Iterator[dict[str, Any]]:
        seen.append(VISITOR.get())
        try:
            yield HERE
            while True:
                time.sleep(0.02)
                yield to_dict(Heartbeat(1.0))
        finally:
            closed.set()

    VISITOR.set("alice")
    events = []
    for event in Stream(call, 30).events(cancel):
        events.append(event)
        cancel.cancel()

    assert (seen, events[-1], closed.is_set()) == (["alice"], Cancelled(), True)


def test_a_reader_who_goes_stops_it() -> None:
    closed = threading.Event()

    def call() -> Iterator[dict[str, Any]]:
        try:
            while True:
                yield HERE
                time.sleep(0.02)
                yield to_dict(Heartbeat(1.0))
        finally:
            closed.set()

    events = Stream(call, 30).events(CancelToken())
    next(events)
    events.close()  # type: ignore[attr-defined]

    assert closed.wait(5)
