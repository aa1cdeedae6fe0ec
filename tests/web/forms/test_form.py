"""A mode's form by itself: what it is filled in with."""

import json
import os
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch
from safetensors.torch import save_file

from ltx_studio.families.ltx_2_3 import QUALITY
from ltx_studio.media import InputStore
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES, UserLora
from ltx_studio.pocket.files import SHIPPED, STYLE_LORA
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from ltx_studio.web.forms.form import LORA_ROWS, Form
from ltx_studio.web.forms.kept import to_restore
from tests.samples import write_picture
from tests.support import DATA, MODEL_SETS, small_spec


@pytest.fixture
def form(home: Settings) -> Form:
    return form_of("t2v", "pocket", home)


def form_of(mode: str, model_set: str, home: Settings) -> Form:
    made = Form(MODES[mode], get_registry(home).get_set(model_set), lambda spec: None)
    with gr.Blocks():
        made.build()
    return made


@pytest.mark.parametrize(("model_set", "chosen"), [("pocket", "quality"), ("distilled-fp8", "fast")])
def test_the_preset_of_the_settings_is_chosen_where_the_model_set_can_do_it(
    home: Settings, model_set: str, chosen: str
) -> None:
    form = Form(MODES["t2v"], get_registry(home).get_set(model_set), lambda spec: None, QUALITY)
    with gr.Blocks():
        form.build()

    assert form.components["preset"].value == chosen


def values(form: Form, word: str) -> dict[str, object]:
    """What a form takes up, without what stays."""
    told = zip(form.components, form.take_up(word), strict=True)
    return {name: update["value"] for name, update in told if "value" in update}


def test_what_a_form_is_filled_in_with_is_asked_for_once_by_a_word_that_nobody_guesses(form: Form) -> None:
    word = form.fillings.keep(form.put({"prompt": "night", "seconds": 3.0, "image": "/etc/passwd"}))

    assert values(form, "") == values(form, "0" * len(word)) == {}
    assert values(form, word) == {"prompt": "night", "seconds": 3.0}
    assert values(form, word) == {}


def test_what_a_browser_kept_comes_back_where_it_can_be_had_here(form: Form) -> None:
    kept = {"prompt": "night", "seconds": 3.0, "shape": "own", "preset": "best", "image": "/etc/passwd", "seed": 1e300}

    found = json.loads(to_restore(form, kept))

    assert {name: (update.get("value"), ruler) for name, (update, ruler) in found.items()} == {
        "prompt": ("night", None),
        "seconds": (3.0, "as_long"),
        "shape": ("own", None),
        "width": (None, "shape"),  # is shown
        "height": (None, "shape"),
        "megapixels": (None, "shape"),
    }


def test_what_a_form_is_filled_in_with_can_be_chosen_whatever_was_ruled_out_before(home: Settings) -> None:
    form = form_of("style", "pocket", home)

    control = form.put({"control": "canny"})["control"]

    assert "canny" in {value for _, value in control["choices"]}


def test_what_is_chosen_while_it_is_ruled_out_is_for_the_studio_to_refuse(home: Settings) -> None:
    control = form_of("style", "pocket", home).components["control"]
    assert isinstance(control, gr.Dropdown)
    control.choices = []

    assert control.preprocess("canny") == "canny"
    with pytest.raises(gr.Error):
        gr.Dropdown([]).preprocess("canny")


def test_what_is_chosen_stays_among_the_choices_when_something_else_rules_it_out(home: Settings) -> None:
    form = form_of("style", "pocket", home)
    raw = {name: getattr(each, "value", None) for name, each in form.components.items()}
    raw |= {"prompt": "night", "ic_lora": "detailer", "control": "canny"}

    told = dict(zip(form.tellers, form.tell(raw), strict=True))
    choices = told[form.components["control"]]["choices"]

    assert "canny" in {value for _, value in choices}
    assert "depth" not in {value for _, value in choices}


def test_a_form_says_that_it_has_no_field_for_an_edge_threshold(home: Settings) -> None:
    given = {"prompt": "night", "clip": DATA / "circle-fast.mp4", "seconds": None, "edge_threshold": 0.6}
    form = form_of("style", "pocket", home)

    lost = form.lost(JobSpec.from_request("style", given, MODEL_SETS["pocket"]))

    assert lost == ["the edge threshold 0.6, because the page always fits one to the clip"]


def test_a_form_says_what_it_cannot_have_of_an_old_request(home: Settings, tmp_path: Path) -> None:
    loras = [tmp_path / f"{number}.safetensors" for number in range(LORA_ROWS + 2)]
    for lora in loras:
        save_file({"diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight": torch.zeros(4, 192)}, lora)
    picture = write_picture(tmp_path / "face.png", (64, 64))
    given = {"prompt": "night", "image": picture, "seed": 1, "loras": [{"file": lora, "strength": 1} for lora in loras]}
    spec = JobSpec.from_request("i2v", given, MODEL_SETS["pocket"], "balanced")
    form = form_of("i2v", "distilled-fp8", home)
    picture.unlink()
    loras[0].unlink()

    lost = form.lost(spec)
    filled = form.fill(spec)

    assert lost == [
        "Picture is no longer here",
        "LoRA 1 is no longer here",
        f"LoRAs left out: 1, the form has {LORA_ROWS} rows for them",
        "Balanced cannot be had with this model set, Fast is chosen",
        "it was made with the model set pocket, here is LTX-2.3 22B distilled fp8",
    ]
    assert filled["preset"]["value"] == "fast"
    assert (
        form_of("t2v", "pocket", home).lost(JobSpec.from_request("t2v", {"prompt": "night"}, MODEL_SETS["pocket"]))
        == []
    )


def test_a_form_is_filled_in_with_the_files_that_are_here_and_no_others(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe names its files, and may be anybody's."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    mine, theirs, folder = (tmp_path / name for name in ("mine.safetensors", "theirs.safetensors", "folder"))
    folder.mkdir()
    for file in (mine, theirs):
        file.write_bytes((SHIPPED / STYLE_LORA).read_bytes())
    keep = InputStore(tmp_path / "kept")
    kept, linked = keep(mine), tmp_path / "linked" / "theirs"
    linked.parent.mkdir()
    linked.symlink_to(theirs)
    theirs.write_bytes(b"another one")
    os.utime(theirs, (later := linked.lstat().st_mtime + 60, later))
    loras = tuple(UserLora(file=file) for file in (tmp_path / "gone", folder, linked, kept))
    asked = small_spec()

    filled = form.fill(replace(asked, params=asked.params.model_copy(update={"loras": loras})))

    assert Path(filled["lora_0"]["value"]).read_bytes() == kept.read_bytes()
    assert filled["lora_1"]["value"] is None
