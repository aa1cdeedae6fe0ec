"""What a PNG says beside its pixels: a transparent colour of 16 bits, and with which gamma it was encoded."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltx_studio.media.picture import write_picture
from tests.media.drawn import profile

GRAY, RGB, PALETTE, GRAY_AND_ALPHA = 0, 2, 3, 4
"""Kinds of colours, as PNG counts them."""


def png(path: Path, pixels: Any, depth: int, chunks: Sequence[tuple[bytes, bytes]], kind: int | None = None) -> Path:
    """Write (height, width, channels) pixels of `depth` bits by hand, with other chunks before them."""
    height, width, count = pixels.shape
    if depth < 8:
        bits = np.unpackbits(pixels.astype(np.uint8).reshape(height, width, 1), axis=2)[..., -depth:]
        lines = np.packbits(bits.reshape(height, -1), axis=1)
    else:
        lines = pixels.astype(f">u{depth // 8}")
    usual = {1: GRAY, 2: GRAY_AND_ALPHA, 3: RGB}[count]
    head = struct.pack(">IIBBBBB", width, height, depth, usual if kind is None else kind, 0, 0, 0)
    rows = b"".join(b"\0" + line.tobytes() for line in lines)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    written = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(written))
    return path


def read(path: Path) -> Any:
    write_picture(path, path.with_name("read.png"))
    with Image.open(path.with_name("read.png")) as image:
        return np.asarray(image)


@pytest.mark.parametrize("colour", [(0x1234,), (0x1234, 0x5678, 0x9ABC), (0, 0, 5)])
def test_the_transparent_colour_of_a_deep_png_is_white_and_its_neighbour_is_not(
    colour: tuple[int, ...], tmp_path: Path
) -> None:
    pixels = np.full((64, 96, len(colour)), colour)
    pixels[:, 48:, -1] += 1  # the same in the upper 8 bits

    made = read(png(tmp_path / "a.png", pixels, 16, [(b"tRNS", struct.pack(f">{len(colour)}H", *colour))]))

    assert (made[:, :48] == 255).all()
    assert np.abs(made[:, 48:].astype(int) - [value >> 8 for value in colour]).max() <= 1


@pytest.mark.parametrize(
    ("depth", "gray"), [(1, 0), (1, 1), (2, 0), (2, 1), (2, 3), (4, 0), (4, 5), (4, 15), (8, 85), (16, 0x1234)]
)
def test_the_transparent_gray_of_a_png_of_any_depth_is_white(depth: int, gray: int, tmp_path: Path) -> None:
    most = 2**depth - 1
    other = gray - 1 if gray else 1
    pixels = np.full((64, 96, 1), gray)
    pixels[:, 48:] = other

    made = read(png(tmp_path / "a.png", pixels, depth, [(b"tRNS", struct.pack(">H", gray))]))

    assert (made[:, :48] == 255).all()
    assert np.abs(made[:, 48:].astype(int) - round(other / most * 255)).max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_the_transparent_colours_of_a_palette_are_mixed_with_white(depth: int, tmp_path: Path) -> None:
    pixels = np.zeros((64, 96, 1))
    pixels[:, 48:] = 1
    chunks = [(b"PLTE", bytes((200, 100, 0, 0, 100, 200))), (b"tRNS", bytes((0, 128)))]

    made = read(png(tmp_path / "a.png", pixels, depth, chunks, PALETTE))

    assert (made[:, :48] == 255).all()
    assert np.abs(made[:, 48:].astype(int) - (127, 177, 227)).max() <= 1


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_profile_of_a_gray_png_counts(depth: int, count: int, tmp_path: Path) -> None:
    pixels = np.full((64, 96, count), 2**depth - 1)
    pixels[..., 0] = 128 * (257 if depth == 16 else 1)
    gray = (b"iCCP", b"gray\0\0" + zlib.compress(profile("Gray 1.8")))

    made = read(png(tmp_path / "a.png", pixels, depth, [gray]))

    assert np.abs(made.astype(int) - 146).max() <= 2


@pytest.mark.parametrize(("gamma", "shown"), [(1.0, 188), (0.45455, 128), (0.4545, 128), (0.55556, 146), (0.0, 128)])
@pytest.mark.parametrize(("depth", "count"), [(8, 3), (8, 1), (16, 3), (16, 1)])
def test_a_png_is_decoded_with_the_gamma_that_it_says(
    depth: int, count: int, gamma: float, shown: int, tmp_path: Path
) -> None:
    pixels = np.full((64, 96, count), 128 * (257 if depth == 16 else 1))

    made = read(png(tmp_path / "a.png", pixels, depth, [(b"gAMA", struct.pack(">I", round(gamma * 100_000)))]))

    assert np.abs(made.astype(int) - shown).max() <= 1


@pytest.mark.parametrize(
    "other",
    [
        (b"sRGB", b"\0"),
        (b"cICP", bytes((1, 13, 0, 1))),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(profile("sRGB"))),
    ],
    ids=lambda chunk: chunk[0].decode(),
)
def test_the_gamma_of_a_png_counts_where_nothing_better_is_said(other: tuple[bytes, bytes], tmp_path: Path) -> None:
    pixels = np.full((64, 96, 3), 128)

    made = read(png(tmp_path / "a.png", pixels, 8, [other, (b"gAMA", struct.pack(">I", 100_000))]))

    assert np.abs(made.astype(int) - 128).max() <= 2
