"""Streams that hold no thread while they wait."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from ltx_studio.settings import Settings
from ltx_studio.web import build_app
from ltx_studio.web.gradio_compat.streams import Pause, streamed
from ltx_studio.web.studio_blocks import MOST_AT_ONCE, MOST_THREADS
from tests.web.asgi import in_a_thread
from tests.web.pace import collected


def test_a_stream_yields_what_the_generator_does_and_keeps_its_pauses_to_itself() -> None:
    def updates(first: int, *more: int) -> Iterator[Any]:
        yield first
        yield Pause(0)
        yield from more

    made = streamed(updates)

    assert collected(made(1, 2, 3)) == [1, 2, 3]
    assert inspect.isasyncgenfunction(made), "Gradio looks at it"
    assert inspect.signature(made) == inspect.signature(updates)


def test_no_thread_is_held_while_streams_pause() -> None:
    threads = list[str]()

    def updates() -> Iterator[Any]:
        threads.append(threading.current_thread().name)
        yield Pause(0.2)
        yield "over"

    async def everything(stream: Any) -> list[Any]:
        return [each async for each in stream]

    async def follow() -> list[Any]:
        before = threading.active_count()
        following = [asyncio.ensure_future(everything(streamed(updates)())) for _ in range(500)]
        while len(threads) < len(following):
            await asyncio.sleep(0.01)
        assert threading.active_count() - before < 100
        return list(await asyncio.gather(*following))

    assert in_a_thread(follow) == [["over"]] * 500
    assert all("AnyIO" in name for name in threads), "a step may take a while"


def test_a_step_sees_whose_request_it_is() -> None:
    visitor = ContextVar("visitor", default="")

    def updates() -> Iterator[Any]:
        yield visitor.get()
        yield Pause(0)
        yield visitor.get()

    async def follow() -> list[Any]:
        visitor.set("alice")
        return [each async for each in streamed(updates)()]

    assert in_a_thread(follow) == ["alice", "alice"]


def test_an_error_passes_through() -> None:
    def updates() -> Iterator[Any]:
        yield 1
        raise OSError("full")

    async def follow() -> None:
        stream = streamed(updates)()
        assert await anext(stream) == 1
        with pytest.raises(OSError, match="full"):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    in_a_thread(follow)


@pytest.mark.parametrize("is_pausing", [False, True], ids=["between two steps", "in a pause"])
@pytest.mark.parametrize("how", ["closed", "dropped", "cancelled"])
def test_a_stream_that_nobody_wants_any_more_closes_its_generator(how: str, is_pausing: bool) -> None:
    closed = asyncio.Event()

    def updates() -> Iterator[Any]:
        try:
            yield 1
            yield Pause(60)
        finally:
            closed.set()

    async def follow() -> None:
        stream = streamed(updates)()
        await anext(stream)
        if is_pausing or how == "cancelled":
            step = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.05)
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step
        elif how == "closed":
            await stream.aclose()  # type: ignore[attr-defined]
        del stream
        await asyncio.wait_for(closed.wait(), 10)

    in_a_thread(follow)


def test_no_handler_that_shows_a_run_holds_a_thread_until_it_ends(home: Settings) -> None:
    blocks = build_app(home)

    follow = {
        str(fn.name): inspect.isasyncgenfunction(fn.fn)
        for fn in blocks.fns.values()
        if any(each.elem_id == "ended" for each in fn.outputs)
    }
    blocks.create_limiter()

    assert {"generate", "_again", "_in_quality", "_resume", "_follow", "_follow_retried", "help_it"} == follow.keys()
    assert all(follow.values()), follow
    assert blocks.limiter is not None
    assert blocks.limiter.total_tokens == MOST_THREADS < MOST_AT_ONCE
