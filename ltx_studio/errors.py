"""Every error a user can meet: what happened, where, and the one thing to do.

    StudioError
    ├── RequestError          what was asked for cannot be made as asked
    │   └── WorkflowError     a graph that the installed ComfyUI cannot run
    ├── SetupError            the installation is missing or broken
    ├── ModelMissingError     a model file is not where ComfyUI looks
    ├── DownloadError         a model file could not be fetched
    │   ├── GateError         its repository asks for consent or for a token
    │   └── DiskFullError     there is no room for it
    ├── BusyError             the engine is in the middle of a run
    ├── StoppedError          the user stopped it
    └── ExecutionError        a node failed while it ran
        └── OutOfMemoryError  it failed for want of memory

All of them survive pickling, because they cross process borders (ZeroGPU, Ray).
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self


class StudioError(Exception):
    """Something a user is told about.

    Args:
        message: What happened, in one sentence.
        hint: The one thing to do about it.
        where: The node, file or step it happened in; empty when the message says it.
        details: What a developer would want, such as a traceback. Never shown unasked.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str, *, where: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.where, self.details)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StudioError) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__()[1])

    def store(self) -> dict[str, str]:
        """All of it, for `restore`."""
        return {**self.as_dict(), "where": self.where, "details": self.details}

    @staticmethod
    def restore(stored: Mapping[str, str]) -> "StudioError":
        """What `store` gave; of a kind that this studio does not know it is a plain one."""
        kinds = {kind.code: kind for kind in _kinds(StudioError)}
        kind = kinds.get(stored["error"], StudioError)
        return kind(stored["message"], stored["hint"], where=stored["where"], details=stored["details"])

    def as_dict(self) -> dict[str, str]:
        """The error as scripts read it: ``error`` (a stable code), ``message``, ``hint``."""
        return {"error": self.code, "message": self.message, "hint": self.hint}

    @classmethod
    def unexpected(cls, error: BaseException, *, details: str = "") -> Self:
        """Wrap an exception that nobody foresaw; the traceback belongs into ``details``."""
        return cls(
            f"Something unexpected went wrong: {type(error).__name__}: {error}",
            "Look into the studio's log for the traceback, and report it with that.",
            details=details,
        )


def _kinds(kind: type[StudioError]) -> Iterator[type[StudioError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


def _rebuild(cls: type[StudioError], message: str, hint: str, where: str, details: str) -> StudioError:
    return cls(message, hint, where=where, details=details)


class RequestError(StudioError):
    code = "request"
    exit_code = 2


class WorkflowError(RequestError):
    code = "workflow"


class SetupError(StudioError):
    code = "setup"


class ModelMissingError(StudioError):
    code = "model_missing"


class DownloadError(StudioError):
    code = "download"


class GateError(DownloadError):
    code = "gated"


class DiskFullError(DownloadError):
    code = "disk_full"


class BusyError(StudioError):
    code = "busy"


class StoppedError(StudioError):
    code = "cancelled"


class ExecutionError(StudioError):
    code = "execution"


class OutOfMemoryError(ExecutionError):
    code = "out_of_memory"
