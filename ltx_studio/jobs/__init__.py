"""Jobs: what was asked for, carrying it to an engine, and the takes that come of it."""

from ltx_studio.jobs.runner import LocalRunner, new_job_id
from ltx_studio.jobs.spec import JobSpec
from ltx_studio.jobs.takes import Take, check_destination, export, measure

__all__ = ["JobSpec", "LocalRunner", "Take", "check_destination", "export", "measure", "new_job_id"]
