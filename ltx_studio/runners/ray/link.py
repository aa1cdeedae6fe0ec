"""The connection to one worker, wherever it is."""

from collections.abc import Mapping
from typing import Any, Protocol


class WorkerLostError(Exception):
    """The worker's process or its machine is gone."""


class EventStream(Protocol):
    """What a worker tells of a run."""

    def next(self, timeout: float) -> Mapping[str, Any] | None:
        """Return the next dictionary; None if none comes within `timeout` seconds.

        Raises:
            StopIteration: The stream is over.
            WorkerLostError: The worker is lost.
        """
        ...


class Link(Protocol):
    """The connection to one worker. Its methods may be called in any thread."""

    def look(self) -> Mapping[str, Any] | None:
        """Return a newer result of `ClusterWorker.describe`, or None if there is none yet. Does not wait.

        Raises:
            WorkerLostError: The worker is lost.
        """
        ...

    def ask(self, method: str, *given: Any, timeout: float) -> Any:
        """Call a method of the worker and return its result.

        Raises:
            TimeoutError: It takes longer than `timeout` seconds.
            WorkerLostError: The worker is lost.
            StudioError: The method raised it.
        """
        ...

    def tell(self, method: str, *given: Any) -> None:
        """Call a method of the worker, and wait neither for its result nor for its errors."""
        ...

    def stream(self, method: str, *given: Any) -> EventStream:
        """Call a method of the worker that tells of a run: `ClusterWorker.run` or `ClusterWorker.deliver`."""
        ...

    def kill(self) -> None:
        """End the worker's process at once."""
        ...
