"""A mode's form by itself: what it is filled in with."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch
from safetensors.torch import save_file

from ltx_studio.errors import RequestError
from ltx_studio.families.ltx_2_3 import BALANCED, QUALITY
from ltx_studio.media import InputStore
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES, UserLora
from ltx_studio.pocket.files import SHIPPED, STYLE_LORA
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from ltx_studio.studio import Estimate
from ltx_studio.studio.will_it_run import Suggestion
from ltx_studio.web.forms.form import Costs, Form
from ltx_studio.web.forms.kept import to_restore
from ltx_studio.web.forms.loras import LoraShelf
from tests.samples import write_picture
from tests.support import DATA, MODEL_SETS, small_spec


@pytest.fixture
def form(home: Settings) -> Form:
    return form_of("t2v", "pocket", home)


def form_of(mode: str, model_set: str, home: Settings, cost: Costs = lambda _spec: None) -> Form:
    chosen = get_registry(home).get_set(model_set)
    made = Form(MODES[mode], chosen, lambda spec: None, LoraShelf(home, chosen), cost=cost)
    with gr.Blocks():
        made.build()
    return made


def raw_of(form: Form) -> dict[str, object]:
    """What the form holds as it is built."""
    return {name: getattr(each, "value", None) for name, each in form.components.items()}


def told_of(form: Form, raw: Mapping[str, object]) -> dict[str, Any]:
    """What a form tells, by component: the line under "told"."""
    names = {id(each): name for name, each in form.components.items()} | {id(form.tuning_hint): "tuning_hint"}
    return {names.get(id(each), "told"): said for each, said in zip(form.tellers, form.tell(raw), strict=True)}


@pytest.mark.parametrize(("model_set", "chosen"), [("pocket", "quality"), ("distilled-fp8", "fast")])
def test_the_preset_of_the_settings_is_chosen_where_the_model_set_can_do_it(
    home: Settings, model_set: str, chosen: str
) -> None:
    given = get_registry(home).get_set(model_set)
    form = Form(MODES["t2v"], given, lambda spec: None, LoraShelf(home, given), QUALITY)
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
        "size": (None, "shape"),
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
    raw = raw_of(form) | {"prompt": "night", "ic_lora": "detailer", "control": "canny"}

    told = dict(zip(form.tellers, form.tell(raw), strict=True))
    choices = told[form.components["control"]]["choices"]

    assert "canny" in {value for _, value in choices}
    assert "depth" not in {value for _, value in choices}


def test_a_form_says_that_it_has_no_field_for_an_edge_threshold(home: Settings) -> None:
    given = {"prompt": "night", "clip": DATA / "circle-fast.mp4", "seconds": None, "edge_threshold": 0.6}
    form = form_of("style", "pocket", home)

    lost = form.lost(JobSpec.from_request("style", given, MODEL_SETS["pocket"]))

    assert lost == ["the edge threshold 0.6, because the page always adapts it to the clip"]


def test_a_form_says_what_it_cannot_have_of_an_old_request(home: Settings, tmp_path: Path) -> None:
    loras = [tmp_path / f"{number}.safetensors" for number in range(3)]
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
        "Picture is no longer available",
        "LoRA 1 is no longer available",
        "Balanced is not available with this model set, so Fast is chosen",
        "the clip was made with the model set pocket; the one in use is LTX-2.3 22B distilled fp8",
    ]
    assert filled["preset"]["value"] == "fast"
    assert [each["name"] for each in filled["loras"]["value"]] == ["1", "2"]
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

    (entry,) = filled["loras"]["value"]
    assert str(tmp_path) not in json.dumps(entry)
    (chosen,) = form._loras.chosen([entry])
    assert chosen["file"].read_bytes() == kept.read_bytes()


def test_the_seed_of_an_earlier_request_is_used_once_and_the_form_says_so(form: Form) -> None:
    spec = small_spec(seed=4711)
    with gr.Blocks():
        form.build_hidden()

    filled = {name: each["value"] for name, each in form.fill(spec).items() if "value" in each}

    assert (filled["seed"], filled["once"], filled["new_seed"]) == (4711, "4711", True)
    raw = raw_of(form) | filled
    assert form.spec(raw).params.seed == 4711
    assert "The next clip uses seed 4711 again; after that, every clip gets a new seed." in told_of(form, raw)["told"]
    after = raw | {"once": ""}  # as Generate leaves it
    assert "4711 again" not in told_of(form, after)["told"]
    assert len({form.spec(after).params.seed for _ in range(3)}) > 1
    assert form.spec(raw | {"seed": 5, "new_seed": False}).params.seed == 5


def test_the_line_tells_the_time_of_all_clips_and_the_cards_that_of_one(home: Settings) -> None:
    chosen = get_registry(home).get_set("pocket")
    form = Form(MODES["t2v"], chosen, lambda spec: Estimate({"stage1": 2.25}), LoraShelf(home, chosen))
    with gr.Blocks():
        form.build()

    one = told_of(form, raw_of(form) | {"prompt": "night"})
    five = told_of(form, raw_of(form) | {"prompt": "night", "takes": 5})

    assert "49 frames at 24 fps · about 2\N{NO-BREAK SPACE}s on this computer" in one["told"]
    assert (
        "49 frames at 24 fps · 5\N{NO-BREAK SPACE}clips, about 10\N{NO-BREAK SPACE}s on this computer" in five["told"]
    )
    for each in (one, five):
        assert [label for label, _ in each["preset"]["choices"]] == [
            "Draft\nabout 2 s", "Fast\nabout 2 s", "Balanced\nabout 2 s", "Quality\nabout 2 s",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said", "applied"),
    [
        ({"seconds": 1.5}, "Use 1.5 s", {"seconds": 1.5}),
        ({"width": 128, "height": 128}, "Use 128×128", {"shape": "1:1", "size": "small"}),
        ({"width": 256, "height": 64}, "Use 256×64", {"shape": "own", "width": 256, "height": 64}),
        ({}, "", None),
    ],
)
def test_a_suggestion_is_a_button_that_can_be_taken_back(
    values: dict[str, float], said: str, applied: dict[str, object] | None, home: Settings
) -> None:
    chosen = get_registry(home).get_set("pocket")

    def misfit(spec: JobSpec) -> Suggestion:
        return Suggestion("It does not fit.", values)

    form = Form(MODES["t2v"], chosen, lambda spec: None, LoraShelf(home, chosen), misfit=misfit)
    with gr.Blocks():
        form.build()
    raw = raw_of(form) | {"prompt": " ", "seconds": 9.0}

    told, found = told_of(form, raw)["told"], form.suggested(raw)

    assert "It does not fit." in told
    assert ("<button" in told) is bool(said)
    assert said in told
    if applied is None:
        assert found is None
    else:
        now, before = (
            {name: update["value"] for name, update in each.items() if "value" in update} for each in found or ({}, {})
        )
        assert now == applied
        assert before == {name: raw[name] for name in applied}


def test_what_is_missing_is_said_alike_before_and_after_generate(home: Settings) -> None:
    for mode, said in (
        ("lipsync", "Add a picture and a sound."),
        ("keyframe", "Add a first frame and a last frame."),
        ("style", "Add a clip."),
    ):
        form = form_of(mode, "pocket", home)
        raw = raw_of(form) | {"prompt": "night"}
        assert said in told_of(form, raw)["told"]
        with pytest.raises(RequestError, match=said):
            form.spec(raw)


def test_what_cannot_act_is_hidden_and_the_negative_prompt_says_what_makes_it_act(home: Settings) -> None:
    form = form_of("i2v", "pocket", home)

    fast, quality = (told_of(form, raw_of(form) | {"preset": preset}) for preset in ("fast", "quality"))

    assert fast["negative_prompt"] == gr.update(
        interactive=False, label="Negative prompt (Balanced or Quality only)", visible=True
    )
    assert quality["negative_prompt"] == gr.update(interactive=True, label="Negative prompt", visible=True)
    for name in ("camera_strength", "control", "ic_lora", "ic_lora_strength", "control_strength"):
        assert fast[name]["visible"] is False, name
    given = told_of(form, raw_of(form) | {"control_clip": str(DATA / "circle-fast.mp4"), "camera": "static"})
    for name in ("camera_strength", "control", "ic_lora", "ic_lora_strength", "control_strength"):
        assert given[name]["visible"] is True, name
    distilled = form_of("t2v", "distilled-fp8", home)
    assert told_of(distilled, raw_of(distilled))["negative_prompt"]["visible"] is False


def test_what_changes_the_preset_shows_its_values_and_names_the_presets_that_can_be_changed(home: Settings) -> None:
    form = form_of("t2v", "pocket", home)
    fast, quality = (told_of(form, raw_of(form) | {"preset": preset}) for preset in ("fast", "quality"))

    assert "Balanced or Quality" in fast["tuning_hint"]
    assert quality["tuning_hint"] == ""
    assert quality["steps"] == gr.update(visible=True, placeholder="15")
    assert fast["steps"] == gr.update(visible=False)
    assert fast["sampler"]["visible"] is True
    assert "sound_guidance" not in form_of("a2v", "pocket", home).components
    distilled = form_of("t2v", "distilled-fp8", home)
    assert told_of(distilled, raw_of(distilled))["tuning_hint"] == ""


def test_an_empty_field_leaves_it_to_the_preset_and_a_number_changes_it(form: Form) -> None:
    raw: dict[str, Any] = {**raw_of(form), "prompt": "a ball", "preset": "balanced"}

    own, changed = form.spec(raw), form.spec({**raw, "steps": 12, "stg": 0, "sampler": "dpmpp_2m"})

    assert own.sampling == BALANCED
    assert changed.sampling.tunable() == {**BALANCED.tunable(), "steps": 12, "stg": 0, "sampler": "dpmpp_2m"}
    assert form.fill(changed)["steps"] == gr.update(value=12)
    assert form.fill(own)["steps"] == gr.update(value=None)


def test_the_length_is_shown_only_where_it_acts(home: Settings) -> None:
    for mode, is_shown in (("t2v", True), ("a2v", False), ("lipsync", False), ("style", False)):
        form = form_of(mode, "pocket", home)
        assert form.components["seconds"].visible is is_shown, mode
        if not is_shown:
            assert form.updates({"as_long": False})["seconds"]["visible"] is True


def test_a_form_has_few_components(home: Settings) -> None:
    """Each costs every browser that opens the page."""
    for mode in MODES:
        with gr.Blocks() as blocks:
            chosen = get_registry(home).get_set("pocket")
            Form(MODES[mode], chosen, lambda spec: None, LoraShelf(home, chosen)).build()
        assert len(blocks.blocks) <= 50, mode


@pytest.mark.parametrize(
    ("model_set", "sample"),
    [("pocket", "A red circle bounces on a gray background"), ("distilled-fp8", "A small paper boat drifts down")],
)
def test_an_empty_prompt_shows_what_the_model_set_can_do(model_set: str, sample: str, home: Settings) -> None:
    assert sample in str(vars(form_of("t2v", model_set, home).components["prompt"])["placeholder"])
