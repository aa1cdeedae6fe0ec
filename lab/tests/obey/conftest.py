"""Asking a family a few of its cases."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lab.obey.renderer import Renderer
from lab.obey.table import FAMILIES
from ltx_studio.engine import Engine
from ltx_studio.settings import Settings

Floors = Mapping[str, float]
Short = Callable[[str, int, Floors], dict[str, float]]


@pytest.fixture
def short_of(engine: Engine, settings: Settings, tmp_path: Path) -> Short:
    """From a family, how many of its first cases, and floors to the lines that do not reach theirs."""
    renderer = Renderer(settings, engine)

    def ask(name: str, cases: int, floors: Floors) -> dict[str, float]:
        family = FAMILIES[name]
        rows = family.table([family.ask(renderer.render, number, cases, tmp_path) for number in range(cases)])
        assert rows.keys() == floors.keys(), "every line has a floor"
        return {line: row["reached"] for line, row in rows.items() if row["reached"] < floors[line]}

    return ask
