"""What a container cuts off from its pictures is not in a clip."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.media import reference
from tests.media.drawn import clip, corners
from tests.media.readings import read_clip

X264 = ("-c:v", "libx264", "-crf", "4", "-preset", "veryfast")


def cropped_mkv(folder: Path) -> Path:
    """Write a Matroska file that cuts 32 columns off at the left: in the place of the unit of its display size."""
    path = clip(folder / "a.mkv", *X264, frames=8)
    data = bytearray(path.read_bytes())
    place = data.index(b"\x54\xb2\x81", data.index(b"\xb0\x81\xc0\xba\x81\x80"))
    data[place : place + 4] = b"\x54\xcc\x81\x20"
    path.write_bytes(data)
    return path


def cropped_mov(folder: Path, aperture: tuple[int, ...] = (128, 1, 128, 1, 32, 1, 0, 1)) -> Path:
    """Write a MOV with a clean aperture; what stands before it is larger by that box, and its index is at the end."""
    path = clip(folder / "a.mov", *X264, frames=8)
    data = path.read_bytes()
    entry = data.index(b"avc1", data.index(b"stsd")) - 4
    length = int.from_bytes(data[entry : entry + 4])
    box = struct.pack(">I4s8i", 40, b"clap", *aperture)
    made = bytearray(data[: entry + length] + box + data[entry + length :])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        place = (data.index(b"avc1", data.index(b"stsd")) if kind == b"avc1" else data.index(kind)) - 4
        made[place : place + 4] = struct.pack(">I", int.from_bytes(made[place : place + 4]) + len(box))
    path.write_bytes(made)
    return path


@pytest.mark.parametrize(("write", "size"), [(cropped_mkv, (160, 128)), (cropped_mov, (128, 128))])
def test_a_clip_is_cropped_as_its_container_says(write: object, size: tuple[int, int], tmp_path: Path) -> None:
    path = write(tmp_path)  # type: ignore[operator]
    expected = reference.pictures(path)

    found, pictures = read_clip(path)

    assert (found.width, found.height) == size
    assert pictures[0].shape == expected[0].shape
    assert np.abs(corners(pictures[0]) - corners(expected[0])).max() <= 4
    assert "its cropping" in found.ignored


@pytest.mark.parametrize(
    "aperture", [(128, 0, 128, 1, 0, 1, 0, 1), (0, 1, 0, 1, 0, 1, 0, 1), (128, 1, 128, 1, 9999, 1, 0, 1)]
)
def test_an_aperture_that_cannot_be_is_ignored(aperture: tuple[int, ...], tmp_path: Path) -> None:
    found, pictures = read_clip(cropped_mov(tmp_path, aperture))

    assert (found.width, found.height) == (192, 128)
    assert pictures[0].shape == (128, 192, 3)
