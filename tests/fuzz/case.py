"""What a target is: how a case is drawn, and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from tests.fuzz.ground import Ground
from tests.fuzz.measure import Attempts
from tests.fuzz.values import Json, as_text


@dataclass(frozen=True, slots=True)
class Case:
    """One input: a file's bytes, and how its name ends."""

    suffix: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Attributes:
        act: Reads a case's file with it, and goes on with the result as the studio does.
        mutate: Draws a changed good file.
        strategy: Draws built ones.
    """

    act: Callable[[Path, Ground, Attempts], None]
    mutate: Callable[[Ground, Random], Case]
    strategy: Callable[[Ground], "st.SearchStrategy[Case]"]


def json_case(document: Json) -> Case:
    """Return a document as a file."""
    return Case(".json", as_text(document))
