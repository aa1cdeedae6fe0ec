"""What a run says while it works: small frozen values that may cross process borders.

A run is a stream of these. It ends with exactly one of `Finished`, `Failed`, `Cancelled`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ltx_studio.errors import StudioError


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run has not begun: ComfyUI is starting, or another run holds the device."""

    reason: Literal["start", "lane"]


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
class StageStarted:
    """Stage `index` of `count` (from 0) begins. Stages that are wholly cached are skipped."""

    id: str
    label: str
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Step:
    """Step `step` of `total` (from 1) of stage `stage` is done."""

    stage: str
    step: int
    total: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The forming clip after `step` of stage `stage`: one JPEG for each latent frame."""

    stage: str
    step: int
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing new, but the run is alive; `elapsed` seconds since it was asked for."""

    elapsed: float


@dataclass(frozen=True, slots=True)
class Output:
    """A whole file that the run made; `node` is the title of the node that saved it."""

    path: Path
    node: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is done; `seconds` from the start of the graph to its end."""

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
Event: TypeAlias = Waiting | Started | StageStarted | Step | Preview | Heartbeat | Output | Outcome
