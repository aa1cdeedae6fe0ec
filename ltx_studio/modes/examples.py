"""Examples of modes: prompts, and small files to use with them, which `python -m tools.examples` draws."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "example_files"

SHORT: Mapping[str, Any] = {"seconds": 2.0}
LONG: Mapping[str, Any] = {"seconds": 5.0}


@dataclass(frozen=True, slots=True)
class Example:
    """A request that can be submitted unchanged.

    Attributes:
        label: A few words that describe it.
        values: The mode's own parameters; files as paths in the package, of which a page serves copies.
        for_pocket: Whether the pocket preview can do it. The others are for the real model.
    """

    label: str
    values: Mapping[str, Any]
    for_pocket: bool = True


def real(label: str, prompt: str, **values: Any) -> Example:
    """Return an example for the real model."""
    return Example(label, {"prompt": prompt, **values}, for_pocket=False)
