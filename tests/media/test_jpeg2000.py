"""JPEG 2000 pictures with a profile, which stands in a box that Pillow passes over."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltx_studio.media import probe_picture
from ltx_studio.media.picture import write_picture
from tests.media.drawn import CORNERS, corners, in_space, picture, profile

LONG = 1
"""The size of a box whose true size follows in 64 bits."""


def read(path: Path) -> Any:
    write_picture(path, path.with_name("read.png"))
    with Image.open(path.with_name("read.png")) as image:
        return corners(np.asarray(image))


def with_colours(path: Path, contents: bytes, *, before: bytes = b"", long: bool = False) -> Path:
    """Replace the `colr` box of a JP2, by one whose size may stand in 64 bits."""
    data = path.read_bytes()
    header, place = data.index(b"jp2h") - 4, data.index(b"colr") - 4
    header_size, size = (int.from_bytes(data[start : start + 4]) for start in (header, place))
    head = (
        struct.pack(">I4sQ", LONG, b"colr", 16 + len(contents))
        if long
        else struct.pack(">I4s", 8 + len(contents), b"colr")
    )
    box = before + head + contents
    grown = struct.pack(">I", header_size - size + len(box))
    path.write_bytes(data[:header] + grown + data[header + 4 : place] + box + data[place + size :])
    return path


def jp2(path: Path, space: str) -> Path:
    pixels = picture() if space == "sRGB" else in_space(picture(), space).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("method", [2, 3])
def test_the_profile_of_a_jpeg_2000_picture_counts(method: int, long: bool, tmp_path: Path) -> None:
    contents = bytes((method, 0, 0)) + profile("Display P3")

    path = with_colours(jp2(tmp_path / "a.jp2", "Display P3"), contents, long=long)

    assert np.abs(read(path) - np.array(CORNERS)).max() <= 3
    assert probe_picture(path).ignored == ("its colour profile",)


def test_the_profile_of_a_gray_one_counts(tmp_path: Path) -> None:
    gray = np.full((64, 96), 128, np.uint8)
    Image.fromarray(gray).save(tmp_path / "a.jp2")

    path = with_colours(tmp_path / "a.jp2", b"\2\0\0" + profile("Gray 1.8"))

    assert np.abs(read(path) - 146).max() <= 2


@pytest.mark.parametrize(
    ("contents", "before"),
    [
        (b"\2\0\0" + profile("Display P3"), struct.pack(">I4s3BI", 15, b"colr", 1, 0, 0, 16)),
        (b"\2\0\0no profile", b""),
    ],
    ids=["after another", "damaged"],
)
def test_another_one_does_not(contents: bytes, before: bytes, tmp_path: Path) -> None:
    path = with_colours(jp2(tmp_path / "a.jp2", "sRGB"), contents, before=before)

    assert np.abs(read(path) - np.array(CORNERS)).max() <= 2


def test_the_plain_stream_is_read(tmp_path: Path) -> None:
    assert np.abs(read(jp2(tmp_path / "a.j2k", "sRGB")) - np.array(CORNERS)).max() <= 2
