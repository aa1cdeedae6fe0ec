"""What is heard of sounds in every layout."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.layout import AudioLayout

from ltx_studio.media.downmix import Mixer, stereo_gains
from ltx_studio.media.trim import cut_sound
from tests.media.drawn import wav
from tests.media.reference import ffmpeg

MIXED_BY_FFMPEG = [
    *("stereo", "2.1", "3.0", "3.0(back)", "4.0", "quad", "quad(side)", "3.1", "5.0", "5.0(side)", "4.1", "5.1"),
    *("5.1(side)", "6.0", "6.0(front)", "3.1.2", "hexagonal", "6.1", "6.1(back)", "6.1(front)", "7.0", "7.0(front)"),
    *("7.1", "7.1(wide)", "7.1(wide-side)", "5.1.2", "5.1.2(back)", "octagonal", "downmix"),
]
DOWN = 2**-0.5
RATE = 48_000


def tones(count: int, seconds: float = 0.2) -> Any:
    """Return (samples, channels) float32: another tone in each channel."""
    moments = np.arange(round(seconds * RATE)) / RATE
    hertz = 200 * (1 + np.arange(count))
    return (0.1 * np.sin(2 * np.pi * moments[:, None] * hertz)).astype(np.float32)


def mixed(samples: Any, layout: str) -> Any:
    """Return what the mixer makes of a sound."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate = RATE
    mixer = Mixer(frame, RATE)
    pieces = [*mixer.mixed(frame), *mixer.rest()]
    return np.concatenate([piece for _, piece, _ in pieces])


@pytest.mark.parametrize("layout", MIXED_BY_FFMPEG)
def test_a_layout_is_mixed_as_ffmpeg_mixes_floats(layout: str, tmp_path: Path) -> None:
    samples = tones(AudioLayout(layout).nb_channels)
    (tmp_path / "a.raw").write_bytes(samples.tobytes())
    given = ("-f", "f32le", "-ar", str(RATE), "-ch_layout", layout, "-i", tmp_path / "a.raw")
    raw = ffmpeg(*given, *(("-ac", "2") if samples.shape[1] > 2 else ()), "-f", "f32le", "-")

    assert mixed(samples, layout) == pytest.approx(np.frombuffer(raw, np.float32).reshape(-1, 2), abs=1e-4)


@pytest.mark.parametrize("count", range(3, 9))
def test_a_sound_without_a_layout_is_taken_for_the_usual_one_of_its_channels(count: int) -> None:
    samples = tones(count)

    assert mixed(samples, f"{count} channels") == pytest.approx(mixed(samples, f"{count}c"), abs=1e-6)


@pytest.mark.parametrize(
    ("order", "gains"),
    [
        ("FC", [(1, 1)]),
        ("LFE", [(1, 1)]),
        ("FL LFE", [(1, 1), (0, 0)]),
        ("FC LFE", [(1, 1), (0, 0)]),
        ("BL BR", [(1, 0), (0, 1)]),
        ("SL SR", [(1, 0), (0, 1)]),
        ("SL SR LFE", [(1, 0), (0, 1), (0, 0)]),
        ("TFL TFR", [(1, 0), (0, 1)]),
        ("FLC FRC", [(1, 0), (0, 1)]),
        ("BIL BIR", [(1, 0), (0, 1)]),
        ("FR FL", [(0, 1), (1, 0)]),
        ("FL BC", [(1, 0), (0.5, 0.5)]),
        ("FC BL BR", [(1, 1), (1, 0), (0, 1)]),
        ("FL FR UNSD", [(1, 0), (0, 1), (0, 0)]),
        ("FL FR USR63", [(1, 0), (0, 1), (DOWN, DOWN)]),
        (
            "FL FR BL BR TFL TFR TBL TBR",
            [(1, 0), (0, 1), (DOWN, 0), (0, DOWN), (DOWN, 0), (0, DOWN), (0.5, 0), (0, 0.5)],
        ),
        ("AMBI0", [(1, 1)]),
        ("AMBI0 AMBI1 AMBI2 AMBI3", [(0.5, 0.5), (0.5, -0.5), (0, 0), (0, 0)]),
        ("AMBI0 AMBI1 AMBI2 AMBI3 FL FR", [(0.5, 0.5), (0.5, -0.5), (0, 0), (0, 0), (1, 0), (0, 1)]),
    ],
)
def test_each_channel_is_heard_from_its_place(order: str, gains: list[tuple[float, float]]) -> None:
    assert np.array(stereo_gains(tuple(order.split()))) == pytest.approx(np.array(gains))


@pytest.mark.parametrize("mask", [0x9, 0x30, 0x600, 0x5000, 0x101, 0xC0, 0x0])
def test_a_wav_of_two_channels_in_unusual_places_is_read(mask: int, tmp_path: Path) -> None:
    samples = tones(2)
    path = wav(tmp_path / "a.wav", samples, mask=mask)

    made = cut_sound(path, 0, 1, lambda: None) / 32_767

    expected = samples @ np.array({0x9: [[1, 1], [0, 0]], 0x101: [[1, 0], [0.5, 0.5]]}.get(mask, np.eye(2)))
    assert made == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("layout", "count"), [("ambisonic 1", 4), ("ambisonic 1+stereo", 6)])
def test_ambisonics_are_heard(layout: str, count: int, tmp_path: Path) -> None:
    moments = np.arange(RATE) / RATE
    samples = np.zeros((RATE, count), np.float32)
    samples[:, 0] = samples[:, 1] = 0.2 * np.sin(2 * np.pi * 400 * moments)  # all that is heard comes from the left
    (tmp_path / "a.raw").write_bytes(samples.tobytes())
    given = ("-f", "f32le", "-ar", str(RATE), "-ch_layout", layout, "-i", tmp_path / "a.raw")
    ffmpeg(*given, "-c:a", "libopus", "-b:a", "512k", "-mapping_family", "2", tmp_path / "a.opus")

    made = cut_sound(tmp_path / "a.opus", 0, 1, lambda: None)[4800:-4800] / 32_767

    assert 20 * np.log10(made[:, 0].std() / samples[:, 0].std()) == pytest.approx(0, abs=0.3)
    assert made[:, 1].std() < 0.1 * made[:, 0].std()


@pytest.mark.parametrize(
    ("layout", "gains"),
    [("FR+FL", [[0, 1], [1, 0]]), ("FL+FR+FR", [[1, 0], [0, 1], [0, 1]]), ("FC+FL+FR", [[DOWN, DOWN], [1, 0], [0, 1]])],
)
def test_a_quicktime_sound_in_an_order_of_its_own_is_read(
    layout: str, gains: list[list[float]], tmp_path: Path
) -> None:
    """In a process of its own: PyAV ended it with "double free or corruption"."""
    samples = tones(len(gains))
    (tmp_path / "a.raw").write_bytes(samples.tobytes())
    given = ("-f", "f32le", "-ar", str(RATE), "-ch_layout", layout, "-i", tmp_path / "a.raw")
    ffmpeg(*given, "-c:a", "pcm_s16le", tmp_path / "a.mov")
    told = (
        "import gc, sys; from pathlib import Path; from ltx_studio.media import trim, probe\n"
        "found = probe._listen_to_sound(Path(sys.argv[1])); made = trim.cut_sound(Path(sys.argv[1]), 0, 1, list)\n"
        "gc.collect(); Path(sys.argv[2]).write_bytes(made.tobytes())"
    )

    done = subprocess.run(
        [sys.executable, "-c", told, tmp_path / "a.mov", tmp_path / "made"], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr.decode()) == (0, "")
    made = np.frombuffer((tmp_path / "made").read_bytes(), np.int16).reshape(-1, 2) / 32_767
    assert made == pytest.approx(samples @ np.array(gains), abs=1e-3)
