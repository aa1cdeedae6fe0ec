"""Every error a user can meet: what happened, where, and the one thing to do.

    StudioError
    ├── RequestError          the request cannot be carried out as given
    │   └── WorkflowError     a graph that the installed ComfyUI cannot run
    ├── SetupError            the installation is missing or broken
    ├── ModelMissingError     a model file is not where ComfyUI looks
    ├── DownloadError         a model file could not be fetched
    │   ├── GateError         its repository asks for consent or for a token
    │   └── DiskFullError     there is no room for it
    ├── BusyError             the engine is in the middle of a run
    ├── StoppedError          the user stopped it
    ├── GpuError              the host that lends GPUs did not run it
    │   ├── GpuQuotaError     the visitor's time on its GPUs is used up
    │   ├── GpuDurationError  it needs more time than the visitor may have at once
    │   ├── NoGpuError        no GPU was free in time
    │   ├── GpuVisitError     the host no longer knows the visitor
    │   ├── GpuLostError      the process on the GPU ended before the run
    │   └── GpuTimeError      the run took longer than the time that was reserved
    └── ExecutionError        a node failed while it ran
        └── OutOfMemoryError  it ran out of memory

All of them survive pickling and `to_dict`, because they cross process borders (ZeroGPU, Ray, the database).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from string import Formatter
from typing import Any, ClassVar, Self

from ltx_studio.advice import OTHERWISE, Advice, Do, shortened


class Remedy(StrEnum):
    """What the studio can do about an error when the user asks for it.

    `MAKE_ROOM` is not done at once: it leads the user to where old clips are deleted.
    """

    FETCH = "fetch"
    """Download the model files that the error names."""
    SMALLER = "smaller"
    """Render at half the width and height."""
    UNLOAD = "unload"
    """Unload every model from memory."""
    RETRY = "retry"
    """Repeat the same request: the cause may be gone."""
    MAKE_ROOM = "make_room"
    """Delete old clips, because the disk that they are on is full. The user chooses which."""


class StudioError(Exception):
    """An error that is shown to the user.

    Args:
        message: What happened, in one sentence.
        hint: The remedy, in a plain sentence without options, commands or buttons.
        advice: The remedy as data, for each interface to word; see `hint_in`.
        where: The node, file or step that failed; empty if the message names it.
        details: Information for developers, such as a traceback. Shown only on request.
        remedies: What the studio can do about it, in the order of `Remedy`.
        files: The keys of the model files for `Remedy.FETCH`.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        hint: str,
        *,
        advice: Advice | None = None,
        where: str = "",
        details: str = "",
        remedies: Sequence[Remedy] = (),
        files: Sequence[str] = (),
    ) -> None:
        message, hint = shortened(message), shortened(hint)
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.advice = advice
        self.where = where
        self.details = details
        self.remedies = tuple(remedies)
        self.files = tuple(files)

    def __reduce__(self) -> tuple[Any, ...]:
        values = (self.message, self.hint, self.where, self.details, self.remedies, self.files, self.advice)
        return _rebuild, (type(self), *values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StudioError) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__()[1])

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the same error with other file names in its message, hint, advice and place.

        Args:
            names: Current name → new name.
        """

        def rename(text: str) -> str:
            for before, after in names.items():
                text = text.replace(before, after)
            return text

        return self.changed(rename)

    def changed(self, change: Callable[[str], str]) -> Self:
        """Return the same error with its message, hint, advice and place changed."""
        return type(self)(
            change(self.message),
            change(self.hint),
            advice=self.advice and self.advice.changed(change),
            where=change(self.where),
            details=self.details,
            remedies=self.remedies,
            files=self.files,
        )

    def without(self, remedy: Remedy) -> Self:
        """Return the same error without one of its remedies."""
        made = self.changed(lambda text: text)
        made.remedies = tuple(each for each in self.remedies if each is not remedy)
        return made

    def hint_in(
        self, words: Mapping[Do, str], formatter: Formatter | None = None, *, otherwise: str = OTHERWISE
    ) -> str:
        """Return the remedy in the words of an interface, or the plain hint if it has none. See `Advice.worded`."""
        advised = (
            self.advice.worded(words, formatter=formatter, joined=otherwise, files=self.files) if self.advice else ""
        )
        return advised or self.hint

    def to_dict(self) -> dict[str, Any]:
        """Return the whole error as built-in types, for JSON and other processes."""
        return {
            "type": type(self).__name__,
            **self.as_dict(),
            "advice": self.advice and self.advice.to_dict(),
            "where": self.where,
            "details": self.details,
            "remedies": [remedy.value for remedy in self.remedies],
            "files": list(self.files),
        }

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "StudioError":
        """Return the error that `to_dict` stored.

        Earlier studios stored no ``type`` and no ``advice``, and newer ones may store more: unknown values are
        ignored.
        """
        return _kind_of(stored)(
            stored["message"],
            stored["hint"],
            advice=Advice.from_dict(stored.get("advice")),
            where=stored["where"],
            details=stored["details"],
            remedies=[each for each in Remedy if each in stored.get("remedies", ())],
            files=stored.get("files", ()),
        )

    def as_dict(self) -> dict[str, str]:
        """Return the error for scripts: ``error`` (a stable code), ``message``, ``hint``."""
        return {"error": self.code, "message": self.message, "hint": self.hint}

    @classmethod
    def unexpected(cls, error: BaseException, *, details: str = "") -> Self:
        """Wrap an unforeseen exception; pass its traceback as ``details``."""
        return cls(
            f"Something unexpected went wrong: {type(error).__name__}: {error}",
            "Try again. If it happens again, report it with the studio's log.",
            details=details,
        )


def _kinds(kind: type[StudioError]) -> Iterator[type[StudioError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


def _kind_of(stored: Mapping[str, Any]) -> type[StudioError]:
    """Return the class with the stored name, or else the first one with the stored code."""
    kinds = list(_kinds(StudioError))
    named = (kind for kind in kinds if kind.__name__ == stored.get("type"))
    coded = (kind for kind in kinds if kind.code == stored["error"])
    return next(named, None) or next(coded, StudioError)


def _rebuild(
    cls: type[StudioError],
    message: str,
    hint: str,
    where: str,
    details: str,
    remedies: tuple[Remedy, ...],
    files: tuple[str, ...],
    advice: Advice | None,
) -> StudioError:
    return cls(message, hint, advice=advice, where=where, details=details, remedies=remedies, files=files)


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


class GpuError(StudioError):
    code = "gpu"


class GpuQuotaError(GpuError):
    code = "gpu_quota"


class GpuDurationError(GpuError):
    code = "gpu_duration"


class NoGpuError(GpuError):
    code = "gpu_busy"


class GpuVisitError(GpuError):
    code = "gpu_visit"


class GpuLostError(GpuError):
    code = "gpu_lost"


class GpuTimeError(GpuError):
    code = "gpu_time"
