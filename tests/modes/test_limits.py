from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet, Preset
from ltx_studio.families.ltx_2_3 import BALANCED, DRAFT, FAST, PRESETS, QUALITY
from ltx_studio.modes import MODES, TUNING, Limit
from tests.fixtures import Request
from tests.support import MODEL_SETS

POCKET, FP8, DISTILLED = (MODEL_SETS[name] for name in ("pocket", "fp8", "distilled-fp8"))


def limits(
    mode: str, preset: Preset = FAST, model_set: ModelSet = POCKET, **values: Any
) -> dict[tuple[str, str], Limit]:
    found = MODES[mode].limits(values, preset, model_set)
    return {(limit.field, limit.choice): limit for limit in found}


@pytest.mark.parametrize("mode", MODES)
def test_the_negative_prompt_is_greyed_where_nothing_is_guided(mode: str) -> None:
    for preset in (FAST, DRAFT):
        assert preset.label in limits(mode, preset)["negative_prompt", ""].reason
    for preset in (BALANCED, QUALITY):
        assert ("negative_prompt", "") not in limits(mode, preset)


@pytest.mark.parametrize("mode", MODES)
def test_what_a_preset_does_not_obey_is_named(mode: str) -> None:
    idle = {name: [field for field, _ in limits(mode, PRESETS[name]) if field in TUNING] for name in PRESETS}

    unguided = ["steps", "guidance", "sound_guidance", "stg", "schedule"]
    of_sound = ["sound_guidance"] if MODES[mode].sound_is_given else []
    assert idle == {"fast": unguided, "draft": unguided, "balanced": of_sound, "quality": of_sound}


@pytest.mark.parametrize("mode", ["i2v", "lipsync", "keyframe"])
def test_the_ic_loras_are_greyed_without_their_clip(mode: str) -> None:
    without, with_clip = limits(mode), limits(mode, control_clip=Path("a.mp4"))

    for field in ("control", "ic_lora", "ic_lora_strength", "control_strength"):
        assert "without a control clip" in without[field, ""].reason
        assert (field, "") not in with_clip


@pytest.mark.parametrize("mode", ["t2v", "a2v"])
def test_modes_without_a_guide_have_no_ic_loras(mode: str) -> None:
    assert not {"ic_lora", "control", "control_clip"} & set(MODES[mode].params.model_fields)


def test_controls_without_their_model_are_greyed(small: Request) -> None:
    assert {choice for field, choice in limits("style") if field == "control"} == {"depth", "pose"}
    assert not [choice for field, choice in limits("style", model_set=FP8, ic_lora="union") if field == "control"]
    with pytest.raises(RequestError, match="Control: depth needs a model that Pocket preview does not have") as caught:
        MODES["style"].parse(small("style", control="depth"), POCKET)
    assert caught.value.hint == "Choose one of: canny, ready."


def test_a_lora_that_the_set_lacks_is_greyed_and_refused(small: Request) -> None:
    bare = replace(POCKET, camera={}, control={"union": POCKET.control["union"]})
    found = limits("style", model_set=bare)

    assert {choice for field, choice in found if field == "ic_lora"} == {"detailer", "pose"}
    assert ("camera", "none") not in found
    assert "no LoRA in Pocket preview" in found["camera", "jib-up"].reason
    with pytest.raises(RequestError, match="Camera: jib-up has no LoRA in Pocket preview"):
        MODES["t2v"].parse(small("t2v", camera="jib-up"), bare)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ic_lora": "detailer", "control": "canny"}, "canny does not work with the detailer"),
        ({"ic_lora": "pose", "control": "canny"}, "canny does not work with the pose IC-LoRA"),
    ],
)
def test_a_control_that_the_ic_lora_does_not_know_is_refused(values: dict[str, Any], said: str, small: Request) -> None:
    with pytest.raises(RequestError, match=said):
        MODES["style"].parse(small("style", **values), POCKET)


def test_loras_of_the_19b_model_are_marked_experimental_with_the_reason(small: Request) -> None:
    found = limits("i2v", model_set=FP8, control_clip=Path("a.mp4"), ic_lora="union")
    marked = {key for key, limit in found.items() if limit.is_caution}

    assert {choice for field, choice in marked if field == "camera"} == set(FP8.camera)
    assert {choice for field, choice in marked if field == "ic_lora"} == {"detailer", "pose"}
    assert "LTX-2 19B" in found["camera", "static"].reason
    made = MODES["t2v"].parse(small("t2v", camera="static"), FP8)
    assert any("Camera: static is experimental" in note for note in MODES["t2v"].notes(made, FAST, FP8))


def test_what_does_not_act_is_said_before_the_run(small: Request) -> None:
    changes = {"negative_prompt": "blurry", "ic_lora": "pose", "camera_strength": 2, "width": 256, "height": 192}
    made = MODES["i2v"].parse(small("i2v", **changes), POCKET)

    assert MODES["i2v"].notes(made, FAST, POCKET) == [
        "Negative prompt has no effect in Fast, which has no guidance.",
        "Camera strength has no effect without a camera move.",
        "IC-LoRA has no effect without a control clip.",
    ]
    assert MODES["i2v"].notes(made, BALANCED, POCKET)[0].startswith("Camera strength")


@pytest.mark.parametrize("preset", [BALANCED, QUALITY], ids=lambda item: item.id)
@pytest.mark.parametrize("mode", MODES)
def test_a_distilled_set_has_no_guided_presets_and_says_why(mode: str, preset: Preset, small: Request) -> None:
    assert "only has the distilled model" in preset.refusal(DISTILLED)
    with pytest.raises(RequestError, match="only has the distilled model") as caught:
        MODES[mode].parse(small(mode), DISTILLED, preset)
    assert "Fast" in caught.value.hint
    assert FAST.refusal(DISTILLED) == DRAFT.refusal(DISTILLED) == ""
