from typing import Any

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.models import MODEL_SETS
from ltx_studio.modes import MODES, Params

T2V = MODES["t2v"]
POCKET = MODEL_SETS["pocket"]


def params(**values: Any) -> Params:
    return T2V.parse({"prompt": "a red ball", **values}, POCKET)


@pytest.mark.parametrize("fps", [8, 24, 25, 29.97, 50])
@pytest.mark.parametrize("seconds", [0.7, 1, 2, 3, 4.9, 10])
def test_the_length_is_legal_and_within_four_frames_of_what_was_asked(seconds: float, fps: float) -> None:
    made = params(seconds=seconds, fps=fps)

    assert (made.frames - 1) % 8 == 0
    assert abs(made.frames - seconds * fps) <= 4


@pytest.mark.parametrize(("asked", "made"), [(128, 128), (159, 128), (161, 192), (720, 704), (1080, 1088)])
def test_sizes_snap_to_64_and_the_summary_says_so(asked: int, made: int) -> None:
    snapped = params(width=asked, height=asked)

    assert (snapped.width, snapped.height) == (made, made)
    assert f"{made}×{made}" in snapped.summary()


@pytest.mark.parametrize(
    ("values", "said", "hint"),
    [
        ({"prompt": ""}, "empty", "Write a prompt"),
        ({"prompt": " \n"}, "empty", "Write a prompt"),
        ({"prompt": "x" * 100_000}, "too long: at most 10000", "at most 10000"),
        ({"prompt": 5}, "Prompt", "Write a prompt"),
        ({"width": 0}, "Width is too small: at least 128", "from 128 to 4096"),
        ({"width": 127}, "Width", "from 128"),
        ({"height": -64}, "Height", "from 128 to 4096"),
        ({"width": "wide"}, "Width", "from 128 to 4096"),
        ({"seconds": 0}, "Seconds", "from 0.3 to 20"),
        ({"seconds": float("nan")}, "Seconds", "from 0.3 to 20"),
        ({"seconds": float("inf")}, "Seconds", "from 0.3 to 20"),
        ({"fps": 1000}, "Frames per second", "from 8 to 50"),
        ({"seed": -1}, "Seed", "from 0 to 9007199254740991"),
        ({"seconds": 20, "fps": 50}, "1001 frames are more", "shorter"),
        ({"seconds": 0.3, "fps": 8}, "2.4 frames are fewer", "longer"),
        ({"prompt": None}, "Prompt is missing", "Write a prompt"),
        ({"camera": "left"}, "takes no 'camera'", "prompt"),
    ],
)
def test_a_wrong_request_is_refused_in_words(values: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(RequestError, match=said) as caught:
        params(**values)

    assert hint in caught.value.hint


def test_the_model_set_gives_the_size_when_none_is_asked() -> None:
    assert (params().width, params().height) == (POCKET.width, POCKET.height)


def test_a_seed_is_drawn_when_none_is_given_and_kept_when_one_is() -> None:
    assert params().seed != params().seed
    assert params(seed=5).seed == 5


def test_every_parameter_reaches_the_graph() -> None:
    made = params(prompt="hello", seconds=3, fps=25, width=320, height=256, seed=11)
    nodes = {node["_meta"]["title"]: node["inputs"] for node in T2V.build(made, POCKET).graph.values()}

    assert nodes["Prompt"]["text"] == "hello"
    assert nodes["Seed"]["noise_seed"] == 11
    assert (nodes["Empty video"]["width"], nodes["Empty video"]["height"]) == (160, 128)
    assert nodes["Empty video"]["length"] == nodes["Empty audio"]["frames_number"] == 73
    assert nodes["Frame rate"]["frame_rate"] == nodes["Empty audio"]["frame_rate"] == nodes["Video"]["fps"] == 25


@pytest.mark.parametrize("model_set", MODEL_SETS.values(), ids=lambda item: item.id)
def test_every_stage_names_nodes_of_the_graph(model_set: Any) -> None:
    workflow = T2V.build(params(), model_set)
    titles = {node["_meta"]["title"] for node in workflow.graph.values()}

    assert {title for stage in workflow.stages for title in stage.nodes} <= titles
