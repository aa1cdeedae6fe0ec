"""The shapes and sizes that a form offers, and the pixels that they mean."""

import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from ltx_studio.studio import Cost
from ltx_studio.web.forms.form import Form
from ltx_studio.web.forms.sizes import AREAS, SHAPES, SHORT_SIDES, Sizes
from tests.samples import write_picture
from tests.support import DATA, MODEL_SETS
from tests.web.forms.test_form import form_of, raw_of


@pytest.mark.parametrize(
    ("size", "shape", "pixels"),
    [
        ("720p", "16:9", (1280, 704)),
        ("1080p", "16:9", (1920, 1088)),
        ("720p", "9:16", (704, 1280)),
        ("540p", "16:9", (960, 512)),
        ("1080p", "1:1", (1088, 1088)),
        ("720p", "21:9", (1664, 704)),
    ],
)
def test_a_name_means_the_nearest_legal_size(size: str, shape: str, pixels: tuple[int, int]) -> None:
    sizes = Sizes(MODEL_SETS["fp8"])

    assert sizes.pixels(size, SHAPES[shape]) == pixels
    assert (sizes.usual, sizes.shape) == ("720p", "16:9")
    assert [label for label, _ in sizes.choices(SHAPES["16:9"])][2:] == ["720p\n1280×704", "1080p\n1920×1088"]


def test_the_pocket_set_has_three_sizes_of_its_own() -> None:
    sizes = Sizes(MODEL_SETS["pocket"])

    assert sizes.choices(SHAPES[sizes.shape]) == [
        ("Small\n192×128", "small"),
        ("Normal\n256×192", "normal"),
        ("Large\n384×256", "large"),
    ]
    assert (sizes.usual, sizes.shape) == ("normal", "4:3")


@pytest.mark.parametrize("model_set", ["pocket", "fp8"])
def test_every_size_of_every_shape_is_what_a_request_gets_and_comes_back_as_that_shape(
    model_set: str, home: Settings
) -> None:
    form = form_of("t2v", model_set, home)
    for shape in SHAPES:
        for _, size in form._sizes.choices(SHAPES[shape]):
            spec = form.spec({**raw_of(form), "prompt": "night", "shape": shape, "size": size})
            pixels = form._sizes.pixels(size, SHAPES[shape])
            assert (spec.params.width, spec.params.height) == pixels

            filled = form.fill(spec)
            again = filled["shape"]["value"], filled["size"]["value"]
            assert form._sizes.pixels(again[1], SHAPES[again[0]]) == pixels, (shape, size)
            assert filled["size"]["visible"] is True
            assert filled["width"]["visible"] is False


def test_a_request_of_another_size_comes_back_as_a_size_of_ones_own(home: Settings) -> None:
    form = form_of("t2v", "pocket", home)

    filled = form.fill(JobSpec.from_request("t2v", {"prompt": "x", "width": 640, "height": 128}, MODEL_SETS["pocket"]))

    assert filled["shape"]["value"] == "own"
    assert (filled["width"], filled["height"]) == ({"value": 640, "visible": True, "__type__": "update"},
                                                   {"value": 128, "visible": True, "__type__": "update"})  # fmt: skip


def test_a_picture_gives_its_shape_to_the_sizes_and_has_it_back(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    form = form_of("i2v", "fp8", home)
    raw = {**raw_of(form), "prompt": "night", "image": str(write_picture(tmp_path / "tall.png", (300, 600)))}

    assert sizes_of(form, raw)[2] == ("720p\n704×1408", "720p")
    spec = form.spec(raw)
    assert (spec.params.width, spec.params.height) == (704, 1408)
    filled = form.fill(spec)
    assert (filled["shape"]["value"], filled["size"]["value"]) == ("file", "720p")


def test_with_a_control_clip_the_sizes_are_multiples_of_128(home: Settings) -> None:
    form = form_of("i2v", "fp8", home)
    raw = {**raw_of(form), "shape": "16:9", "control_clip": str(DATA / "circle-fast.mp4")}

    assert sizes_of(form, raw)[2] == ("720p\n1280×768", "720p")


def test_sizes_that_need_more_gpu_time_than_a_visitor_has_are_greyed_and_the_form_says_why(home: Settings) -> None:
    form = form_of("t2v", "fp8", home, cost)
    size = form.components["size"]

    def told(**changes: object) -> tuple[list[str], str]:
        raw = raw_of(form) | {"prompt": "night", "shape": "16:9"} | changes
        said = dict(zip(form.tellers, form.tell(raw), strict=True))
        return said[size]["elem_classes"][2:], said[form.told]

    grey, line = told(size="720p", seconds=5.0)
    assert grey == ["over-1080p"]
    assert "1080p needs about 253 s of GPU time; with a free account, a run may take at most 200 s." in line
    assert "This clip" not in line

    grey, line = told(size="1080p", seconds=10.0)
    assert grey == ["over-720p", "over-1080p"]
    assert "720p needs about 218 s of GPU time;" in line
    assert "This clip needs about 504 s of GPU time; with a free account, a run may take at most 200 s." in line
    assert "Clips of up to 3.5 s fit at this size." in line

    for fitting in ({"size": "480p", "seconds": 2.0}, {"shape": "own", "width": 256, "height": 256, "seconds": 20.0}):
        grey, line = told(**fitting)
        assert grey == []
        assert "at most" not in line


def test_with_a_pro_account_the_form_names_that(home: Settings) -> None:
    form = form_of("t2v", "fp8", home, lambda spec: replace(cost(spec), a_day=2400, account="pro"))
    told = dict(zip(form.tellers, form.tell(raw_of(form) | {"prompt": "night", "seconds": 5.0}), strict=True))

    assert "your PRO account gets 40\N{NO-BREAK SPACE}min a day" in told[form.told]
    assert "with your PRO account, a run may take" in told[form.told]


def test_where_runs_cost_nothing_no_size_is_greyed(home: Settings) -> None:
    form = form_of("t2v", "fp8", home)
    told = dict(zip(form.tellers, form.tell(raw_of(form) | {"prompt": "night"}), strict=True))

    assert "elem_classes" not in told[form.components["size"]]


def test_every_size_can_be_greyed() -> None:
    sheet = files("ltx_studio.web").joinpath("assets", "forms.css").read_text(encoding="utf-8")
    for size in [*SHORT_SIDES, *AREAS]:
        assert f'.over-{size} [value="{size}"]' in sheet


def cost(spec: JobSpec) -> Cost:
    """A second for each million pixels, counted one and a half times."""
    seconds = math.ceil(spec.params.width * spec.params.height * spec.params.frames / 1e6)
    return Cost(seconds, round(1.5 * seconds), 300, most=200)


def sizes_of(form: Form, raw: dict[str, object]) -> list[tuple[str, str]]:
    choices: list[tuple[str, str]] = dict(zip(form.tellers, form.tell(raw), strict=True))[form.components["size"]][
        "choices"
    ]
    return choices
