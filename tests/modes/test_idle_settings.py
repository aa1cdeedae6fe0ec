"""A setting that has no effect on a request is named, and what is said of it is true."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ltx_studio.engine import Engine
from ltx_studio.pocket import files as pocket_files
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from tests.fixtures import Request
from tests.samples import ball
from tests.support import MODEL_SETS, carried_out, outcome_of

UNSEEN = 3
"""Two runs of one request differ by half of that."""

CASES: dict[str, tuple[str, dict[str, Any], dict[str, str], str]] = {
    "picture": (
        "i2v",
        {"image_strength": 0.0},
        {"image": "last"},
        "Picture strength is 0, so the picture has no effect.",
    ),
    "restyled": (
        "style",
        {"image_strength": 0.0, "image": "image"},
        {"image": "last"},
        "Picture strength is 0, so the picture has no effect.",
    ),
    "last frame": (
        "keyframe",
        {"last_strength": 0.0},
        {"last_image": "image"},
        "Last frame strength is 0, so the last frame has no effect.",
    ),
    "control clip": (
        "style",
        {"control_strength": 0.0, "edge_threshold": 0.5},
        {"clip": "rolling"},
        "Control strength is 0, so the control clip does not guide the motion.",
    ),
}
"""By name: mode, what has no effect, another file in its place, and what is said."""


@pytest.fixture
def render(engine: Engine, few_steps: None, settings: Settings) -> Callable[[JobSpec], Any]:
    """Give every pixel of the clip that a request makes."""
    runner = LocalRunner(settings, engine)

    def run(spec: JobSpec) -> Any:
        outcome = outcome_of(carried_out(runner, spec))
        with av.open(outcome.outputs[0].path) as container:  # type: ignore[union-attr]
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)

    return run


def apart(one: Any, other: Any) -> float:
    """How far pixels are apart on the average, of 255. What an input steers moves them by 5 and more."""
    return float(np.abs(one - other).mean())


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_to_have_no_effect_has_none(
    name: str, small: Request, samples: Mapping[str, Path], render: Any
) -> None:
    mode, idle, other, said = CASES[name]
    given = {key: samples[value] if isinstance(value, str) else value for key, value in idle.items()}
    specs = [
        JobSpec.from_request(mode, small(mode, **values), MODEL_SETS["pocket"], "draft")
        for values in (given, given | {key: samples[value] for key, value in other.items()})
    ]

    assert all(said in spec.notes() for spec in specs)
    assert apart(render(specs[0]), render(specs[1])) < UNSEEN


def test_a_lora_of_strength_zero_is_named(small: Request, settings: Settings, engine: Engine, render: Any) -> None:
    lora = {"file": str(settings.models_dir / pocket_files.POSE_LORA), "strength": 0.0}

    without, with_it = (
        JobSpec.from_request("t2v", small("t2v", loras=loras), MODEL_SETS["pocket"], "draft") for loras in ((), (lora,))
    )

    (note,) = set(with_it.notes()) - set(without.notes())
    assert note == f"LoRA 1 ({Path(pocket_files.POSE_LORA).name}) has strength 0, so it has no effect."
    assert apart(render(without), render(with_it)) < UNSEEN


def test_the_compression_of_a_picture_without_effect_is_named_too(small: Request, tmp_path: Path) -> None:
    ball(0.2).save(tmp_path / "a.png")
    spec = JobSpec.from_request(
        "i2v", small("i2v", image=tmp_path / "a.png", image_strength=0.0, image_compression=40), MODEL_SETS["pocket"]
    )

    assert "Picture compression has no effect either." in spec.notes()


@pytest.mark.parametrize("mode", ["t2v", "a2v", "i2v", "lipsync", "keyframe", "style"])
def test_nothing_is_named_where_all_acts(mode: str, small: Request) -> None:
    spec = JobSpec.from_request(mode, small(mode), MODEL_SETS["pocket"])

    assert not [note for note in spec.notes() if "effect" in note]
