"""Files of every kind, each held against FFmpeg's own reading of it.

All of it takes minutes: `make test-all`. `make test` takes every tenth row.
"""

import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio.media import ClipFile, InputPreparer, PictureFile, SoundFile, probe_clip, probe_picture, probe_sound
from tests.media import reference
from tests.media.drawn import FPS, corners
from tests.media.table_clips import Clip, clips
from tests.media.table_pictures import Picture, pictures
from tests.media.table_sounds import Sound, sounds

COLOUR = 4
"""Of 255."""

LAG, DECIBELS = 0.001, 0.3
"""Seconds, and how much louder or softer."""

SOUND_FRAME = 0.047
"""Seconds of one frame of Windows Media Audio, the longest: its decoder gives the last one without a time."""


def tenth(rows: list[Any]) -> list[Any]:
    """Return pytest's parameters for the rows: all but every tenth are only for `--all`."""
    return [
        pytest.param(row, id=row.name, marks=() if number % 10 == 3 else pytest.mark.thorough)
        for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize("row", tenth(list(clips())))
def test_a_clip_is_read_as_ffmpeg_plays_it(row: Clip, tmp_path: Path) -> None:
    path = row.make(tmp_path)
    expected = reference.pictures(path, row.chain)

    found = probe_clip(path)
    name = InputPreparer(tmp_path / "in", tmp_path)(ClipFile(path, 0, 5, FPS, found.width, found.height))
    with av.open(tmp_path / "in" / name) as container:
        made = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    assert made[0].shape == expected[0].shape
    assert (found.width, found.height) == (made[0].shape[1], made[0].shape[0])
    assert np.abs(corners(made[0]) - corners(expected[0])).max() <= COLOUR
    assert np.abs(made[0].astype(int) - expected[0]).mean() <= COLOUR
    assert found.seconds == pytest.approx(reference.seconds(path), abs=1 / FPS)


@pytest.mark.parametrize("row", tenth(list(sounds())))
def test_a_sound_is_heard_as_ffmpeg_plays_it(row: Sound, tmp_path: Path) -> None:
    path = row.make(tmp_path)
    expected = reference.sound(path)
    expected = expected / max(1.0, np.abs(expected).max())

    found = probe_sound(path)
    name = InputPreparer(tmp_path / "in", tmp_path)(SoundFile(path, 0, 10))
    with wave.open(str(tmp_path / "in" / name)) as file:
        made = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2) / 32_768

    assert abs(lag(made.mean(axis=1), expected.mean(axis=1))) <= LAG
    for side in (0, 1):
        assert level(made[:, side]) == pytest.approx(level(expected[:, side]), abs=DECIBELS)
    assert found.seconds == pytest.approx(len(expected) / 48_000, abs=SOUND_FRAME)
    assert len(made) == pytest.approx(len(expected), abs=48_000 / FPS)


def lag(one: Any, other: Any) -> float:
    """Return by how many seconds a sound is later than another, at 48 kHz; 0 when both are silent."""
    size = 2 ** int(np.ceil(np.log2(len(one) + len(other))))
    both = np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size))
    place = int(np.argmax(np.fft.irfft(both, size)))
    return (place - size if place > size // 2 else place) / 48_000


def level(sound: Any) -> float:
    """Return decibels below full scale; what is below -80 counts as that."""
    return float(20 * np.log10(max(sound.std(), 1e-4)))


@pytest.mark.parametrize("row", tenth(list(pictures())))
def test_a_picture_is_shown_as_browsers_do(row: Picture, tmp_path: Path) -> None:
    path = row.make(tmp_path)

    found = probe_picture(path)
    with Image.open(tmp_path / "in" / InputPreparer(tmp_path / "in", tmp_path)(PictureFile(path))) as image:
        made = np.asarray(image)

    assert (found.width, found.height) == (made.shape[1], made.shape[0])
    assert np.abs(corners(made) - np.array(row.expected)).max() <= row.within


def test_the_table_has_rows_enough() -> None:
    assert len(list(clips())) + len(list(sounds())) + len(list(pictures())) >= 150
