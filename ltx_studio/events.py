"""What a run says while it works: small frozen values that may cross process borders.

A run is a stream of these. It ends with exactly one of `Finished`, `Failed`, `Cancelled`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

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
