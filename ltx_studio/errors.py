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

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Self


class Remedy(StrEnum):
    """What the studio itself can do about an error, when it is asked to."""

    FETCH = "fetch"
    """Get the model files that the error names."""
    SMALLER = "smaller"
    """Make it at half the width and height."""
    UNLOAD = "unload"
    """Take every model out of memory."""
    RETRY = "retry"
    """Ask for the same again: what was in the way may be gone."""


LONGEST = 4_000
"""Characters of a message or a hint; what users bring may be quoted in it."""


class StudioError(Exception):
    """Something a user is told about.

    Args:
        message: What happened, in one sentence.
        hint: The one thing to do about it.
        where: The node, file or step it happened in; empty when the message says it.
        details: What a developer would want, such as a traceback. Never shown unasked.
        remedies: What the studio can do about it, in the order of `Remedy`.
        files: Keys of the model files that `Remedy.FETCH` is about.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        hint: str,
        *,
        where: str = "",
        details: str = "",
        remedies: Sequence[Remedy] = (),
        files: Sequence[str] = (),
    ) -> None:
        message, hint = _shortened(message), _shortened(hint)
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.details = details
        self.remedies = tuple(remedies)
        self.files = tuple(files)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (
            type(self), self.message, self.hint, self.where, self.details, self.remedies, self.files
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StudioError) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__()[1])

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the same error with other names of files in its message, hint and place.

        Args:
            names: Name now → name then.
        """
        texts = [self.message, self.hint, self.where]
        for before, after in names.items():
            texts = [text.replace(before, after) for text in texts]
        message, hint, where = texts
        return type(self)(message, hint, where=where, details=self.details, remedies=self.remedies, files=self.files)

    def store(self) -> dict[str, Any]:
        """All of it as JSON, for `restore`."""
        said = {**self.as_dict(), "where": self.where, "details": self.details}
        return {**said, "remedies": list(self.remedies), "files": list(self.files)}

    @staticmethod
    def restore(stored: Mapping[str, Any]) -> "StudioError":
        """What `store` gave; kind and remedies that this studio does not know are passed over."""
        kinds = {kind.code: kind for kind in _kinds(StudioError)}
        kind = kinds.get(stored["error"], StudioError)
        return kind(
            stored["message"],
            stored["hint"],
            where=stored["where"],
            details=stored["details"],
            remedies=[each for each in Remedy if each in stored.get("remedies", ())],
            files=stored.get("files", ()),
        )

    def as_dict(self) -> dict[str, str]:
        """The error as scripts read it: ``error`` (a stable code), ``message``, ``hint``."""
        return {"error": self.code, "message": self.message, "hint": self.hint}

    @classmethod
    def unexpected(cls, error: BaseException, *, details: str = "") -> Self:
        """Wrap an exception that nobody foresaw; the traceback belongs into ``details``."""
        return cls(
            f"Something unexpected went wrong: {type(error).__name__}: {error}",
            "Report it with the traceback from the studio's log.",
            details=details,
        )


def _shortened(text: str) -> str:
    """Return a text with its middle left out when it is longer than `LONGEST`."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half + 3 :]}"


def _kinds(kind: type[StudioError]) -> Iterator[type[StudioError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


def _rebuild(
    cls: type[StudioError],
    message: str,
    hint: str,
    where: str,
    details: str,
    remedies: tuple[Remedy, ...],
    files: tuple[str, ...],
) -> StudioError:
    return cls(message, hint, where=where, details=details, remedies=remedies, files=files)


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
