"""Recordings that were joined end to end are read to the end of the last one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltx_studio.media import probe_clip, probe_sound
from tests.media import reference
from tests.media.drawn import FPS
from tests.media.readings import numbered, numbers, read_clip, read_sound
from tests.media.reference import ffmpeg
from tests.media.table_sounds import noise
from tests.media.test_table import lag, level

X264 = ("-c:v", "libx264", "-crf", "10", "-preset", "ultrafast", "-bf", "2")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2")


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(("suffix", "codec"), [("ts", X264), ("mpg", MPEG2), ("mkv", X264)])
def test_both_of_two_joined_recordings_are_read(suffix: str, codec: tuple[str, ...], tmp_path: Path) -> None:
    one = numbered(tmp_path / f"one.{suffix}", *codec, count=20)
    two = numbered(tmp_path / f"two.{suffix}", *codec, first=20, count=30)
    path = joined(tmp_path / f"both.{suffix}", one, two)

    found, pictures = read_clip(path, frames=50)

    assert found.seconds == pytest.approx(2.0, abs=1 / FPS)
    assert numbers(pictures) == list(range(50))


def test_a_late_part_of_joined_recordings_is_found(tmp_path: Path) -> None:
    one = numbered(tmp_path / "one.ts", *X264, "-g", "100", count=150)
    two = numbered(tmp_path / "two.ts", *X264, "-g", "100", first=150, count=100)
    path = joined(tmp_path / "both.ts", one, two)

    for start in (5.6, 6.0, 9.6):
        first = round(start * FPS)
        assert numbers(read_clip(path, start, frames=3)[1]) == [first, first + 1, first + 2]


def test_the_sound_of_joined_recordings_stays_with_their_pictures(tmp_path: Path) -> None:
    parts = []
    for number, level_of in enumerate((0.1, 0.5)):
        (tmp_path / "a.raw").write_bytes((noise(1.2, 2) * level_of).astype(np.float32).tobytes())
        plain = numbered(tmp_path / f"plain{number}.mp4", *X264, count=30)
        sound: tuple[str | Path, ...] = (
            "-f",
            "f32le",
            "-ar",
            "48000",
            "-ch_layout",
            "stereo",
            "-i",
            tmp_path / "a.raw",
        )
        part = tmp_path / f"{number}.ts"
        ffmpeg("-i", plain, *sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", part)
        parts.append(part)
    path = joined(tmp_path / "both.ts", *parts)

    heard, expected = read_sound(path, 10), reference.sound(path)

    assert probe_clip(path).seconds == pytest.approx(2.4, abs=1 / FPS)
    assert len(heard) == pytest.approx(len(expected), abs=2_000)
    for half in (slice(0, 50_000), slice(60_000, 110_000)):
        assert abs(lag(heard[half].mean(axis=1), expected[half].mean(axis=1))) <= 0.001
        assert level(heard[half, 0]) == pytest.approx(level(expected[half, 0]), abs=0.3)


def test_the_video_of_a_chained_ogg_is_read_whole(tmp_path: Path) -> None:
    theora = ("-c:v", "libtheora", "-q:v", "9")
    parts = [numbered(tmp_path / f"{first}.ogv", *theora, first=first, count=20) for first in (0, 20)]

    found, pictures = read_clip(joined(tmp_path / "both.ogv", *parts), frames=43)

    assert found.seconds == pytest.approx(43 / FPS, abs=0.01)  # three headers count as frames, in FFmpeg too
    assert sorted(set(numbers(pictures))) == list(range(40))


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libopus", "ogg"), ("libvorbis", "ogg"), ("flac", "ogg"), ("flac", "flac"), ("libmp3lame", "mp3")],
)
def test_every_one_of_joined_sounds_is_heard(codec: str, suffix: str, tmp_path: Path) -> None:
    parts = []
    for number, loudness in enumerate(("1", "0.5")):
        (tmp_path / "a.raw").write_bytes(noise(1.2, 1).tobytes())
        given: tuple[str | Path, ...] = ("-f", "f32le", "-ar", "48000", "-ch_layout", "mono", "-i", tmp_path / "a.raw")
        ffmpeg(*given, "-af", f"volume={loudness}", "-c:a", codec, tmp_path / f"{number}.{suffix}")
        parts.append(tmp_path / f"{number}.{suffix}")
    path = joined(tmp_path / f"both.{suffix}", *parts)

    heard: Any = read_sound(path, 10)
    expected = reference.sound(path)

    assert probe_sound(path).seconds == pytest.approx(2.4, abs=0.06)
    assert len(heard) == pytest.approx(len(expected), abs=2_000)
    assert abs(lag(heard.mean(axis=1), expected.mean(axis=1))) <= 0.001
    assert level(heard[70_000:, 0]) == pytest.approx(level(expected[70_000:, 0]), abs=0.3)
