"""The events of a run: small frozen values that cross process borders, see `to_dict`.

A run is a stream of these. It ends with exactly one of `Finished`, `Failed`, `Cancelled`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from ltx_studio.errors import StudioError


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run has not started: ComfyUI is starting, another run holds the device, a GPU is asked for, the worker that
    ran it was lost, the hub is asked about files, or another download into the same cache runs.

    `note` is the reason for a longer wait, if there is one.
    """

    reason: Literal["start", "lane", "gpu", "lost", "hub", "download"]
    note: str = ""


FetchPhase: TypeAlias = Literal["queued", "waiting", "checking", "fetching", "retrying", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Fetching:
    """The progress of a model file's download. Byte counts never decrease, even if something is fetched twice.

    Attributes:
        file: The file's key, ``folder/name``.
        phase: ``waiting`` is for another program that fetches the same file, ``retrying`` for a pause after an error.
        done: Bytes of the file that are here.
        size: Bytes of the whole file, as reported by the hub.
        all_done: Bytes of all requested files that are here.
        all_size: Bytes of all requested files.
        note: What went wrong, if the file is retried or has failed.
    """

    file: str
    phase: FetchPhase
    done: int
    size: int
    all_done: int
    all_size: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The files of a request are ready, and its graph is built.

    Attributes:
        graph: The graph in API format, id → node.
    """

    graph: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Started:
    """The run holds the device.

    Attributes:
        run_id: Names the run in logs and files.
        nodes: How many nodes the graph has.
        cached: How many of them are cached from an earlier run and are not executed.
    """

    run_id: str
    nodes: int
    cached: int


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """Phase `index` of `count` (from 0) begins. Phases that are entirely cached are skipped."""

    id: str
    label: str
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Step:
    """Step `step` of `total` (from 1) of phase `phase` is done."""

    phase: str
    step: int
    total: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The live preview after `step` of phase `phase`: one JPEG for each latent frame."""

    phase: str
    step: int
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new, but the run is alive; `elapsed` seconds since it was requested."""

    elapsed: float


@dataclass(frozen=True, slots=True)
class Output:
    """A complete file that the run made, in its folder in staging; `node` is the title of the node that saved it."""

    path: Path
    node: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is done; `seconds` is the time from the start of the graph to its end.

    The files belong to the reader of this event, and so does removing the run's folder: see `engine/run_folders.py`.
    """

    outputs: tuple[Output, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ended with an error and left no output."""

    error: StudioError


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The run was stopped and left no output."""


Outcome: TypeAlias = Finished | Failed | Cancelled
Event: TypeAlias = (
    Waiting | Fetching | Prepared | Started | PhaseStarted | Step | Preview | Heartbeat | Output | Outcome
)

KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
"""Every class of event, by its name."""


def to_dict(event: Event) -> dict[str, Any]:
    """Return an event as built-in types, with its class's name under ``type``. The JPEGs of a preview stay bytes."""
    return {"type": type(event).__name__, **{each.name: _plain(getattr(event, each.name)) for each in fields(event)}}


def from_dict(plain: Mapping[str, Any]) -> Event:
    """Return the event that `to_dict` stored; unknown values are ignored.

    Raises:
        ValueError: The event does not exist, or a value is missing.
    """
    kind = KINDS.get(plain.get("type", ""))
    if kind is None:
        raise ValueError(f"unknown event {plain.get('type')!r}")
    known = {each.name: plain[each.name] for each in fields(kind) if each.name in plain}
    try:
        return kind(**{name: _READ.get((kind, name), _as_it_is)(value) for name, value in known.items()})
    except (TypeError, LookupError) as error:
        raise ValueError(f"the event {kind.__name__} cannot be read: {error}") from error


def _plain(value: Any) -> Any:
    match value:
        case Path():
            return str(value)
        case StudioError():
            return value.to_dict()
        case Output():
            return to_dict(value)
        case tuple():
            return [_plain(each) for each in value]
    return value


def _as_it_is(value: Any) -> Any:
    return value


_READ: Mapping[tuple[type[Event], str], Callable[[Any], Any]] = {
    (Preview, "frames"): tuple,
    (Output, "path"): Path,
    (Finished, "outputs"): lambda outputs: tuple(map(from_dict, outputs)),
    (Failed, "error"): StudioError.from_dict,
}
"""How to read the attributes that are not of a built-in type."""
