"""Presets, the negative prompt and LoRAs do what they say: a case of what `make obey` asks more of.

The floors are for this case, some below what it reaches, because another processor rounds otherwise.
"""

import pytest

from lab.obey.ways import HALVES, NEGATIVE, WAYS
from lab.tests.obey.conftest import Short


def halves(*floors: float) -> dict[str, float]:
    return dict(zip(HALVES, floors, strict=True))


FLOORS: dict[str, dict[str, float]] = {
    "presets": {
        "fast is right": 1.0,
        "Fast beats the base model at its steps": 1.0,
        "balanced is right": 1.0,
        "quality is right": 1.0,
        "Draft is the same take": 1.0,
    },
    "negative prompt": dict.fromkeys(NEGATIVE, 1.0),
    "LoRA: camera static": halves(0.2, -0.02),
    "LoRA: camera dolly-in": halves(0.2, 0.3),
    "LoRA: camera dolly-out": halves(0.2, 0.3),
    "LoRA: camera dolly-left": halves(0.08, 0.15),
    "LoRA: camera dolly-right": halves(0.1, 0.04),
    "LoRA: camera jib-up": halves(0.12, 0.05),
    "LoRA: camera jib-down": halves(-0.05, 0.2),
    "LoRA: sketch": halves(0.25, 0.25),
    "LoRA: union": halves(0.05, 0.2),
    "LoRA: pose": halves(0.0, 0.3),
    "LoRA: detailer": halves(0.08, 0.1),
    "LoRA: distilled": halves(0.1, -0.1),
}
"""By family and line."""


def test_every_way_has_floors() -> None:
    assert FLOORS.keys() == {family.name for family in WAYS}


@pytest.mark.parametrize("name", FLOORS)
def test_it_obeys(short_of: Short, name: str) -> None:
    assert short_of(name, 1, FLOORS[name]) == {}
