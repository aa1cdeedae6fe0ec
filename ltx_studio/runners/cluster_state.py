"""What is known of the workers of a cluster, in a file of the studio's home for other processes to read."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltx_studio.fileio import whole
from ltx_studio.settings import Settings

NAME = "cluster.json"

STALE_SECONDS = 60.0
"""The age at which what was written counts as left by a studio that was killed. It is written each second."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker of a cluster.

    Attributes:
        name: The machine, and the number of the worker on it: ``render-2/1``.
        device: ComfyUI's name of its device; empty while ComfyUI starts.
        used: Bytes of the device's memory in use.
        total: Bytes of the device's memory.
        job: The id of the job that it runs; empty if it is free.
        model_set: The id of the model set that its last job used, which is still loaded; empty if there is none.
        heard: When it last answered, in seconds since the epoch.
        problem: Why it gets no jobs; empty if it does.
    """

    name: str
    device: str = ""
    used: int = 0
    total: int = 0
    job: str = ""
    model_set: str = ""
    heard: float = 0.0
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the worker for JSON."""
        return asdict(self)


def write_states(settings: Settings, states: Iterable[WorkerState]) -> None:
    """Replace what other processes read.

    Raises:
        OSError: The file cannot be written.
    """
    path = _file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial:
        partial.write_text(json.dumps([state.as_dict() for state in states]), encoding="utf-8")


def read_states(settings: Settings) -> tuple[WorkerState, ...]:
    """Return the workers of the studio that serves this home; none if it has no cluster, or the file is damaged."""
    try:
        if time.time() - _file(settings).stat().st_mtime > STALE_SECONDS:
            return ()
        stored = json.loads(_file(settings).read_text(encoding="utf-8"))
        return tuple(WorkerState(**state) for state in stored)
    except (OSError, ValueError, TypeError):
        return ()


def forget_states(settings: Settings) -> None:
    """Remove what other processes read: there is no cluster any more."""
    _file(settings).unlink(missing_ok=True)


def _file(settings: Settings) -> Path:
    return settings.workers_dir / NAME
