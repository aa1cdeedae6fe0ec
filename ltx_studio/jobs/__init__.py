"""Jobs: what was asked for, the queue, carrying it to an engine, and the takes that come of it."""

from ltx_studio.jobs.database import Database
from ltx_studio.jobs.desk import LOCAL, Desk
from ltx_studio.jobs.lookout import Line
from ltx_studio.jobs.own import OwnSpec
from ltx_studio.jobs.queue import Job, Queue
from ltx_studio.jobs.runner import LocalRunner
from ltx_studio.jobs.spec import JobSpec
from ltx_studio.jobs.specs import Spec
from ltx_studio.jobs.states import Cancelled, Done, Failed, Progress, Queued, Running, State
from ltx_studio.jobs.takes import Take, check_destination, export, measure

__all__ = [
    "LOCAL",
    "Cancelled",
    "Database",
    "Desk",
    "Done",
    "Failed",
    "Job",
    "JobSpec",
    "Line",
    "LocalRunner",
    "OwnSpec",
    "Progress",
    "Queue",
    "Queued",
    "Running",
    "Spec",
    "State",
    "Take",
    "check_destination",
    "export",
    "measure",
]
