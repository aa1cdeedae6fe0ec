"""The studio as a service: what the command line, the page and the API call, and the only thing below them they know.

It exports the types that interfaces need at run time, such as a job's states, so that they import no package below this
one. What is expensive to import comes on demand: a command that only lists takes needs no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ltx_studio.queue import (
    LOCAL,
    Done,
    Failed,
    Job,
    JobSpec,
    Progress,
    Queued,
    QueueSnapshot,
    Running,
    Spec,
    WorkflowSpec,
)
from ltx_studio.queue.download import Download
from ltx_studio.takes.disk_usage import Room
from ltx_studio.takes.history import Page
from ltx_studio.takes.records import TakeRecord

if TYPE_CHECKING:
    from ltx_studio.engine import Memory
    from ltx_studio.runners import Cost
    from ltx_studio.runners.cluster_state import WorkerState
    from ltx_studio.studio.models import Models
    from ltx_studio.studio.studio import Studio
    from ltx_studio.takes.estimates import Estimate
    from ltx_studio.takes.recipes import ModelUsed
    from ltx_studio.takes.replay import Comparison

__all__ = [
    "LOCAL",
    "Comparison",
    "Cost",
    "Done",
    "Download",
    "Estimate",
    "Failed",
    "Job",
    "JobSpec",
    "Memory",
    "ModelUsed",
    "Models",
    "Page",
    "Progress",
    "QueueSnapshot",
    "Queued",
    "Room",
    "Running",
    "Spec",
    "Studio",
    "TakeRecord",
    "WorkerState",
    "WorkflowSpec",
]

_ON_DEMAND = {
    "Comparison": "ltx_studio.takes.replay",
    "Cost": "ltx_studio.runners",
    "Estimate": "ltx_studio.takes.estimates",
    "Memory": "ltx_studio.engine",
    "ModelUsed": "ltx_studio.takes.recipes",
    "Models": "ltx_studio.studio.models",
    "Studio": "ltx_studio.studio.studio",
    "WorkerState": "ltx_studio.runners.cluster_state",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ON_DEMAND[name]), name)
