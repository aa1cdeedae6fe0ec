"""What a run says while it works: small frozen values that cross process borders, see `to_dict`.

A run is a stream of these. It ends with exactly one of `Finished`, `Failed`, `Cancelled`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from ltx_studio.errors import StudioError


@dataclass(frozen=True, slots=True)
class Waiting:
    """It has not begun: ComfyUI is starting, another run holds the device, or the hub is asked about files.

    `note` is what makes it take longer, if anything.
    """

    reason: Literal["start", "lane", "hub"]
    note: str = ""


FetchPhase: TypeAlias = Literal["queued", "waiting", "checking", "fetching", "retrying", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Fetching:
    """A model file on its way. Counts of bytes never go back, also when something is fetched a second time.

    Attributes:
        file: Its key, ``folder/name``.
        phase: ``waiting`` is for another program that fetches the same file, ``retrying`` for a pause after a fault.
        done: Bytes of the file that are here.
        size: Bytes of the whole file, as the hub says.
        all_done: Bytes of all files that were asked for.
        all_size: Bytes that all of them have.
        note: What went wrong, when it is tried again or has failed.
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
        graph: API format, id → node.
    """

    graph: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Started:
    """The run holds the device.

    Attributes:
        run_id: Names the run in logs and files.
        nodes: How many nodes the graph has.
        cached: How many of them are still warm from an earlier run and are not executed.
    """

    run_id: str
    nodes: int
    cached: int


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """Phase `index` of `count` (from 0) begins. Phases that are wholly cached are skipped."""

    id: str
    label: str
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Step:
    """Step `step` of `total` (from 1) of stage `stage` is done."""

    phase: str
    step: int
    total: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The forming clip after `step` of stage `stage`: one JPEG for each latent frame."""

    phase: str
    step: int
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new, but the run is alive; `elapsed` seconds since it was asked for."""

    elapsed: float


@dataclass(frozen=True, slots=True)
class Output:
    """A whole file that the run made, in its folder in staging; `node` is the title of the node that saved it."""

    path: Path
    node: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is done; `seconds` from the start of the graph to its end.

    The files belong to whoever reads this, and so does removing the run's folder: see `engine/run_folders.py`.
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
    """Return an event as built-in types, with its class's name under ``type``. The pictures of a preview stay bytes."""
    return {"type": type(event).__name__, **{each.name: _plain(getattr(event, each.name)) for each in fields(event)}}


def from_dict(plain: Mapping[str, Any]) -> Event:
    """Return what `to_dict` gave; what this studio does not know of it is passed over.

    Raises:
        ValueError: There is no such event, or something is missing.
    """
    kind = KINDS.get(plain.get("type", ""))
    if kind is None:
        raise ValueError(f"there is no event {plain.get('type')!r}")
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
"""How an attribute is read that is no built-in type."""
