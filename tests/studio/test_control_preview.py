"""The preview of a control map is what the graph makes of the clip."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltx_studio.advice import Advice, Do
from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Engine, run_folders
from ltx_studio.errors import ModelMissingError, RequestError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.validate import validate
from ltx_studio.media import by_name
from ltx_studio.media.edge_look import Part, few_pictures, map_of_edges
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio.control_preview import COLUMNS, maps_only, part_of, run_maps, write_control_preview
from tests.fixtures import Request
from tests.samples import write_clip
from tests.support import DATA, MODEL_SETS


@pytest.fixture
def runner(settings: Settings, engine: Engine) -> LocalRunner:
    return LocalRunner(settings, engine)


@pytest.fixture
def rolling(tmp_path: Path) -> Path:
    write_clip(tmp_path / "rolling.mp4")
    return tmp_path / "rolling.mp4"


def request_of(mode: str, small: Request, clip: Path, model_set: str = "pocket", **values: Any) -> JobSpec:
    name = "clip" if mode == "style" else "control_clip"
    return JobSpec.from_request(mode, small(mode, **{name: clip}, **values), MODEL_SETS[model_set])


@pytest.mark.parametrize("mode", ["style", "i2v", "lipsync", "keyframe"])
def test_pictures_are_above_the_edges_that_the_graph_finds(
    mode: str, small: Request, runner: LocalRunner, rolling: Path, tmp_path: Path
) -> None:
    spec = request_of(mode, small, rolling)

    shown = np.asarray(Image.open(write_control_preview(spec, tmp_path / "map.png", runner, CancelToken())))

    part = part_of(spec)
    assert part is not None
    threshold = spec.params.edge_threshold  # type: ignore[attr-defined]
    above, below = shown[: part.height], shown[part.height :]
    for number, picture in enumerate(few_pictures(part, COLUMNS)):
        across = slice(number * part.width, (number + 1) * part.width)
        assert (above[:, across] == picture).all()
        assert (below[:, across] == map_of_edges(picture, threshold)).all()
        assert below[:, across].any()


def test_a_ready_map_is_shown_as_it_is(small: Request, runner: LocalRunner, rolling: Path, tmp_path: Path) -> None:
    spec = request_of("style", small, rolling, control="ready")

    shown = np.asarray(Image.open(write_control_preview(spec, tmp_path / "map.png", runner, CancelToken())))

    assert (shown[:128] == shown[128:]).all()


def test_a_map_that_the_engine_makes_is_the_one_that_steers(small: Request, runner: LocalRunner, rolling: Path) -> None:
    """Depth and pose are made so; their models are not here, but the same nodes make canny of the same pictures."""
    spec = request_of("i2v", small, rolling, seconds=1.5)
    part, threshold = part_of(spec), spec.params.edge_threshold  # type: ignore[attr-defined]
    assert part is not None

    made = run_maps(spec, runner, CancelToken())

    theirs = few_pictures(Part(made, 0.0, part.seconds, part.width, part.height), COLUMNS)
    for picture, map_of_engine in zip(few_pictures(part, COLUMNS), theirs, strict=True):
        ours = map_of_edges(picture, threshold)[:, :, 0] > 127
        assert np.mean(ours != (map_of_engine[:, :, 0] > 127)) < 0.02
        assert ours.any()
    assert (run_folders.run_id_of(made) or "").startswith(run_folders.UNNAMED), "after a kill, nobody looks for it"
    run_folders.discard(made)


@pytest.mark.parametrize("mode", ["style", "i2v", "keyframe"])
@pytest.mark.parametrize("control", ["depth", "pose"])
def test_the_graph_of_a_map_that_needs_a_model_is_whole_and_has_no_more(
    control: str, mode: str, small: Request, rolling: Path, definitions: Definitions
) -> None:
    graph = maps_only(request_of(mode, small, rolling, "fp8", control=control), by_name).graph
    kinds = {node["class_type"] for node in graph.values()}

    validate(graph, definitions)
    assert kinds & {"DA3Render", "SDPoseDrawKeypoints"}
    assert not {kind for kind in kinds if "Sampler" in kind or kind.startswith("LTXV")}


def test_a_map_whose_model_is_not_here_is_refused_with_the_command(
    small: Request, runner: LocalRunner, rolling: Path, tmp_path: Path
) -> None:
    spec = request_of("style", small, rolling, "fp8", control="depth")

    with pytest.raises(ModelMissingError, match="depth_anything_3") as refused:
        write_control_preview(spec, tmp_path / "map.png", runner, CancelToken())

    assert refused.value.advice == Advice(Do.FETCH_MODELS, otherwise=Do.USE_POCKET)
    assert not (tmp_path / "map.png").exists()


def test_there_is_no_map_without_a_control_clip(small: Request, runner: LocalRunner, tmp_path: Path) -> None:
    spec = JobSpec.from_request("i2v", small("i2v"), MODEL_SETS["pocket"])

    with pytest.raises(RequestError, match="no control clip"):
        write_control_preview(spec, tmp_path / "map.png", runner, CancelToken())


def test_the_preview_of_a_flat_clip_is_black(small: Request, runner: LocalRunner, tmp_path: Path) -> None:
    spec = request_of("style", small, DATA / "circle-fast.mp4", edge_threshold=0.9)

    shown = np.asarray(Image.open(write_control_preview(spec, tmp_path / "map.png", runner, CancelToken())))

    assert not shown[shown.shape[0] // 2 :].any()
