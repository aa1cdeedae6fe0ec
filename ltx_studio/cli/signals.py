"""Ctrl+C during a run: the first one stops it cleanly, the second one ends the process at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ltx_studio.cancel import CancelToken

TOLD_SECONDS = 1.0
"""How long to wait for the message about the stop to be written; nobody may be reading."""


@contextmanager
def stop_on_signal(cancel: CancelToken, tell: Callable[[str], None]) -> Iterator[None]:
    """Set `cancel` at the first SIGINT or SIGTERM, and pass a message about it to `tell`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def work() -> None:
        cancel.cancel()
        tell("Stopping … (press Ctrl+C again to quit at once)")

    # not in the handler: this thread may be waiting for the token and hold the lock that setting it needs, or be in the
    # middle of writing, and Python does not let a handler write into that
    stopping = threading.Thread(target=work, daemon=True)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for each in previous:
            signal.signal(each, signal.SIG_DFL)
        stopping.start()

    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in previous:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        if stopping.ident is not None:
            stopping.join(TOLD_SECONDS)
