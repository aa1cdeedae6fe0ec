"""Goes through the updates of handlers that follow a run, in the place of Gradio."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ltx_studio.web.gradio_compat.streams import Pause
from ltx_studio.web.panels.screen import Updates
from tests.web.asgi import in_a_thread


def paced(updates: Iterator[Updates]) -> Iterator[Updates]:
    """Yield the updates, and wait where the handler pauses."""
    for each in updates:
        if isinstance(each, Pause):
            time.sleep(each.seconds)
        else:
            yield each


def collected(stream: AsyncIterator[Any]) -> list[Any]:
    """Return all that a handler of the page yields which is wired as `streamed`."""

    async def collect() -> list[Any]:
        return [each async for each in stream]

    return list(in_a_thread(collect))
