"""The modes do what they say: a few fixed cases of what `make obey` asks a hundred of.

The floors are for these few cases, some below what they reach, because another processor rounds otherwise. What has no
floor is not claimed yet; MODEL_CARD.md says how far it is.
"""

from pathlib import Path

import pytest

from ltx_studio.engine import Engine
from ltx_studio.settings import Settings
from tools.obey.modes import MODES
from tools.obey.studio import Studio
from tools.obey.ways import WAYS

FAMILIES = {family.name: family for family in (*MODES, *WAYS)}
CASES = {"t2v: directions": 4, "i2v": 2, "keyframe": 2}
FLOORS: dict[str, dict[str, float]] = {
    "t2v: directions": {"background": 0.75, "colour": 0.75, "direction": 0.75, "pitch or silence": 0.75},
    "i2v": {"frame 0": 24.0, "motion": 0.5},
    "keyframe": {"first frame": 22.0, "last frame": 21.0, "the middle is between": 0.5},
}
"""By family and line."""


@pytest.fixture(scope="module")
def studio(engine: Engine, settings: Settings) -> Studio:
    return Studio(settings, engine)


@pytest.mark.parametrize("name", FLOORS)
def test_it_obeys(studio: Studio, name: str, tmp_path: Path) -> None:
    family = FAMILIES[name]
    found = [family.ask(studio.render, number, CASES[name], tmp_path) for number in range(CASES[name])]
    rows = family.table(found)

    assert rows.keys() == FLOORS[name].keys()
    assert {line: row["reached"] for line, row in rows.items() if row["reached"] < FLOORS[name][line]} == {}
