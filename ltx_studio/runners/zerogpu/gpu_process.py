"""The entry into the GPU process: boots ComfyUI there, runs one graph, and yields plain dictionaries.

The process is forked from the studio's, and stays for later runs as long as the platform lets it. Only built-in types
cross the border: an object that could not be read there would block the platform's queue for 20 minutes. No exception
leaves it either: the platform would replace it by its class's name and end the process, with the loaded models.
"""

import dataclasses
import logging
import os
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Engine
from ltx_studio.errors import ExecutionError
from ltx_studio.events import Cancelled, Failed, Finished, to_dict
from ltx_studio.graph import Workflow
from ltx_studio.runners.protocol import UNWIND_SECONDS
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

PROCESS, MEMORY = "Process", "Memory"
"""The types of the dictionaries that are no events: the process's number, first; and readings of its memory."""

MEMORY_SECONDS = 1.0
"""The shortest time between two readings of the memory."""

LOOK_AFTER_PARENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """One run, as it is sent to the GPU process.

    Attributes:
        settings: The studio's settings.
        workflow: The graph, ready to run.
        job_id: Names the run; None for one whose files nobody will look for.
        fresh: Whether nothing cached by earlier runs may be used.
        seconds: The time to reserve on the GPU.
    """

    settings: Settings
    workflow: Workflow
    job_id: str | None
    fresh: bool
    seconds: int


def carry_out(order: Order) -> Iterator[dict[str, Any]]:
    """Run an order and yield what happens, as `to_dict` does; closing the iterator stops the run inside a step."""
    yield {"type": PROCESS, "pid": os.getpid()}
    try:
        yield from _events(order)
    except GeneratorExit:
        raise
    except BaseException as error:
        log.exception("a run ended unexpectedly in the GPU process")
        yield to_dict(Failed(ExecutionError.unexpected(error, details=traceback.format_exc())))


def _events(order: Order) -> Iterator[dict[str, Any]]:
    engine, cancel, read_at = _process.engine(order.settings), CancelToken(), 0.0
    events = engine.run(order.workflow, cancel, run_id=order.job_id, fresh=order.fresh)
    try:
        for event in events:
            if time.monotonic() - read_at > MEMORY_SECONDS or isinstance(event, Finished | Failed | Cancelled):
                read_at = time.monotonic()
                yield from _memory_of(engine)
            yield to_dict(event)
    finally:
        cancel.cancel()
        engine.wait_idle(UNWIND_SECONDS)  # the GPU is given back when this ends


def _memory_of(engine: Engine) -> Iterator[dict[str, Any]]:
    memory = engine.memory()
    if memory is not None:
        models = [list(each) for each in memory.models]
        yield {"type": MEMORY, **dataclasses.asdict(memory), "models": models}


class _Process:
    """What a GPU process keeps between runs."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._settings: Settings | None = None

    def engine(self, settings: Settings) -> Engine:
        """Return the engine of this process, warm after its first run."""
        if self._engine is None:
            threading.Thread(target=_end_with, args=(os.getppid(),), name="parent", daemon=True).start()
        if self._engine is None or self._settings != settings:
            self._engine, self._settings = Engine(settings), settings
        return self._engine


_process = _Process()


def _end_with(parent: int) -> None:
    """End this process when its parent has ended: it would hold the parent's locks and the GPU."""
    while os.getppid() == parent:
        time.sleep(LOOK_AFTER_PARENT_SECONDS)
    os._exit(1)
