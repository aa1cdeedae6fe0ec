"""The one way to stop a run: a token that any thread may set, and nobody can reset."""

import threading


class CancelToken:
    """A request to stop a run. It may be set before the run starts or at any time during it."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout: float) -> bool:
        """Sleep for up to `timeout` seconds; return True as soon as the token is set."""
        return self._event.wait(timeout)
