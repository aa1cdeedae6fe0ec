"""FFmpeg's own reading of a file, which ours is held against: upright, by the edit list, HDR tone-mapped."""

import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

HDR_CHAIN = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:param=0.75:peak=5:desat=0,"
    "zscale=t=bt709:m=gbr:r=full,format=gbrp"
)
"""How HDR becomes SDR: white of SDR is 203 nits, and only what is brighter than three quarters of it is compressed."""

WIDE_CHAIN = "zscale=p=bt709:t=bt709:m=gbr:r=full,format=gbrp"
"""How SDR in a wide gamut becomes that of BT.709."""

SQUARE_CHAIN = "scale=iw*sar:ih:flags=bicubic+accurate_rnd+full_chroma_int"


def ffmpeg(*arguments: str | Path) -> bytes:
    """Return what FFmpeg writes to its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def pictures(path: Path, chain: str = "") -> Any:
    """Return the frames as (count, height, width, 3) uint8, upright and with square pixels."""
    filters = ",".join([*filter(None, [chain, SQUARE_CHAIN]), "format=rgb24"])
    flags = ("-sws_flags", "bicubic+accurate_rnd+full_chroma_int")
    raw = ffmpeg(*flags, "-i", path, "-map", "0:v", "-vf", filters, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    first = ffmpeg(*flags, "-i", path, "-vf", filters, "-frames:v", "1", "-c:v", "ppm", "-f", "image2pipe", "-")
    size = re.match(rb"P6\s(\d+)\s(\d+)", first)
    assert size is not None
    return np.frombuffer(raw, np.uint8).reshape(-1, int(size[2]), int(size[1]), 3)


def seconds(path: Path) -> float:
    """Return how long the pictures are shown, as FFmpeg plays them."""
    made = ffmpeg("-i", path, "-map", "0:v", "-f", "framecrc", "-")
    lines = [line.split(b",") for line in made.splitlines() if line and not line.startswith(b"#")]
    base = re.search(rb"#tb 0: (\d+)/(\d+)", made)
    assert base is not None
    unit = int(base[1]) / int(base[2])
    return (int(lines[-1][2]) + int(lines[-1][3]) - int(lines[0][2])) * unit


def sound(path: Path, rate: int = 48_000) -> Any:
    """Return the sound as (samples, channels) float32, each channel as the file has it."""
    channels = re.search(rb"#channel_layout_name 0: (\S+)", ffmpeg("-i", path, "-map", "0:a", "-f", "framecrc", "-"))
    assert channels is not None
    raw = ffmpeg("-i", path, "-map", "0:a", "-ar", str(rate), "-f", "f32le", "-")
    count = {b"mono": 1, b"stereo": 2, b"2.1": 3, b"quad": 4, b"5.1": 6, b"5.1(side)": 6, b"7.1": 8}[channels[1]]
    return np.frombuffer(raw, np.float32).reshape(-1, count)
