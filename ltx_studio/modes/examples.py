"""Examples of modes: what to write, and small files to try it with, which `python -m tools.examples` draws."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "example_files"

SHORT: Mapping[str, Any] = {"seconds": 2.0}
LONG: Mapping[str, Any] = {"seconds": 5.0}


@dataclass(frozen=True, slots=True)
class Example:
    """One request that can be submitted as it is.

    Attributes:
        label: What it shows, in a few words.
        values: The mode's own parameters; files as paths in the package, which a page hands out as copies.
        for_pocket: Whether the pocket preview knows such a thing. The others show what the real model is for.
    """

    label: str
    values: Mapping[str, Any]
    for_pocket: bool = True


def real(label: str, prompt: str, **values: Any) -> Example:
    """Return an example for the real model."""
    return Example(label, {"prompt": prompt, **values}, for_pocket=False)
