"""Animated pictures as clips: what their still pictures obey, they obey."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltx_studio.errors import RequestError
from ltx_studio.media import probe_clip
from tests.media.drawn import CORNERS, corners, in_space, picture, profile
from tests.media.readings import read_clip

LOSSLESS: dict[str, dict[str, Any]] = {
    ".png": {},
    ".webp": {"lossless": True},
    ".avif": {"quality": 100, "subsampling": "4:4:4"},
}


def animated(path: Path, frames: list[Any], **options: Any) -> Path:
    first, *others = [Image.fromarray(np.asarray(frame).astype(np.uint8)) for frame in frames]
    first.save(path, save_all=True, append_images=others, duration=100, **LOSSLESS[path.suffix], **options)
    return path


def pictures(count: int = 4) -> list[Any]:
    return [picture(at=number / count) for number in range(count)]


def assert_shown(path: Path, expected: Any = CORNERS, *, within: float = 4) -> None:
    found, made = read_clip(path)
    assert (found.width, found.height) == made[0].shape[1::-1]
    assert np.abs(corners(made[0]) - np.array(expected)).max() <= within, corners(made[0])


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_an_animation_with_a_profile_keeps_its_colours(suffix: str, tmp_path: Path) -> None:
    frames = [in_space(each, "Display P3") for each in pictures()]

    assert_shown(animated(tmp_path / f"a{suffix}", frames, icc_profile=profile("Display P3")), within=6)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_an_animation_is_set_upright(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = animated(tmp_path / f"a{suffix}", pictures(), exif=exif)

    assert_shown(path, (CORNERS[2], CORNERS[0], CORNERS[3], CORNERS[1]))


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_what_is_half_transparent_in_an_animation_is_on_white(suffix: str, tmp_path: Path) -> None:
    alpha = np.full((128, 192, 1), 128, np.uint8)
    path = animated(tmp_path / f"a{suffix}", [np.concatenate([each, alpha], axis=2) for each in pictures()])

    assert_shown(path, 255 - (255 - np.array(CORNERS)) * 128 / 255)


def test_the_gamma_of_an_animated_png_is_obeyed(tmp_path: Path) -> None:
    code = [each / 255 for each in pictures()]
    linear = [255 * np.where(each <= 0.04045, each / 12.92, ((each + 0.055) / 1.055) ** 2.4) for each in code]
    path = animated(tmp_path / "a.png", [each.round() for each in linear])
    data = path.read_bytes()
    body = b"gAMA" + struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:33] + chunk + data[33:])  # after the header

    assert_shown(path, within=10)  # of 8 bits of linear light


def test_a_picture_for_those_who_show_no_animation_is_not_in_the_clip(tmp_path: Path) -> None:
    frames = [np.full((128, 192, 3), 250, np.uint8), *pictures()]
    path = animated(tmp_path / "a.png", frames, default_image=True)

    assert probe_clip(path).seconds == pytest.approx(0.4)
    assert_shown(path)


def test_a_damaged_animation_is_named(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.png", [np.random.default_rng(n).integers(0, 255, (64, 64, 3)) for n in range(4)])
    data = path.read_bytes()
    place = len(data) * 2 // 3
    path.write_bytes(data[:place] + bytes(2000) + data[place + 2000 :])

    with pytest.raises(RequestError, match=r"a\.png cannot be read"):
        read_clip(path, frames=12)
