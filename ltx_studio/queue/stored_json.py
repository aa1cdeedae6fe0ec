"""Read the JSON in database rows; a damaged or hand-edited row must not break anything else."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import StudioError
from ltx_studio.queue.states import STORED, Progress

FIGURES = ("width", "height", "frames", "fps")
"""The measurements of a clip, in pixels, frames, and frames per second."""


def object_of(text: object) -> dict[str, Any] | None:
    """Return the JSON object in a column, or None."""
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def request_of(text: object) -> dict[str, Any] | None:
    """Return a request or a recipe, which has an object ``params``, or None if it is damaged."""
    found = object_of(text)
    return found if found is not None and isinstance(found.get("params"), dict) else None


def measured_of(text: object) -> dict[str, Any]:
    """Return a take's measurements, without damaged ones."""
    found = object_of(text) or {}
    kept = {name: value for name, value in found.items() if name not in FIGURES or is_number(value)}
    stages = found.get("stages")
    kept["stages"] = [each for each in stages if isinstance(each, dict)] if isinstance(stages, list) else []
    kept["seconds"] = found["seconds"] if is_number(found.get("seconds")) else 0.0
    return kept


def tags_of(text: object) -> tuple[str, ...]:
    """Return a take's tags."""
    found = object_of(f'{{"tags": {text}}}') or {}
    tags = found.get("tags")
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def progress_of(text: object) -> Progress:
    """Return the progress of a run; empty if it is damaged."""
    found = object_of(text) or {}
    stored = {each.name: STORED.get(each.name, each.name) for each in fields(Progress)}
    values = {name: found[key] for name, key in stored.items() if key in found}
    numbers = (value for name, value in values.items() if name != "phase")
    if not isinstance(values.get("phase", ""), str) or not all(is_number(value) for value in numbers):
        return Progress()
    return Progress(**values)


def error_of(text: object) -> StudioError:
    """Return the error that a job failed with."""
    try:
        return StudioError.from_dict(_texts(object_of(text) or {}))
    except (LookupError, TypeError):
        return StudioError("The job failed. The reason was lost.", "Retry it.", advice=Advice.to(Do.RETRY_JOB))


def _texts(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    if not all(isinstance(stored[name], str) for name in ("error", "message", "hint", "where", "details")):
        raise TypeError
    return stored


def is_number(value: object) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
