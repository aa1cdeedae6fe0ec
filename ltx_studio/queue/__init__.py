"""The queue: requests, and the jobs that wait, run and end, in one SQLite database."""

from ltx_studio.queue.database import Database
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.queue import LOCAL, Queue
from ltx_studio.queue.snapshot import QueueSnapshot
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.states import Cancelled, Done, Failed, Progress, Queued, Running, State
from ltx_studio.queue.workflow_spec import WorkflowSpec

__all__ = [
    "LOCAL",
    "Cancelled",
    "Database",
    "Done",
    "Failed",
    "Job",
    "JobSpec",
    "Progress",
    "Queue",
    "QueueSnapshot",
    "Queued",
    "Running",
    "Spec",
    "State",
    "WorkflowSpec",
]
