"""A part of a clip begins with the frame of its first moment, wherever key frames are."""

from pathlib import Path

import pytest

from tests.media.drawn import FPS
from tests.media.readings import numbered, numbers, read_clip
from tests.media.reference import ffmpeg

ONE_KEY_FRAME = ("-g", "999", "-keyint_min", "999", "-sc_threshold", "0")
X264 = ("-c:v", "libx264", "-crf", "10", "-preset", "veryfast", "-bf", "2")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "125")


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("ts", X264), ("m2ts", X264), ("mkv", X264), ("flv", X264), ("mpg", MPEG2)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_late_start_far_from_a_key_frame_is_exact(suffix: str, codec: tuple[str, ...], tmp_path: Path) -> None:
    plain = numbered(tmp_path / "plain.mkv", *codec, *(ONE_KEY_FRAME if codec is X264 else ()), count=200)
    path = tmp_path / f"a.{suffix}"
    ffmpeg("-i", plain, "-c", "copy", *(("-live", "1") if suffix == "mkv" else ()), path)

    for start in (6.0, 7.6):
        first = round(start * FPS)
        assert numbers(read_clip(path, start, frames=4)[1]) == list(range(first, first + 4))


def test_no_frame_of_an_avi_with_b_frames_is_lost(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.avi", "-c:v", "libx264", "-crf", "10", "-bf", "3", count=200)

    assert numbers(read_clip(path, frames=12)[1]) == list(range(12))
    assert numbers(read_clip(path, 6.0, frames=12)[1]) == list(range(150, 162))
    assert numbers(read_clip(path, 7.6, frames=10)[1]) == list(range(190, 200))
