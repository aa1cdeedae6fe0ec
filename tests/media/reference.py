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

WIDE_CHAIN = "zscale=t=linear,format=gbrpf32le,zscale=p=bt709,zscale=t=bt709:m=gbr:r=full,format=gbrp"
"""How SDR in a wide gamut becomes that of BT.709."""

SQUARE_CHAIN = "scale=trunc(iw*sar/2+0.5)*2:ih:flags=bicubic+accurate_rnd+full_chroma_int"
_EXACT = ("-sws_flags", "bicubic+accurate_rnd+full_chroma_int")
_CHANNELS = {"mono": 1, "stereo": 2}


def ffmpeg(*arguments: str | Path) -> bytes:
    """Return what FFmpeg writes to its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def pictures(path: Path, chain: str = "") -> Any:
    """Return the frames as (count, height, width, 3) uint8: upright, with square pixels, on white."""
    filters = ("-vf", ",".join([*filter(None, [chain, SQUARE_CHAIN]), "format=rgba"]), "-an", "-sn", "-dn")
    given: tuple[str | Path, ...] = (*_EXACT, "-i", path, *filters)
    raw = ffmpeg(*given, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    first = ffmpeg(*given, "-frames:v", "1", "-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "-")
    size = re.match(rb"P6\s(\d+)\s(\d+)", first)
    assert size is not None
    pixels = np.frombuffer(raw, np.uint8).reshape(-1, int(size[2]), int(size[1]), 4).astype(np.float32)
    return np.rint(255 - pixels[..., 3:] / 255 * (255 - pixels[..., :3])).astype(np.uint8)


def seconds(path: Path) -> float:
    """Return how long the pictures are shown, as FFmpeg plays them."""
    made = ffmpeg("-i", path, "-an", "-fps_mode", "passthrough", "-f", "framecrc", "-")
    lines = [line.split(b",") for line in made.splitlines() if line and not line.startswith(b"#")]
    base = re.search(rb"#tb 0: (\d+)/(\d+)", made)
    assert base is not None
    return (int(lines[-1][2]) + int(lines[-1][3]) - int(lines[0][2])) * int(base[1]) / int(base[2])


def sound(path: Path, rate: int = 48_000) -> Any:
    """Return the sound as (samples, 2) float32: one channel on both sides, more than two as FFmpeg mixes floats."""
    said = ffmpeg("-i", path, "-vn", "-f", "framecrc", "-")
    layout = re.search(rb"#channel_layout_name 0: (\S+)", said)
    count = _CHANNELS.get(layout[1].decode() if layout else "", 6)
    mixed = ("-ac", "2") if count > 2 else ()
    raw = ffmpeg("-i", path, "-vn", "-ar", str(rate), *mixed, "-f", "f32le", "-")
    found = np.frombuffer(raw, np.float32).reshape(-1, min(count, 2))
    return found if count > 1 else np.repeat(found, 2, axis=1)
