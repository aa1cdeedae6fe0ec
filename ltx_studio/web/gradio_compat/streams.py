"""Streams of updates that hold no thread while they wait.

Gradio steps a generator in a thread. A handler that follows a run would keep it busy until the run ends, although it
waits most of the time. So it yields a `Pause` in place of sleeping, and `streamed` makes an asynchronous handler of it:
its steps run in threads, its pauses do not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from gradio.context import LocalContext

MOST_STEPS = 64
"""Steps that run at the same time. Most take milliseconds; one that submits a request copies its files."""

_limiter: RunVar[CapacityLimiter] = RunVar("steps")
_OVER: Any = object()


class Pause(dict[Any, Any]):
    """Updates of nothing: the stream goes on after some seconds.

    Attributes:
        seconds: How long it waits.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


def streamed(handler: Callable[..., Iterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    """Return a handler for Gradio that yields what a generator does, except pauses, during which it holds no thread.

    Closing it closes the generator, once the step in progress has ended.
    """

    @wraps(handler)
    async def stream(*given: Any) -> AsyncIterator[Any]:
        steps = handler(*given)
        try:
            while (each := await to_thread.run_sync(next, steps, _OVER, limiter=_threads())) is not _OVER:
                if isinstance(each, Pause):
                    await asyncio.sleep(each.seconds)
                else:
                    yield each
        except Exception:
            _end_step()
            raise
        finally:
            steps.close()  # type: ignore[attr-defined]

    return stream


def _end_step() -> None:
    """Reset what Gradio sets for each step in the event's context: after one that raises, it does not.

    It would take the card that says what happened for a component that a handler makes, and fail.
    """
    LocalContext.in_event_listener.set(False)
    LocalContext.request.set(None)
    LocalContext.blocks_config.set(None)


def _threads() -> CapacityLimiter:
    """Return the limiter of the running event loop."""
    try:
        return _limiter.get()
    except LookupError:
        made = CapacityLimiter(MOST_STEPS)
        _limiter.set(made)
        return made
