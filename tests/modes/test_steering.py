"""Whether a control clip steers is known, and said, before the run."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio.families.ltx_2_3 import FAST
from ltx_studio.graph import Graph
from ltx_studio.media import by_name
from ltx_studio.modes import MODES
from ltx_studio.queue import JobSpec
from tests.fixtures import Request
from tests.media.test_edges import photo, write_still
from tests.samples import write_clip
from tests.support import DATA, MODEL_SETS, REGISTRY

POCKET, FP8 = MODEL_SETS["pocket"], MODEL_SETS["fp8"]


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return write_still(tmp_path / "flat.mp4", Image.new("RGB", (256, 192), (90, 90, 90)))


def write_flat_then_photo(path: Path, *, flat_seconds: int, seconds: int) -> Path:
    """Write a clip at 24 frames a second that begins with one colour."""
    flat_picture = np.full((192, 256, 3), 90, dtype=np.uint8)
    seen = np.asarray(photo().resize((256, 192)))
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=24, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for number in range(seconds * 24):
            picture = flat_picture if number < flat_seconds * 24 else seen
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def spec(mode: str, small: Request, **values: Any) -> JobSpec:
    return JobSpec.from_request(mode, small(mode, **values), MODEL_SETS["pocket"])


def canny(made: JobSpec) -> tuple[float, float]:
    node = Graph(made.build(by_name).graph)["Control"]
    return node.low_threshold, node.high_threshold


@pytest.mark.parametrize("name", ["circle-fast.mp4", "circle-late.mp4"])
def test_the_thresholds_of_the_graph_fit_the_clip(name: str, small: Request) -> None:
    made = spec("style", small, clip=DATA / name, seconds=None)

    low, high = canny(made)
    assert 0.1 < high < 0.3
    assert low == pytest.approx(high / 2, abs=0.006)
    assert not any("does not guide" in note for note in made.notes())


def test_a_dark_control_clip_of_another_mode_is_fitted_too(small: Request, tmp_path: Path) -> None:
    made = spec("i2v", small, control_clip=write_still(tmp_path / "dark.mp4", photo(0.3)))

    assert canny(made)[1] < 0.5
    assert not any("does not guide" in note for note in made.notes())


def test_a_threshold_that_is_given_is_kept(small: Request) -> None:
    made = spec("style", small, clip=DATA / "circle-fast.mp4", seconds=None, edge_threshold=0.6)

    assert canny(made) == (0.3, 0.6)
    assert any("Canny finds no edges in the clip" in note for note in made.notes())


def test_a_threshold_of_your_own_is_told_from_one_that_was_fitted(small: Request) -> None:
    given = {"clip": DATA / "circle-fast.mp4", "seconds": None}

    assert spec("style", small, **given).own_threshold() is None
    assert spec("style", small, **given, edge_threshold=0.6).own_threshold() == 0.6
    assert JobSpec.from_request("t2v", small("t2v"), MODEL_SETS["pocket"]).own_threshold() is None


@pytest.mark.parametrize(("mode", "field"), [("style", "clip"), ("i2v", "control_clip"), ("keyframe", "control_clip")])
def test_a_flat_clip_is_said_not_to_steer_with_what_to_do(mode: str, field: str, flat: Path, small: Request) -> None:
    made = spec(mode, small, **{field: flat})

    (note,) = [note for note in made.notes() if "does not guide" in note]
    assert note.endswith("Choose the control ready, or use a clip with more contrast.")
    (note,) = [note for note in MODES[mode].notes(made.params, FAST, FP8) if "does not guide" in note]
    assert note.endswith("Choose the control depth, pose or ready, or use a clip with more contrast.")


@pytest.mark.parametrize(("flat_seconds", "is_said"), [(4, True), (3, True), (1, False), (0, False)])
def test_a_clip_that_is_flat_for_long_is_said_not_to_steer_there(
    flat_seconds: int, is_said: bool, small: Request, tmp_path: Path
) -> None:
    clip = write_flat_then_photo(tmp_path / "a.mp4", flat_seconds=flat_seconds, seconds=5)

    made = [note for note in spec("style", small, clip=clip, seconds=None).notes() if "guide" in note]

    assert made == ["Canny finds no edges in part of the clip; there, only the prompt guides the motion."] * is_said


def test_a_dark_flat_clip_is_to_be_brightened(small: Request, tmp_path: Path) -> None:
    dark = write_still(tmp_path / "dark.mp4", Image.new("RGB", (256, 192), (9, 8, 8)))

    (note,) = [note for note in spec("style", small, clip=dark).notes() if "does not guide" in note]

    assert "or brighten the clip" in note


def test_a_ready_map_without_edges_steers_when_it_is_a_gradient(small: Request, tmp_path: Path) -> None:
    clip = write_still(tmp_path / "depth.mp4", Image.linear_gradient("L").resize((256, 192)).convert("RGB"))

    assert not any("guide" in note for note in spec("style", small, clip=clip, control="ready").notes())


def test_a_ready_map_of_one_colour_is_said_not_to_steer(flat: Path, small: Request, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4")

    assert any("a single colour" in note for note in spec("style", small, clip=flat, control="ready").notes())
    assert not any("guide" in note for note in spec("style", small, clip=tmp_path / "a.mp4", control="ready").notes())


@pytest.mark.parametrize("given", [None, 0.4])
@pytest.mark.parametrize(("mode", "field"), [("style", "clip"), ("i2v", "control_clip")])
def test_a_threshold_at_control_strength_0_does_nothing_and_a_missing_one_is_not_named(
    mode: str, field: str, given: float | None, small: Request
) -> None:
    made = spec(mode, small, **{field: DATA / "circle-fast.mp4"}, control_strength=0, edge_threshold=given)

    notes = made.notes()
    assert ("Edge threshold has no effect at control strength 0." in notes) == (given is not None)
    assert [note for note in notes if "guide" in note] == [
        "Control strength is 0, so the control clip does not guide the motion."
    ]


def test_a_request_of_an_earlier_edition_has_the_graph_that_it_had(small: Request, tmp_path: Path) -> None:
    made = spec("style", small, clip=DATA / "circle-fast.mp4", seconds=None)
    stored = made.as_dict()
    del stored["params"]["edge_threshold"]

    assert canny(JobSpec.from_dict(stored, tmp_path, REGISTRY)) == (0.4, 0.8)
    assert canny(JobSpec.from_dict(made.as_dict(), tmp_path, REGISTRY)) == canny(made)


def test_a_threshold_without_canny_is_said_to_do_nothing(small: Request) -> None:
    clip = DATA / "circle-fast.mp4"

    ready = spec("style", small, clip=clip, seconds=None, control="ready", edge_threshold=0.2)
    without = spec("i2v", small, edge_threshold=0.2)

    assert "Edge threshold only has an effect with the control canny." in ready.notes()
    assert "Edge threshold has no effect without a control clip." in without.notes()
