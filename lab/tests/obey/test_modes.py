"""The modes do what they say: a few fixed cases of what `make obey` asks a hundred of.

The floors are for these few cases, some below what they reach, because another processor rounds otherwise.
"""

import pytest
import torch

from lab.obey.modes import MODES
from lab.obey.scenes import edged, held_out
from lab.tests.obey.conftest import Short
from lab.world.controls import edges
from lab.world.draw import render
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import contrasts
from ltx_studio.engine import Engine

CASES = {"t2v: directions": 4, "t2v: rhythms": 3, "i2v": 2, "keyframe": 3, "a2v": 2, "style": 3}
"""Of families that are asked more than once."""
FLOORS: dict[str, dict[str, float]] = {
    "t2v: directions": {"background": 0.75, "colour": 0.75, "direction": 0.75, "pitch or silence": 0.75},
    "t2v: rhythms": {
        "background": 0.6,
        "colour": 0.6,
        "stays still": 1.0,
        "bounces": 1.0,
        "pulses": 1.0,
        "pitch or silence": 0.6,
        "beats in time": 0.5,
    },
    "i2v": {"frame 0": 24.0, "motion": 0.5},
    "keyframe": {"first frame": 22.0, "last frame": 21.0, "the middle is between": 0.5},
    "a2v": {"follows the sound": 0.45, "another sound, another picture": 0.5},
    "lipsync": {"mouth and loudness": 0.6, "outside of the mouth": 23.0, "the face alone, without its mouth": 17.0},
    "style": {
        "edges kept": 0.4,
        "colours": 0.6,
        "fails without the IC-LoRA": 0.6,
    },
}
"""By family and line."""


def test_style_is_asked_of_clips_in_which_canny_finds_edges(engine: Engine) -> None:
    pairs = [(one, other) for one in range(len(COLOURS)) for other in range(len(BACKGROUNDS)) if contrasts(one, other)]
    still = held_out(1, "edges", ("stays still",))
    scenes = still[torch.zeros(len(pairs), dtype=torch.long)].but(
        colour=torch.tensor([one for one, _ in pairs]), background=torch.tensor([other for _, other in pairs])
    )

    found = edges(render(scenes, 1, 128, 96)).amax((1, 2, 3, 4)) > 0

    assert found.equal(edged(scenes))


def test_every_mode_has_floors() -> None:
    assert FLOORS.keys() == {family.name for family in MODES}


@pytest.mark.parametrize("name", FLOORS)
def test_it_obeys(short_of: Short, name: str) -> None:
    assert short_of(name, CASES.get(name, 1), FLOORS[name]) == {}
