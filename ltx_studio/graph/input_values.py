"""Checks of a value against an input's declaration, and descriptions of the values that it accepts."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from ltx_studio.graph.definitions import Input
from ltx_studio.graph.model_inputs import ENDINGS
from ltx_studio.graph.path_inputs import UPLOADS
from ltx_studio.graph.values import shown

NUMBERS: Mapping[str, Callable[[Any], float]] = {"INT": int, "FLOAT": float}
_MEDIA_FILES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".wav",
    ".mp3",
    ".flac",
    ".ogg",
    ".m4a",
    ".mp4",
    ".mov",
    ".webm",
)
"""Suffixes of media files. Which files exist changes daily, so the snapshot's list of them is meaningless."""

_MOST_CHOICES = 6


def fits(item: Input, value: Any) -> bool:
    """Return whether ComfyUI would accept the literal `value` for the input `item`.

    File names always fit: whether the file exists is checked elsewhere.
    """
    if item.kind in NUMBERS:
        number = as_number(value, item.kind)
        low, high = limits_of(item)
        return number is not None and low <= number <= high
    if item.kind == "STRING":
        return not isinstance(value, list | Mapping)
    if (item.kind == "COMBO" and not item.options.get("multiselect")) or item.is_dynamic:
        return not item.choices or _names_file(item, value) or value in item.choices
    return True


def limits_of(item: Input) -> tuple[float, float]:
    """Return the smallest and the largest number that an input accepts."""
    return item.options.get("min", -math.inf), item.options.get("max", math.inf)


def wanted(item: Input) -> str:
    """Return what an input accepts, worded for an error's remedy: ``a number from 0 to 10``."""
    if item.kind in NUMBERS:
        low, high = limits_of(item)
        if math.isinf(low) and math.isinf(high):
            return "a number"
        return f"a number from {low} to {high}"
    if item.choices:
        more = ", …" if len(item.choices) > _MOST_CHOICES else ""
        return "one of: " + ", ".join(shown(str(choice)) for choice in item.choices[:_MOST_CHOICES]) + more
    return {"STRING": "text", "BOOLEAN": "true or false"}.get(item.kind, f"a value of type {item.kind}")


def example(item: Input) -> Any:
    """Return a value that an input accepts: its default if there is one."""
    default = item.default
    if default is not None and fits(item, default):
        return default
    if item.kind in NUMBERS:
        low, high = limits_of(item)
        return low if not math.isinf(low) else high if not math.isinf(high) else 0
    return item.choices[0] if item.choices else ""


def as_number(value: Any, kind: str) -> float | None:
    """Return the number that ComfyUI would make of a value for an INT or a FLOAT; None if it would fail."""
    try:
        return NUMBERS[kind](value)
    except (TypeError, ValueError, OverflowError):
        return None


def _names_file(item: Input, value: Any) -> bool:
    if isinstance(value, str) and any(item.options.get(known_by) for known_by in UPLOADS):
        return True  # includes ``a.png [input]``, and formats that the list lacks
    return str(value)[-20:].lower().endswith(ENDINGS + _MEDIA_FILES)
