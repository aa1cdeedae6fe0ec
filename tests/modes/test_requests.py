from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.families import LTX_2_3
from ltx_studio.families.ltx_2_3 import DRAFT, FAST
from ltx_studio.modes import MODES, Params, get_mode
from tests.fixtures import Request
from tests.samples import write_film, write_picture, write_sound
from tests.support import MODEL_SETS, REGISTRY

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
    assert f"{made}×{made}" in T2V.summary(snapped, FAST, POCKET)


@pytest.mark.parametrize(
    ("values", "said", "hint"),
    [
        ({"prompt": ""}, "empty", "Write a prompt"),
        ({"prompt": " \n"}, "empty", "Write a prompt"),
        ({"prompt": "x" * 100_000}, "too long: the limit is 10000 characters", "at most 10000"),
        ({"prompt": 5}, r"^Prompt is not text \(given: 5\)", "Use text"),
        ({"width": 0}, r"^Width is too small: the minimum is 128 \(given: 0\)", "from 128 to 4096"),
        ({"width": 127}, "Width", "from 128"),
        ({"height": -64}, "Height", "from 128 to 4096"),
        ({"width": "wide"}, r"^Width is not a whole number \(given: 'wide'\)", "from 128 to 4096"),
        ({"seconds": 0}, "^Seconds is too small: the minimum is 0.3", "from 0.3 to 20."),
        ({"seconds": "long"}, "^Seconds is not a number", "from 0.3 to 20."),
        ({"seed": 1.5}, "^Seed is not a whole number", "from 0"),
        ({"seconds": float("nan")}, "Seconds", "from 0.3 to 20"),
        ({"seconds": float("inf")}, "Seconds", "from 0.3 to 20"),
        ({"fps": 1000}, "Frames per second", "from 8 to 50"),
        ({"seed": -1}, "Seed", "from 0 to 9007199254740991"),
        ({"seconds": 20, "fps": 50}, "1001 frames exceed", "shorter"),
        ({"seconds": 0.3, "fps": 8}, "2.4 frames are too few; the minimum is 9", "longer"),
        ({"prompt": None}, "Prompt is missing", "Write a prompt"),
        ({"sharpness": 3}, "has no setting 'sharpness'", "prompt"),
        ({"camera": "left"}, r"^Camera is not one of the choices \(given: 'left'\)", "jib-up"),
        ({"image": "a.png"}, "has no setting 'image'", "prompt"),
        ({"loras": [{"strength": 1}]}, "^LoRA 1: file is missing", "Correct it"),
        (
            {"loras": [{"file": "a"}, {"file": "b", "strength": 9}]},
            "^LoRA 2: strength is too large: the maximum is 4",
            "-4 to 4.",
        ),
        ({"loras": [{"file": "a", "strength": "x"}]}, "^LoRA 1: strength is not a number", "from -4 to 4."),
        ({"loras": [{"file": "a", "weight": 1}]}, "^LoRA 1 has no setting 'weight'", "Remove it"),
        ({"loras": [{"file": "a"}] * 17}, "^LoRAs exceed the limit of 16", "Correct it"),
        ({"camera_strength": 3}, "Camera strength is too large", "from 0"),
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


def parse(mode: str, values: dict[str, Any], preset: Any = FAST) -> Any:
    return MODES[mode].parse(values, POCKET, preset)


def test_a_draft_says_that_it_is_half_as_large() -> None:
    assert "128×96 (half of 256×192)" in T2V.summary(params(), DRAFT, POCKET)


@pytest.mark.parametrize("mode", ["a2v", "lipsync"])
def test_the_clip_is_as_long_as_the_sound_unless_told(mode: str, small: Request, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 3.0)

    assert parse(mode, small(mode, audio=sound, seconds=None)).duration == pytest.approx(3.0, abs=4 / 24)
    assert parse(mode, small(mode, audio=sound, seconds=None, audio_start=2.0)).duration == pytest.approx(1, abs=4 / 24)
    assert parse(mode, small(mode, audio=sound, seconds=1.0)).duration == pytest.approx(1, abs=4 / 24)


def test_a_long_sound_is_cut_at_what_the_model_can_make(small: Request, tmp_path: Path) -> None:
    made = parse("a2v", small("a2v", audio=write_sound(tmp_path / "a.wav", 30, rate=8000), seconds=None))

    assert made.seconds == 20
    assert any("The sound is cut" in note for note in MODES["a2v"].notes(made, FAST, POCKET))


def test_a_short_sound_is_said_to_be_padded(small: Request, tmp_path: Path) -> None:
    made = parse("a2v", small("a2v", audio=write_sound(tmp_path / "a.wav", 0.4), seconds=2.0))

    assert any("ends after 0.40 s" in note for note in MODES["a2v"].notes(made, FAST, POCKET))


def test_a_sound_cannot_begin_after_its_end(small: Request) -> None:
    with pytest.raises(RequestError, match=r"is 0.90 s long, so it cannot start at 5 s"):
        parse("a2v", small("a2v", audio_start=5))


def test_a_restyled_clip_is_as_long_as_the_clip_and_cannot_be_longer(small: Request, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=49)

    assert parse("style", small("style", clip=clip, seconds=None)).frames == 49
    with pytest.raises(RequestError, match=r"ends after 2.04 s"):
        parse("style", small("style", clip=clip, seconds=3))
    with pytest.raises(RequestError, match="cannot start at 9 s"):
        parse("style", small("style", clip=clip, clip_start=9))


def test_the_sound_of_a_silent_clip_cannot_be_kept(small: Request, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no sound to keep"):
        parse("style", small("style", clip=write_film(tmp_path / "a.mp4"), sound="source"))


def test_a_portrait_gives_a_portrait_clip_unless_told(small: Request, tmp_path: Path) -> None:
    portrait = write_picture(tmp_path / "a.png", (300, 400))

    made = parse("i2v", small("i2v", image=portrait, width=None, height=None))

    assert (made.width, made.height) == (192, 256)
    assert MODES["i2v"].notes(made, FAST, POCKET) == []


def test_a_portrait_in_a_landscape_job_is_said_to_be_cropped(small: Request, tmp_path: Path) -> None:
    portrait = write_picture(tmp_path / "a.png", (300, 400))

    made = parse("i2v", small("i2v", image=portrait, width=256, height=128))

    (note,) = MODES["i2v"].notes(made, FAST, POCKET)
    assert "62% of it is cut off at the top and bottom" in note


def test_one_side_that_is_given_decides_the_other(small: Request, tmp_path: Path) -> None:
    portrait = write_picture(tmp_path / "a.png", (300, 600))

    made = parse("i2v", small("i2v", image=portrait, width=256, height=None))

    assert (made.width, made.height) == (256, 512)


@pytest.mark.parametrize(
    ("mode", "preset", "changes", "step"),
    [
        ("i2v", FAST, {}, 64),
        ("i2v", FAST, {"control_clip": "clip"}, 128),
        ("style", FAST, {}, 64),
        ("style", DRAFT, {}, 128),
    ],
)
def test_a_guide_in_a_stage_of_half_size_needs_steps_of_128(
    mode: str, preset: Any, changes: dict[str, Any], step: int, small: Request, samples: Any
) -> None:
    files = {name: samples[value] for name, value in changes.items()}
    made = parse(mode, small(mode, width=320, height=320, **files), preset)

    assert made.width == made.height == (320 if step == 64 else 256)


@pytest.mark.parametrize(
    ("mode", "field"),
    [
        ("i2v", "image"),
        ("lipsync", "image"),
        ("keyframe", "first_image"),
        ("keyframe", "last_image"),
        ("style", "image"),
    ],
)
def test_what_is_no_picture_is_refused_before_the_run(mode: str, field: str, small: Request, tmp_path: Path) -> None:
    text, dot = tmp_path / "a.png", write_picture(tmp_path / "dot.png", (1, 1))
    text.write_text("hello")

    for path, said in ((text, "is not a picture"), (dot, "too small"), (tmp_path / "gone.png", "There is no file")):
        with pytest.raises(RequestError, match=said):
            parse(mode, small(mode, **{field: path}))


@pytest.mark.parametrize(("mode", "field"), [("style", "clip"), ("i2v", "control_clip"), ("keyframe", "control_clip")])
def test_a_clip_without_pictures_is_refused_before_the_run(mode: str, field: str, small: Request, samples: Any) -> None:
    with pytest.raises(RequestError, match="it has no pictures"):
        parse(mode, small(mode, **{field: samples["sound"]}))


@pytest.mark.parametrize("mode", MODES)
def test_what_is_missing_is_named(mode: str, small: Request) -> None:
    for name in MODES[mode].media:
        if MODES[mode].params.model_fields[name].is_required():
            with pytest.raises(RequestError, match=f"{MODES[mode].params.model_fields[name].title} is missing"):
                parse(mode, small(mode, **{name: None}))


def test_a_lora_that_is_none_is_refused_before_the_run(small: Request, samples: Any) -> None:
    with pytest.raises(RequestError, match="is not a LoRA"):
        parse("t2v", small("t2v", loras=[{"file": samples["image"]}]))


def test_the_pictures_decide_the_shape_and_not_a_control_clip(small: Request, samples: Any, tmp_path: Path) -> None:
    portrait = write_picture(tmp_path / "a.png", (300, 600))
    files = {"first_image": portrait, "last_image": portrait, "control_clip": samples["clip"]}

    made = parse("keyframe", small("keyframe", **files, width=None, height=None))

    assert made.height > made.width


def test_the_length_that_is_taken_from_a_sound_fits_the_frame_rate(small: Request, tmp_path: Path) -> None:
    made = parse("a2v", small("a2v", audio=write_sound(tmp_path / "a.wav", 30, rate=8000), seconds=None, fps=50))

    assert made.frames <= 993


def test_a_clip_that_is_too_short_to_restyle_is_refused_with_advice(small: Request, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"0\.125 s of the clip can be used; the minimum is 0\.209 s") as refused:
        parse("style", small("style", clip=write_film(tmp_path / "a.mp4", frames=3), seconds=None))

    assert refused.value.hint == "Use a longer clip."


def test_a_clip_that_is_used_from_near_its_end_is_refused_with_advice(small: Request, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=24)

    with pytest.raises(RequestError, match=r"0\.100 s of the clip can be used; the minimum is 0\.209 s") as refused:
        parse("style", small("style", clip=clip, clip_start=0.9, seconds=None))

    assert refused.value.hint == "Use an earlier start, or a longer clip."


def test_a_control_clip_that_ends_early_or_is_cropped_is_said(small: Request, tmp_path: Path) -> None:
    control = write_film(tmp_path / "a.mp4", frames=12, size=(256, 128))

    made = parse("i2v", small("i2v", control_clip=control, width=256, height=256, seconds=2))
    notes = MODES["i2v"].notes(made, FAST, POCKET)

    assert any("The control clip ends after 0.50 s" in note for note in notes)
    assert any("The control clip is 256×128" in note for note in notes)


@pytest.mark.parametrize("width", [float("nan"), float("inf"), 10**400, -5], ids=["nan", "inf", "huge", "negative"])
def test_a_width_that_is_none_is_refused_in_words(width: Any, small: Request) -> None:
    with pytest.raises(RequestError, match="Width"):
        parse("i2v", small("i2v", width=width, height=None))


@pytest.mark.parametrize("odd", [["t2v"], {"a": 1}, None, 7, "\ud800", "x" * 100_000])
def test_a_name_that_a_client_makes_up_is_refused_in_few_words(odd: Any) -> None:
    for look_up in (get_mode, LTX_2_3.get_preset, REGISTRY.get_set):
        with pytest.raises(RequestError, match=r"^There is no ") as refused:
            look_up(odd)
        assert len(str(refused.value)) < 200


def test_a_parameter_that_a_client_makes_up_is_refused_in_few_words(small: Request) -> None:
    with pytest.raises(RequestError) as refused:
        T2V.parse(small("t2v", **{"x" * 100_000: 1}), POCKET)
    assert len(refused.value.message) < 200


def test_a_length_that_is_another_than_asked_is_said() -> None:
    (note,) = T2V.notes(params(seconds=0.5), FAST, POCKET)

    assert note == "The clip is 0.38 s long instead of 0.5 s: the frame count is a multiple of 8, plus 1."
    assert T2V.notes(params(seconds=2), FAST, POCKET) == []
