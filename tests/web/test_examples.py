"""The examples of each mode can be handed in as they are, and come with the package."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lab.world.words import SYNONYMS
from ltx_studio.engine import Engine
from ltx_studio.events import Finished
from ltx_studio.families.ltx_2_3 import DRAFT
from ltx_studio.modes import MODES
from ltx_studio.modes.examples import FILES, Example
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.takes import measure
from tests.support import MODEL_SETS, carried_out, outcome_of
from tools.examples import draw

ALL = [(mode, example) for mode in MODES for example in MODES[mode].examples]
MOST_BYTES = 600_000


def ids(value: object) -> str:
    return value.label if isinstance(value, Example) else str(value)


@pytest.mark.parametrize(("mode", "example"), ALL, ids=ids)
def test_every_example_is_accepted(mode: str, example: Example) -> None:
    spec = JobSpec.from_request(mode, example.values, MODEL_SETS["pocket"])

    assert spec.params.prompt == example.values["prompt"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_some_for_the_preview_and_one_for_the_real_model(mode: str) -> None:
    known = [example.for_pocket for example in MODES[mode].examples]

    assert known.count(True) in (3, 4)
    assert known.count(False) >= 1
    assert known == sorted(known, reverse=True)
    assert len({example.label for example in MODES[mode].examples}) == len(known)


@pytest.mark.parametrize(("mode", "example"), [(mode, example) for mode, example in ALL if example.for_pocket], ids=ids)
def test_the_preview_knows_every_word_that_it_is_given(mode: str, example: Example) -> None:
    known = {*SYNONYMS, "a", "on", "background"}

    assert set(example.values["prompt"].split()) - known == set()


def test_every_file_is_used_is_drawn_by_the_command_and_all_are_small(tmp_path: Path) -> None:
    shipped = {path.name: path for path in FILES.iterdir()}
    used = {value.name for _, example in ALL for value in example.values.values() if isinstance(value, Path)}
    drawn = draw(tmp_path)

    assert used == shipped.keys() == {path.name for path in drawn}
    assert sum(path.stat().st_size for path in shipped.values()) < MOST_BYTES
    for path in drawn:
        if path.suffix == ".png":
            ours, again = (np.asarray(Image.open(each)).astype(int) for each in (shipped[path.name], path))
            assert np.abs(ours - again).max() <= 2, path.name


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("mode", MODES)
def test_the_first_one_of_each_mode_renders(mode: str, engine: Engine, settings: Settings) -> None:
    values = {**MODES[mode].examples[0].values, "seed": 1}
    spec = JobSpec.from_request(mode, values, MODEL_SETS["pocket"], DRAFT.id)

    outcome = outcome_of(carried_out(LocalRunner(settings, engine), spec))

    assert isinstance(outcome, Finished), outcome
    assert measure(outcome.outputs[0].path).frames == spec.params.frames
