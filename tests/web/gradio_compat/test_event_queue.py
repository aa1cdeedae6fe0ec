"""What Gradio's queue keeps: not more than is fetched, and nothing of forms that are gone."""

import asyncio
import gc
from asyncio import Queue as Answers
from typing import Any

import gradio as gr
import pytest
from gradio.data_classes import PredictBody
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ltx_studio.web.access.values import check_body
from ltx_studio.web.gradio_compat.event_queue import UNFETCHED_SECONDS, EventKeeper, Mailboxes
from ltx_studio.web.gradio_compat.sessions import Sessions
from tests.web.asgi import in_a_thread


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def blocks() -> gr.Blocks:
    with gr.Blocks() as made:
        gr.Textbox().change(str.upper)
    return made  # type: ignore[no-any-return]


@pytest.fixture
def keeper(blocks: gr.Blocks) -> EventKeeper:
    return EventKeeper(blocks, check_body)


def test_a_mailbox_that_is_empty_goes_first_and_a_busy_one_never(blocks: gr.Blocks) -> None:
    queue = blocks._queue
    boxes = Mailboxes(queue, 3)
    for name in ("busy", "unfetched", "fetched"):
        boxes[name] = Answers()
        queue.pending_event_ids_session[name] = {name}
    queue.event_ids_to_events["busy"] = object()  # type: ignore[assignment]
    boxes["unfetched"].put_nowait("an answer")

    left = []
    for number in range(4):
        boxes[f"new{number}"] = Answers()
        queue.event_ids_to_events[f"event{number}"] = object()  # type: ignore[assignment]
        queue.pending_event_ids_session[f"new{number}"] = {f"event{number}"}
        left.append(sorted(boxes))

    assert left[0] == ["busy", "new0", "unfetched"]
    assert left[1] == ["busy", "new0", "new1"]
    assert left[3] == ["busy", "new0", "new1", "new2", "new3"]  # all of them run
    assert "fetched" not in queue.pending_event_ids_session


def test_answers_that_nobody_fetches_go(blocks: gr.Blocks, keeper: EventKeeper) -> None:
    clock = Clock()
    holder = Sessions(blocks, clock)
    queue = blocks._queue
    for name in ("left", "tab"):
        holder[name]
        queue.pending_messages_per_session[name] = Answers()
        queue.pending_event_ids_session[name] = {f"of {name}"}
    queue.pending_event_ids_session["pushed out"] = {"of it"}
    holder.open("tab")

    keeper.sweep()
    assert set(queue.pending_messages_per_session) == {"left", "tab"}
    clock.now += UNFETCHED_SECONDS + 1
    keeper.sweep()

    assert set(queue.pending_messages_per_session) == {"tab"}
    assert set(queue.pending_event_ids_session) == {"tab"}


def test_what_belongs_to_forms_that_are_gone_goes(blocks: gr.Blocks, keeper: EventKeeper) -> None:
    Sessions(blocks)
    queue, fn = blocks._queue, next(iter(blocks.fns.values()))
    queue.create_event_queue_for_fn(fn)
    blocks.temp_file_sets.extend({f"/tmp/{number}"} for number in range(2_000))

    def render() -> None:
        with gr.Blocks() as other:
            gr.Textbox().change(str.lower)
        (rendered,) = other.fns.values()
        queue.create_event_queue_for_fn(rendered)
        queue.process_time_per_fn[rendered].add(1.0)
        queue.process_time_per_fn[fn].add(1.0)
        other.fns.clear()

    render()
    assert len(queue.event_queue_per_concurrency_id) == 2
    keeper.sweep()
    assert len(queue.event_queue_per_concurrency_id) == 2  # it may be between two steps of a request
    keeper.sweep()
    gc.collect()

    assert set(queue.event_queue_per_concurrency_id) == {fn.concurrency_id}
    assert list(queue.process_time_per_fn) == [fn]
    assert len(blocks.temp_file_sets) == 2
    assert len(blocks.upload_file_set) == 2_000  # Gradio still deletes those files in time


def test_no_statistics_are_kept(blocks: gr.Blocks, keeper: EventKeeper) -> None:
    assert keeper
    assert blocks._queue.ANALYTICS_MAX_EVENTS == 1
    assert blocks._queue.compute_analytics_summary([{"no": "frame"}]) == {"functions": {}}  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("named", [{"session_hash": ""}, {"batched": True}, {"session_hash": "s", "batched": True}])
def test_a_call_that_the_queue_would_stumble_over_is_refused(named: dict[str, Any]) -> None:
    with pytest.raises(HTTPException):
        check_body(PredictBody(data=[], **named))


def test_a_session_that_fetches_nothing_is_told_to(
    blocks: gr.Blocks, keeper: EventKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltx_studio.web.gradio_compat.event_queue.MOST_UNFETCHED", 3)
    blocks._queue.pending_event_ids_session["s"] = {"a", "b", "c"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/gradio_api/queue/join",
        "query_string": b"",
        "headers": [(b"host", b"x")],
    }
    request = Request({**scope, "server": ("x", 80), "scheme": "http"})

    answer = in_a_thread(lambda: keeper.push(PredictBody(data=[], session_hash="s"), request, None))

    assert answer == (False, "Fetch the answers of earlier calls first.", "queue_full")


@pytest.mark.usefixtures("keeper")
@pytest.mark.parametrize(("name", "least"), [("start_processing", 0.01), ("start_progress_updates", 1)])
def test_a_queue_without_events_rests_between_its_looks(
    blocks: gr.Blocks, name: str, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, rests = blocks._queue, list[float]()

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def later(seconds: float, call: Any, *args: Any) -> asyncio.Handle:
            rests.append(seconds)
            queue.stopped = True
            return loop.call_soon(call, *args)

        monkeypatch.setattr(loop, "call_later", later)
        await getattr(queue, name)()

    in_a_thread(main)

    assert rests
    assert min(rests) >= least
