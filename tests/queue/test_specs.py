"""What was asked for is read again, or it is said that this studio does not know it."""

from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.queue.specs import read_spec
from ltx_studio.settings import Settings
from tests.support import small_spec

STORED = small_spec().as_dict()
OWN = {"mode": "workflow", "preset": "", "model_set": "", "params": {"name": "mine", "graph": {}, "files": {}}}


def with_params(**changes: Any) -> dict[str, Any]:
    return {**STORED, "params": STORED["params"] | changes}


def test_a_request_is_read_as_it_was(tmp_path: Path) -> None:
    assert read_spec(STORED, Settings(home=tmp_path)) == small_spec()
    assert read_spec(OWN, Settings(home=tmp_path)).as_dict()["params"]["name"] == "mine"


UNKNOWN: dict[str, dict[str, Any]] = {
    "a parameter": with_params(mood="cheerful"),
    "a value out of range": with_params(seconds=3600),
    "a choice": with_params(camera="orbit"),
    "a LoRA of another form": with_params(loras=["mine.safetensors"]),
    "no parameters": {**STORED, "params": None},
    "parameters that are not there": {name: value for name, value in STORED.items() if name != "params"},
    "a mode": {**STORED, "mode": "t4v"},
    "a list of modes": {**STORED, "mode": ["t2v"]},
    "a preset": {**STORED, "preset": "best"},
    "a list of presets": {**STORED, "preset": ["fast"]},
    "nothing": {},
    "a workflow without a graph": {**OWN, "params": {"name": "mine"}},
    "a workflow whose graph is none": {**OWN, "params": {"name": "mine", "graph": {"1": "Photo"}, "files": {}}},
    "a list of files": {**OWN, "params": {"name": "mine", "graph": {}, "files": ["a.png"]}},
    "a file without a name": {**OWN, "params": {"name": "mine", "graph": {}, "files": {"1.image": 3}}},
}


@pytest.mark.parametrize("stored", UNKNOWN.values(), ids=UNKNOWN)
def test_what_another_version_wrote_or_somebody_edited_is_refused_in_words(
    stored: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(RequestError) as refused:
        read_spec(stored, Settings(home=tmp_path))

    assert refused.value.hint
    assert "validation error" not in refused.value.message
