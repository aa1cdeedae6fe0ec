"""Reading files through the studio, as a graph gets them, and frames that say their number."""

import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from ltx_studio.media import Clip, ClipFile, InputPreparer, PictureFile, SoundFile, probe_clip
from tests.media.drawn import FPS, clip

NUMBERED = (128, 64)
_BITS, _WIDE, _LEFT = 9, 13, 4

_READ = """
import gc, sys
from pathlib import Path
from ltx_studio.media import ClipFile, InputPreparer, probe_clip
path, folder = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(2):
    found = probe_clip(path)
    InputPreparer(folder, folder)(ClipFile(path, 0, 5, 25, found.width, found.height))
    gc.collect()
print("alive")
"""


def read_clip(path: Path, start: float = 0.0, *, frames: int = 5, fps: float = FPS) -> tuple[Clip, Any]:
    """Return what the studio knows of a clip, and its pictures as (count, height, width, 3) uint8."""
    found, folder = probe_clip(path), path.parent / "in"
    name = InputPreparer(folder, folder)(ClipFile(path, start, frames, fps, found.width, found.height))
    with av.open(folder / name) as container:
        return found, np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def read_picture(path: Path) -> Any:
    """Return a picture as (height, width, 3) uint8."""
    folder = path.parent / "in"
    with Image.open(folder / InputPreparer(folder, folder)(PictureFile(path))) as image:
        return np.asarray(image)


def read_sound(path: Path, seconds: float) -> Any:
    """Return a sound as (samples, 2) floats."""
    folder = path.parent / "in"
    with wave.open(str(folder / InputPreparer(folder, folder)(SoundFile(path, 0, seconds)))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2) / 32_768


def read_in_child(path: Path) -> str:
    """Return what a child process says that reads a clip twice; a crash is an error that shows the signal."""
    command = [sys.executable, "-c", _READ, str(path), str(path.parent / "in")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.strip()


def numbered(path: Path, *output: str, first: int = 0, count: int) -> Path:
    """Write a clip each of whose frames shows its number."""
    return clip(path, *output, size=NUMBERED, source=_frames(first, count))


def _frames(first: int, count: int) -> Iterator[Any]:
    for number in range(first, first + count):
        frame = np.full((NUMBERED[1], NUMBERED[0], 4), 255, np.uint8)
        frame[..., :3] = 128
        for bit in range(_BITS):
            left = _LEFT + bit * _WIDE
            frame[16:48, left : left + _WIDE - 1, :3] = 235 if number >> bit & 1 else 20
        yield frame


def numbers(pictures: Any) -> list[int]:
    """Return the numbers that frames of such a clip show."""
    columns = [_LEFT + bit * _WIDE + _WIDE // 2 for bit in range(_BITS)]
    return [sum((int(each[32, x].mean()) > 128) << bit for bit, x in enumerate(columns)) for each in pictures]
