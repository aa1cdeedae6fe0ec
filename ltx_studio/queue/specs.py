"""What a job may ask for: something that a mode does, or a workflow of the user's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ltx_studio.errors import RequestError
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.workflow_spec import WorkflowSpec

Spec: TypeAlias = JobSpec | WorkflowSpec


def read_spec(stored: Mapping[str, Any], folder: Path) -> Spec:
    """Read what ``as_dict`` of either class returned; its files must be in `folder`.

    Raises:
        RequestError: There is no such mode or preset, or it is of another version, or was edited, or damaged.
    """
    if not isinstance(stored.get("params"), Mapping):
        raise RequestError("The request cannot be read: its row in the database is damaged.", "Submit it again.")
    try:
        kind: type[JobSpec] | type[WorkflowSpec] = WorkflowSpec if stored["mode"] == WorkflowSpec.mode else JobSpec
        return kind.from_dict(stored, folder)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RequestError(
            "It was asked for something that this studio does not know.", "It may be of a newer studio: update it.",
            details=str(error),
        ) from None  # fmt: skip
