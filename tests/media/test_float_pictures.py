"""Pictures of floats and long integers are read as they are shown; those that cannot be are refused by name."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio.errors import RequestError
from ltx_studio.media import probe_picture
from ltx_studio.media.picture import write_picture
from tests.media.drawn import CORNERS, SIZE, corners, float_tiff, picture
from tests.media.table_pictures import turned

OPACITY = 0.25
PHOTOMETRIC, ORIENTATION, PREDICTOR, SAMPLE_FORMAT = 262, 274, 317, 339
WHITE_IS_ZERO = 0
NO_ALPHA, PREMULTIPLIED, STRAIGHT = 0, 1, 2


def read(path: Path) -> Any:
    write_picture(path, path.with_name("read.png"))
    with Image.open(path.with_name("read.png")) as image:
        return corners(np.asarray(image))


def with_alpha(colours: Any) -> Any:
    return np.concatenate([colours, np.full_like(colours[..., :1], OPACITY)], axis=-1)


def on_white(colours: Any) -> Any:
    return 255 - (255 - np.asarray(colours)) * OPACITY


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f2"])
@pytest.mark.parametrize(
    ("extra", "multiplied", "expected"),
    [
        (STRAIGHT, False, on_white(CORNERS)),
        (PREMULTIPLIED, True, on_white(CORNERS)),
        (None, False, on_white(CORNERS)),
        (NO_ALPHA, False, np.asarray(CORNERS)),
    ],
)
def test_a_tiff_of_floats_with_alpha_is_read_on_white(
    extra: int | None, multiplied: bool, expected: Any, kind: str, planar: bool, tmp_path: Path
) -> None:
    pixels = with_alpha(picture() / 255)
    pixels[..., :3] *= OPACITY if multiplied else 1

    path = float_tiff(tmp_path / "a.tif", pixels, extra=extra, kind=kind, planar=planar)

    assert probe_picture(path).width == pixels.shape[1]
    assert np.abs(read(path) - expected).max() <= 1


@pytest.mark.parametrize("extra", [STRAIGHT, PREMULTIPLIED])
def test_grays_of_floats_with_alpha_are_read_on_white(extra: int, tmp_path: Path) -> None:
    grays = np.full((64, 96, 1), 0.4) * (OPACITY if extra == PREMULTIPLIED else 1)

    path = float_tiff(tmp_path / "a.tif", with_alpha(grays), extra=extra, kind="<f2")

    assert np.abs(read(path) - on_white(0.4 * 255)).max() <= 1


def test_the_colours_of_openexr_are_multiplied_by_alpha(tmp_path: Path) -> None:
    light = np.full((64, 96, 3), 0.5) * OPACITY
    frame = av.VideoFrame(96, 64, "gbrapf32le")
    for plane, pixels in zip(frame.planes, with_alpha(light)[..., [1, 2, 0, 3]].transpose(2, 0, 1), strict=True):
        plane.update(np.ascontiguousarray(pixels, "<f4").tobytes())
    with av.open(tmp_path / "a.exr", "w", format="image2") as out:
        stream = out.add_stream("exr")
        stream.width, stream.height, stream.pix_fmt = 96, 64, "gbrapf32le"
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    whole = 0.5 * OPACITY + 1 - OPACITY
    assert np.abs(read(tmp_path / "a.exr") - (1.055 * whole ** (1 / 2.4) - 0.055) * 255).max() <= 1


@pytest.mark.parametrize("orientation", [2, 3, 5, 6, 8])
def test_a_tiff_of_floats_is_set_upright(orientation: int, tmp_path: Path) -> None:
    path = float_tiff(tmp_path / "a.tif", picture() / 255, more={ORIENTATION: orientation})

    found = probe_picture(path)

    assert (found.width, found.height) == (SIZE[::-1] if orientation > 4 else SIZE)
    assert np.abs(read(path) - turned(orientation)).max() <= 1


@pytest.mark.parametrize("top", [255, 65_535, 1e6])
@pytest.mark.parametrize("extra", [None, STRAIGHT])
def test_the_largest_float_says_what_white_is(extra: int | None, top: float, tmp_path: Path) -> None:
    pixels = picture() / 255 * top
    if extra is not None:
        pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], top)], axis=-1)

    path = float_tiff(tmp_path / "a.tif", pixels, extra=extra)

    assert np.abs(read(path) - np.asarray(CORNERS)).max() <= 1


@pytest.mark.parametrize(("kind", "top"), [("<u4", 2**32 - 1), (">u4", 2**32 - 1), ("<i4", 2**31 - 1)])
def test_colours_of_long_integers_are_scaled(kind: str, top: int, tmp_path: Path) -> None:
    path = float_tiff(tmp_path / "a.tif", picture() / 255 * top, kind=kind)

    assert np.abs(read(path) - np.asarray(CORNERS)).max() <= 1


@pytest.mark.parametrize("tag", [{SAMPLE_FORMAT: 5}, {PREDICTOR: 2}, {PREDICTOR: 3}])
def test_a_tiff_of_numbers_that_would_be_misread_is_refused(tag: dict[int, int], tmp_path: Path) -> None:
    path = float_tiff(tmp_path / "a.tif", picture() / 255, more=tag)

    with pytest.raises(RequestError, match="unsupported kind"):
        probe_picture(path)


@pytest.mark.parametrize(("kind", "top"), [("<u2", 65_535), (">u2", 65_535), ("<f4", 1), ("<f4", 255)])
def test_a_deep_gray_tiff_in_which_zero_is_white_is_no_negative(kind: str, top: float, tmp_path: Path) -> None:
    grays = np.linspace(0, top, 256)[None, :, None].repeat(64, axis=0)

    path = float_tiff(tmp_path / "a.tif", top - grays, kind=kind, more={PHOTOMETRIC: WHITE_IS_ZERO})

    assert np.abs(read(path)[:2, 0] - corners(np.broadcast_to(grays / top * 255, (64, 256, 3)))[:2, 0]).max() <= 1


def test_a_tiff_that_nothing_here_reads_is_called_one(tmp_path: Path) -> None:
    path = float_tiff(tmp_path / "double.tif", picture() / 255, kind="<f8")

    with pytest.raises(
        RequestError,
        match=r"double\.tif is a TIFF or camera raw file of an unsupported kind or size, which is not supported",
    ):
        probe_picture(path)
