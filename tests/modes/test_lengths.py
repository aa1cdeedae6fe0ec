"""How long a clip is that follows a file: no end of a sound is cut, and no picture is held, without a word."""

import re
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltx_studio.families.ltx_2_3 import FAST
from ltx_studio.media.extract import write_sound as copy_sound
from ltx_studio.modes import MODES
from tests.fixtures import Request
from tests.samples import write_film, write_sound
from tests.support import DATA, MODEL_SETS

POCKET = MODEL_SETS["pocket"]
RATES = [8, 23.976, 24, 25, 30, 50]


def beep_at_the_end(path: Path, seconds: float, *, silent: float = 0.01, rate: int = 16_000) -> Path:
    """Silence, and a beep of 50 ms that ends `silent` seconds before the end."""
    samples = np.zeros(round(seconds * rate), dtype="<i2")
    end = len(samples) - round(silent * rate)
    length = round(0.05 * rate)
    samples[end - length : end] = 20_000 * np.sin(np.arange(length) * 0.4)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return path


def silence_with_beep(path: Path, seconds: float, beep_at: float | None) -> Path:
    """Write a sound with nothing in it but a beep of 50 ms at second `beep_at`, if that is given."""
    if beep_at is not None:
        return beep_at_the_end(path, seconds, silent=seconds - beep_at - 0.05)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(bytes(2 * round(seconds * 16_000)))
    return path


def asked(mode: str, small: Request, **values: Any) -> Any:
    return MODES[mode].parse(small(mode, **values), POCKET, FAST)


def notes(mode: str, params: Any) -> str:
    return " ".join(MODES[mode].notes(params, FAST, POCKET))


@pytest.mark.parametrize("mode", ["a2v", "lipsync"])
def test_the_last_word_of_a_sound_is_kept(mode: str, small: Request) -> None:
    made = asked(mode, small, audio=DATA / "end185.wav", seconds=None)

    assert made.frames == 49
    assert "The sound ends after 1.85 s; the rest of the clip's 2.04 s is silent." in notes(mode, made)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("seconds", [0.31, 0.9, 1.46, 1.72, 2.09, 3.33, 7.77])
def test_the_whole_sound_is_in_a_clip_that_is_as_long(
    seconds: float, fps: float, small: Request, tmp_path: Path
) -> None:
    made = asked("a2v", small, audio=beep_at_the_end(tmp_path / "a.wav", seconds), seconds=None, fps=fps)

    assert made.duration >= seconds - 0.01, "the beep ends here"
    assert made.duration - seconds < max(8 / fps, 0.31)
    assert (made.frames - 1) % 8 == 0


def test_what_is_kept_is_counted_from_where_the_sound_is_used(small: Request, tmp_path: Path) -> None:
    sound = beep_at_the_end(tmp_path / "a.wav", 3.0)

    made = asked("a2v", small, audio=sound, audio_start=1.15, seconds=None)

    assert made.frames == 49


@pytest.mark.parametrize("seconds", [1.7, 1.8])
def test_a_length_that_cuts_the_sound_says_so_in_seconds(seconds: float, small: Request) -> None:
    made = asked("a2v", small, audio=DATA / "end185.wav", seconds=seconds)

    assert made.frames == 41
    assert "The sound is cut: 1.71 of 1.85 s are used; the last 0.14 s are dropped." in notes("a2v", made)
    assert "Set the length to 2.04 s to keep all of it." in notes("a2v", made)
    assert asked("a2v", small, audio=DATA / "end185.wav", seconds=2.04).frames == 49


def test_even_a_little_that_is_cut_is_said(small: Request, tmp_path: Path) -> None:
    made = asked("a2v", small, audio=beep_at_the_end(tmp_path / "a.wav", 2.06, silent=0), seconds=2.0)

    assert "2.04 of 2.06 s are used; the last 0.02 s are dropped" in notes("a2v", made)


def test_a_sound_that_no_clip_can_hold_is_said_to_be_cut(small: Request, tmp_path: Path) -> None:
    made = asked("a2v", small, audio=write_sound(tmp_path / "a.wav", 20.5, rate=8000), seconds=None)

    assert "The sound is cut: 20.04 of 20.50 s are used; the last 0.46 s are dropped." in notes("a2v", made)
    assert "To use another part, change “Sound from”." in notes("a2v", made)
    assert "to keep all of it" not in notes("a2v", made)


def test_a_length_that_was_not_given_is_not_compared_with_the_clips(small: Request, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 19.9, rate=8000)

    of_the_sound = asked("a2v", small, audio=sound, seconds=None, fps=8)
    given = asked("a2v", small, audio=sound, seconds=19, fps=8)

    assert of_the_sound.duration == pytest.approx(20.125)
    assert "instead of" not in notes("a2v", of_the_sound)
    assert "The clip is 19.12 s long instead of 19 s: the frame count is a multiple of 8, plus 1." in notes(
        "a2v", given
    )


@pytest.mark.parametrize("mode", ["a2v", "lipsync"])
@pytest.mark.parametrize(
    ("beep_at", "start", "said"),
    [
        (None, 0.0, "The sound is silent."),
        (2.5, 0.0, "The sound is silent where it is used."),
        (0.5, 1.0, "The sound is silent where it is used."),
        (0.5, 0.0, ""),
    ],
)
def test_a_sound_in_which_nothing_is_to_be_heard_is_named(
    mode: str, beep_at: float | None, start: float, said: str, small: Request, tmp_path: Path
) -> None:
    total = 3.0 if beep_at == 2.5 else 2.04
    sound = silence_with_beep(tmp_path / "a.wav", total, beep_at)

    made = asked(mode, small, audio=sound, audio_start=start, seconds=2.04 if start == 0 else None)

    assert said in notes(mode, made)
    assert ("The sound is silent" in notes(mode, made)) == bool(said)


@pytest.mark.parametrize("frames", [41, 49, 97])
def test_the_sound_of_a_take_makes_no_longer_a_clip(frames: int, small: Request, tmp_path: Path) -> None:
    """AAC begins with a block that is not played; it is no part of the length."""
    film = write_film(tmp_path / "a.mp4", frames=frames, sound=True)

    for sound in (film, copy_sound(film, tmp_path / "a.m4a")):
        made = asked("a2v", small, audio=sound, seconds=None)
        assert made.frames == frames
        assert "The sound" not in notes("a2v", made)


@pytest.mark.parametrize(("rate", "frames", "made_of"), [(24, 49, 49), (24, 48, 41), (25, 50, 41), (30, 60, 41)])
def test_a_restyled_clip_holds_no_picture(rate: int, frames: int, made_of: int, small: Request, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=frames, fps=rate)

    made = asked("style", small, clip=clip, seconds=None)

    assert made.frames == made_of
    assert "is held" not in notes("style", made)
    assert ("The clip is cut: 1.71 of 2.00 s are used" in notes("style", made)) == (frames != made_of)


def test_a_picture_that_is_held_is_said(small: Request, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=46)

    made = asked("style", small, clip=clip, seconds=2.0)

    assert made.frames == 49
    assert "The clip ends after 1.92 s; its last frame is held for 0.12 s." in notes("style", made)


@pytest.mark.parametrize(
    ("sound", "tone_seconds", "start", "said"),
    [
        ("source", 4.0, 0.0, "The clip's sound is cut: 2.04 of 4.00 s are used; the last 1.96 s are dropped."),
        ("source", 4.0, 1.0, "The clip's sound is cut: 1.04 of 3.00 s are used; the last 1.96 s are dropped."),
        ("source", 2.04, 0.0, ""),
        ("source", 1.5, 0.0, ""),
        ("generated", 4.0, 0.0, ""),
        ("off", 4.0, 0.0, ""),
    ],
)
def test_what_is_lost_of_a_clips_sound_beyond_its_pictures_is_said(
    sound: str, tone_seconds: float, start: float, said: str, small: Request, tmp_path: Path
) -> None:
    clip = write_film(tmp_path / "a.mov", frames=49, sound=True, sound_seconds=tone_seconds)

    made = asked("style", small, clip=clip, seconds=None, sound=sound, clip_start=start)

    assert made.frames == round(49 - start * 24)
    assert said in notes("style", made)
    assert ("sound is cut" in notes("style", made)) == bool(said)


@pytest.mark.parametrize(("sound_at", "tone_seconds", "lost"), [(1.0, 2.0, 0.96), (1.0, 1.04, 0), (-0.5, 2.54, 0)])
def test_a_clips_sound_is_measured_from_its_first_picture_on(
    sound_at: float, tone_seconds: float, lost: float, small: Request, tmp_path: Path
) -> None:
    clip = write_film(tmp_path / "a.mkv", frames=49, sound=True, sound_at=sound_at, sound_seconds=tone_seconds)

    made = asked("style", small, clip=clip, seconds=None, sound="source")

    said = re.findall(r"sound is cut: .* the last ([\d.]+) s are dropped", notes("style", made))
    assert [float(each) for each in said] == ([pytest.approx(lost, abs=0.03)] if lost else [])


def test_a_long_clip_is_said_to_be_cut(small: Request, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=600)

    made = asked("style", small, clip=clip, seconds=None)

    assert "The clip is cut: 20.04 of 25.00 s are used." in notes("style", made)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "The clip is cut: 2.04 of 2.08 s are used (the frame count is a multiple of 8, plus 1)."),
        (2.08, "The clip is cut: 2.04 of 2.08 s are used (the frame count is a multiple of 8, plus 1)."),
        (1.9, "The clip is cut: 2.04 of 2.08 s are used."),
        (1.7, "The clip is cut: 1.71 of 2.08 s are used."),
        (0.7, "The clip is cut: 0.71 of 2.08 s are used."),
    ],
)
def test_the_rule_for_lengths_is_named_only_where_it_cuts_the_clip(
    seconds: float | None, said: str, small: Request, tmp_path: Path
) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=50)

    assert said in notes("style", asked("style", small, clip=clip, seconds=seconds))


def test_what_a_control_clip_does_not_cover_is_said_from_one_picture_on(small: Request, tmp_path: Path) -> None:
    clip = write_film(tmp_path / "a.mp4", frames=47)

    short = asked("i2v", small, control_clip=clip, seconds=2.0)
    long = asked("i2v", small, control_clip=clip, seconds=0.7)

    assert "The control clip ends after 1.96 s; after that, only the prompt guides the motion." in notes("i2v", short)
    assert "The control clip is cut: 0.71 of 1.96 s are used." in notes("i2v", long)
