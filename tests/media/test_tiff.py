"""TIFF pictures whose channels are stored one after another, and those of 32 bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltx_studio.errors import RequestError
from ltx_studio.media import probe_picture
from ltx_studio.media.picture import write_picture
from tests.media.drawn import CORNERS, corners, float_tiff, picture

FACTORS = {"1": 1, "2": 257, "4": 16_843_009}
PHOTOMETRIC, FOR_PRINT = 262, 5


def tiff(path: Path, pixels: Any, kind: str, **options: Any) -> Path:
    return float_tiff(path, pixels.astype(np.uint32) * FACTORS[kind[-1]], kind=kind, **options)


def read(path: Path) -> Any:
    write_picture(path, path.with_name("read.png"))
    with Image.open(path.with_name("read.png")) as image:
        return corners(np.asarray(image))


def with_band(level: int) -> Any:
    return np.concatenate([picture(), np.full((*picture().shape[:2], 1), level)], axis=2)


@pytest.mark.parametrize("kind", ["<u1", "<u2", ">u2"])
@pytest.mark.parametrize("planar", [True, False])
def test_colours_are_read_however_they_are_stored(kind: str, planar: bool, tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", picture(), kind, planar=planar)

    assert probe_picture(path).width == picture().shape[1]
    assert np.abs(read(path) - np.array(CORNERS)).max() <= 1


@pytest.mark.parametrize("kind", ["<u1", "<u2", ">u2"])
@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize(("extra", "expected"), [(2, lambda colour: 127 + colour / 2), (0, lambda colour: colour)])
def test_a_fourth_band_is_transparency_where_the_file_says_so(
    kind: str, planar: bool, extra: int, expected: Any, tmp_path: Path
) -> None:
    path = tiff(tmp_path / "a.tif", with_band(128), kind, planar=planar, extra=extra)

    assert np.abs(read(path) - expected(np.array(CORNERS))).max() <= 1.5


@pytest.mark.parametrize("kind", ["<u1", "<u2", ">u2"])
@pytest.mark.parametrize("planar", [True, False])
def test_colours_for_printing_are_read(kind: str, planar: bool, tmp_path: Path) -> None:
    pixels = with_band(0)
    pixels[..., :3] = 255 - pixels[..., :3]

    path = tiff(tmp_path / "a.tif", pixels, kind, planar=planar, more={PHOTOMETRIC: FOR_PRINT})

    assert np.abs(read(path) - np.array(CORNERS)).max() <= 1


@pytest.mark.parametrize("planar", [True, False])
def test_colours_for_printing_of_32_bits_are_refused(planar: bool, tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", with_band(0), "<u4", planar=planar, more={PHOTOMETRIC: FOR_PRINT})

    with pytest.raises(RequestError, match="a TIFF or camera raw file of an unsupported kind"):
        probe_picture(path)


def test_gray_and_transparency_that_are_stored_apart_are_refused(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", with_band(128)[..., 2:], "<u1", planar=True, extra=2)

    with pytest.raises(RequestError, match="separate gray and alpha planes"):
        probe_picture(path)


@pytest.mark.parametrize("kind", ["<u4", "<u2", "<u1"])
def test_unsigned_grays_of_any_depth_are_read(kind: str, tmp_path: Path) -> None:
    made = read(tiff(tmp_path / "a.tif", picture()[..., :1], kind))

    assert np.abs(made - np.array([[red] * 3 for red, _, _ in CORNERS])).max() <= 1
