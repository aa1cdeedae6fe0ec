"""The one way to stop a run: a token that any thread may set, once and for all."""

import threading


class CancelToken:
    """Ask a run to stop. Setting it before the run begins is as good as setting it in the middle."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout: float) -> bool:
        """Sleep for up to `timeout` seconds; True as soon as the token is set."""
        return self._event.wait(timeout)
