"""The kinds of request that a job can hold: one for a mode, or the user's workflow."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from ltx_studio.errors import RequestError
from ltx_studio.models import get_registry
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings

Spec: TypeAlias = JobSpec | WorkflowSpec


def read_spec(stored: Mapping[str, Any], settings: Settings) -> Spec:
    """Return the spec that ``as_dict`` of either class stored; its files are the studio's copies.

    Raises:
        RequestError: The mode, preset or model set does not exist, or the row is of another version, edited or damaged.
    """
    if not isinstance(stored.get("params"), Mapping):
        raise RequestError("The request cannot be read: its row in the database is damaged.", "Submit it again.")
    try:
        kind: type[JobSpec] | type[WorkflowSpec] = WorkflowSpec if stored["mode"] == WorkflowSpec.mode else JobSpec
        return kind.from_dict(stored, settings.kept_dir, get_registry(settings))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RequestError(
            "The request uses something that this version does not support.",
            "It may come from a newer version: update the studio.",
            details=str(error),
        ) from None  # fmt: skip
