"""The sounds of the table: codecs, layouts and rates, and sounds inside clips."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.media.drawn import clip
from tests.media.reference import ffmpeg

SECONDS = 1.2
LAYOUTS = {"mono": 1, "stereo": 2, "2.1": 3, "quad": 4, "5.1": 6, "5.1(side)": 6, "7.1": 8}


@dataclass(frozen=True)
class Sound:
    """A sound that is made: its name, and what writes it into a folder."""

    name: str
    make: Callable[[Path], Path]


CODECS: tuple[tuple[str, str, str, int], ...] = (
    ("wav", "pcm_s16le", "stereo", 44_100),
    ("wav", "pcm_u8", "stereo", 22_050),
    ("wav", "pcm_s24le", "stereo", 96_000),
    ("wav", "pcm_f32le", "stereo", 48_000),
    ("wav", "pcm_f64le", "mono", 44_100),
    ("wav", "pcm_mulaw", "mono", 8_000),
    ("wav", "adpcm_ms", "stereo", 44_100),
    ("w64", "pcm_s32le", "stereo", 48_000),
    ("aiff", "pcm_s16be", "stereo", 44_100),
    ("caf", "alac", "stereo", 44_100),
    ("au", "pcm_s16be", "mono", 16_000),
    ("flac", "flac", "stereo", 44_100),
    ("flac", "flac", "mono", 96_000),
    ("mp3", "libmp3lame", "stereo", 44_100),
    ("mp3", "libmp3lame", "mono", 22_050),
    ("mp3", "libmp3lame", "mono", 48_000),
    ("mp2", "mp2", "stereo", 48_000),
    ("m4a", "aac", "stereo", 44_100),
    ("m4a", "aac", "mono", 48_000),
    ("m4a", "aac", "mono", 16_000),
    ("m4a", "alac", "stereo", 48_000),
    ("aac", "aac", "stereo", 44_100),
    ("ogg", "libopus", "stereo", 48_000),
    ("opus", "libopus", "mono", 48_000),
    ("ogg", "libvorbis", "stereo", 44_100),
    ("ogg", "libvorbis", "mono", 32_000),
    ("mka", "libvorbis", "stereo", 48_000),
    ("webm", "libopus", "stereo", 48_000),
    ("ac3", "ac3", "stereo", 48_000),
    ("eac3", "eac3", "stereo", 44_100),
    ("wma", "wmav2", "stereo", 44_100),
    ("wv", "wavpack", "stereo", 44_100),
    ("tta", "tta", "stereo", 44_100),
    ("ts", "aac", "stereo", 48_000),
    ("flv", "aac", "stereo", 44_100),
    ("mov", "pcm_s16be", "mono", 48_000),
    ("avi", "pcm_s16le", "stereo", 44_100),
    ("3gp", "libopencore_amrnb", "mono", 8_000),
)


def sounds() -> Iterator[Sound]:
    """Give every sound of the table."""
    for suffix, codec, layout, rate in CODECS:
        made = partial(_sound, suffix=suffix, codec=codec, layout=layout, rate=rate)
        yield Sound(f"{suffix} {codec} {layout} {rate}", made)
    for layout in LAYOUTS:
        for suffix, codec in (("wav", "pcm_s16le"), ("wav", "pcm_f32le"), ("flac", "flac"), ("mka", "aac")):
            if codec != "aac" or layout in ("mono", "stereo", "quad", "5.1", "7.1"):
                yield Sound(f"{suffix} {codec} {layout}", partial(_sound, suffix=suffix, codec=codec, layout=layout))
    for channel in range(6):
        yield Sound(
            f"ac3 5.1, only channel {channel}", partial(_sound, suffix="ac3", codec="ac3", layout="5.1", only=channel)
        )
    yield Sound("wav 5.1 too loud to be mixed", partial(_sound, suffix="wav", layout="5.1", volume=0.9))
    for suffix in ("mp4", "mkv", "mov"):
        yield Sound(f"{suffix} default track", partial(_second_by_default, suffix=suffix))
    for suffix in ("m4a", "mp3", "ogg", "flac"):
        yield Sound(f"{suffix} with a cover", partial(_with_cover, suffix=suffix))
    for suffix, start in (("m4a", "0.3"), ("mp4", "0.25"), ("mka", "0.3")):
        yield Sound(f"{suffix} cut at {start}", partial(_cut, suffix=suffix, start=start))


def noise(seconds: float = SECONDS, channels: int = 1, volume: float = 0.3) -> Any:
    """Return (samples, channels) float32 at 48 kHz: noise below 3 kHz, which is like itself at one shift only."""
    count = round(seconds * 48_000)
    made = np.random.default_rng(5).standard_normal((count, channels))
    spectrum = np.fft.rfft(made, axis=0)
    hertz = np.fft.rfftfreq(count, 1 / 48_000)
    spectrum[(hertz < 80) | (hertz > 3000)] = 0
    made = np.fft.irfft(spectrum, count, axis=0)
    return (made / np.abs(made).max() * volume).astype(np.float32)


def _sound(
    folder: Path,
    suffix: str,
    codec: str = "pcm_s16le",
    layout: str = "mono",
    rate: int = 48_000,
    only: int | None = None,
    volume: float = 0.3,
) -> Path:
    raw = folder / "a.raw"
    samples = noise(channels=LAYOUTS[layout], volume=volume)
    if only is not None:
        samples[:, [channel for channel in range(samples.shape[1]) if channel != only]] = 0
    raw.write_bytes(samples.tobytes())
    given = ("-f", "f32le", "-ar", "48000", "-ch_layout", layout, "-i", raw)
    bits = ("-b:a", "12.2k") if "amr" in codec else ("-b:a", "256k") if codec in ("aac", "libmp3lame", "mp2") else ()
    ffmpeg(*given, "-ar", str(rate), "-c:a", codec, *bits, "-strict", "-2", folder / f"a.{suffix}")
    raw.unlink()
    return folder / f"a.{suffix}"


def _second_by_default(folder: Path, suffix: str) -> Path:
    film = clip(folder / "film.mp4", "-c:v", "libx264", frames=30)
    first, second = folder / "first.wav", folder / "second.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1.2", first)
    _sound(folder, "wav", layout="stereo").rename(second)
    maps = ("-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "256k")
    default = ("-disposition:a:0", "0", "-disposition:a:1", "default")
    ffmpeg("-i", film, "-i", first, "-i", second, *maps, *default, folder / f"a.{suffix}")
    return folder / f"a.{suffix}"


def _with_cover(folder: Path, suffix: str) -> Path:
    sound, cover = _sound(folder, "wav"), folder / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover)
    path = folder / f"covered.{suffix}"
    pictures = ("-i", cover, "-map", "0:a", "-map", "1:v", "-c:v", "png", "-disposition:v", "attached_pic")
    ffmpeg("-i", sound, *(pictures if suffix != "ogg" else ()), path)
    return path


def _cut(folder: Path, suffix: str, start: str) -> Path:
    """Cut without encoding anew: packets before the start stay, and the edit list leaves them out."""
    whole = _sound(folder, "m4a", "aac", "stereo")
    path = folder / f"cut.{suffix}"
    ffmpeg("-ss", start, "-i", whole, "-c", "copy", path)
    return path
