"""The shapes and sizes that a form offers, and the pixels that they mean."""

from pathlib import Path

import pytest

from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from ltx_studio.web.forms.form import Form
from ltx_studio.web.forms.sizes import SHAPES, Sizes
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


def sizes_of(form: Form, raw: dict[str, object]) -> list[tuple[str, str]]:
    choices: list[tuple[str, str]] = dict(zip(form.tellers, form.tell(raw), strict=True))[form.components["size"]][
        "choices"
    ]
    return choices
