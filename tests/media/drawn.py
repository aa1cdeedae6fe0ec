"""Files that tests make: a picture with a colour in each corner, as each kind of clip, picture and profile."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.media.reference import ffmpeg

SIZE = (192, 128)
CORNERS = ((220, 30, 30), (30, 200, 30), (30, 60, 230), (230, 220, 40))
"""Top left, top right, bottom left, bottom right."""

FPS, FRAMES = 25, 30
Rgb = tuple[int, int, int]


def picture(size: tuple[int, int] = SIZE, at: float = 0.0) -> Any:
    """Return (height, width, 3) uint8: corners of a third of each side, gray between; a bar that moves with `at`."""
    width, height = size
    made = np.full((height, width, 3), 128, dtype=np.uint8)
    across, down = width // 3, height // 3
    for number, colour in enumerate(CORNERS):
        rows = slice(-down, None) if number >= 2 else slice(0, down)
        columns = slice(-across, None) if number % 2 else slice(0, across)
        made[rows, columns] = colour
    place = across + round(at * (width - 2 * across - 8))
    made[height // 2 - 4 : height // 2 + 4, place : place + 8] = 255
    return made


def corners(pixels: Any) -> Any:
    """Return the four corners of (height, width, 3) pixels as (4, 3) int: the mean of a small patch of each."""
    height, width = pixels.shape[:2]
    y, x = height // 12, width // 12
    patches = [(y, x), (y, width - x), (height - y, x), (height - y, width - x)]
    return np.array([pixels[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1)) for row, column in patches])


def clip(
    path: Path,
    *output: str,
    before: Sequence[str] = (),
    chain: str = "",
    size: tuple[int, int] = SIZE,
    frames: int = FRAMES,
    source: Iterable[Any] | None = None,
) -> Path:
    """Write a clip of the moving picture with FFmpeg.

    Args:
        path: Where to.
        output: FFmpeg's options for the output.
        before: FFmpeg's options for the input.
        chain: Filters before the encoder.
        size: Width and height in pixels.
        frames: How many, `FPS` a second.
        source: (height, width, 4) RGBA frames instead of the moving picture.
    """
    raw = path.with_suffix(".raw")
    drawn = source if source is not None else (picture(size, index / frames) for index in range(frames))
    raw.write_bytes(b"".join(np.ascontiguousarray(each).tobytes() for each in drawn))
    pixels = "rgb24" if source is None else "rgba"
    given = ("-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{size[0]}x{size[1]}", "-r", str(FPS))
    filters = ("-vf", chain) if chain else ()
    ffmpeg(*given, *before, "-i", raw, *filters, "-sws_flags", "accurate_rnd+full_chroma_int", *output, path)
    raw.unlink()
    return path


def to_hdr(transfer: str) -> str:
    """Return FFmpeg's filters from SDR to HDR; `transfer` is ``arib-std-b67`` or ``smpte2084``."""
    linear = f"{AS_BT709},zscale=t=linear:npl=203,format=gbrpf32le"
    return f"{linear},zscale=p=bt2020,zscale=t={transfer}:m=bt2020nc:r=limited:npl=203,format=yuv420p10le"


AS_BT709 = "format=gbrp,setparams=color_trc=bt709:color_primaries=bt709"
HDR_TAGS = "setparams=range=tv:color_primaries=bt2020:colorspace=bt2020nc:color_trc"

XY = {
    "sRGB": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
    "Adobe RGB": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), (0.3127, 0.3290)),
    "ProPhoto": ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585)),
    "Rec. 2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
}
GAMMA = {"sRGB": 2.2, "Display P3": 2.2, "Adobe RGB": 2.19921875, "ProPhoto": 1.8, "Rec. 2020": 2.4}
_BRADFORD = np.array([(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)])
_D50 = np.array((0.9642, 1.0, 0.8249))


def to_d50(space: str) -> Any:
    """Return the 3×3 matrix from linear RGB of a space to XYZ under D50, as profiles have it."""
    *primaries, white_xy = XY[space]
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array((white_xy[0] / white_xy[1], 1, (1 - sum(white_xy)) / white_xy[1]))
    adapted = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD
    return adapted @ (columns * np.linalg.solve(columns, white))


def profile(space: str) -> bytes:
    """Return an ICC profile of version 2, by hand; ``Gray 1.8`` is one of gray."""
    name = space.encode() + b"\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78), b"wtpt": _xyz(_D50)}
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    if space.startswith("Gray"):
        tags[b"kTRC"] = _curve(float(space.split()[1]))
    else:
        matrix = to_d50(space)
        for index, channel in enumerate("rgb"):
            tags[f"{channel}XYZ".encode()] = _xyz(matrix[:, index])
            tags[f"{channel}TRC".encode()] = _curve(GAMMA[space])
    table, data, place = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += tag + struct.pack(">II", place + len(data), len(content))
        data += padded
    kind = b"GRAY" if space.startswith("Gray") else b"RGB "
    head = struct.pack(">I4sI4s4s4s", place + len(data), b"test", 0x02400000, b"mntr", kind, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data


def _xyz(values: Any) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def in_space(pixels: Any, space: str, largest: int = 255) -> Any:
    """Return sRGB pixels in the numbers of another space."""
    code = pixels.astype(float) / 255
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    if space.startswith("Gray"):
        return np.rint(light.clip(0, 1) ** (1 / float(space.split()[1])) * largest)
    light = light @ (np.linalg.inv(to_d50(space)) @ to_d50("sRGB")).T
    return np.rint(light.clip(0, 1) ** (1 / GAMMA[space]) * largest)


def profiled(path: Path, space: str, **options: Any) -> Path:
    """Write the picture in the colours of a space, with its profile."""
    pixels = in_space(picture(), space).astype(np.uint8)
    Image.fromarray(pixels).save(path, icc_profile=profile(space), **options)
    return path


def with_edits(source: Path, destination: Path, edits: Sequence[tuple[float, float]]) -> Path:
    """Write a copy of a one-track MP4 that plays (seconds, from second) one after another; -1 is nothing shown.

    The index of the source stands at its end, so that it can grow.
    """
    data = source.read_bytes()
    scale = int.from_bytes(data[data.index(b"mvhd") + 16 :][:4])
    media = int.from_bytes(data[data.index(b"mdhd") + 16 :][:4])
    entries = b"".join(
        struct.pack(">IiI", round(seconds * scale), round(start * media) if start >= 0 else -1, 0x10000)
        for seconds, start in edits
    )
    elst = b"elst" + bytes(4) + struct.pack(">I", len(edits)) + entries
    place = data.index(b"elst") - 4
    old = int.from_bytes(data[place : place + 4])
    made = bytearray(data[:place] + struct.pack(">I", len(elst) + 4) + elst + data[place + old :])
    for kind in (b"moov", b"trak", b"edts"):
        head = data.index(kind) - 4
        made[head : head + 4] = struct.pack(">I", int.from_bytes(data[head : head + 4]) + len(elst) + 4 - old)
    destination.write_bytes(made)
    return destination


def float_tiff(
    path: Path,
    pixels: Any,
    *,
    extra: int | None = None,
    kind: str = "<f4",
    planar: bool = False,
    more: Mapping[int, int] | None = None,
) -> Path:
    """Write a TIFF of floats or long integers by hand: neither Pillow nor FFmpeg does.

    Args:
        path: Where to.
        pixels: (height, width, channels): gray or RGB, and what else there is.
        extra: What `ExtraSamples` says of the last channel; None leaves the tag out.
        kind: NumPy's name of the numbers; they say in which byte order the file is.
        planar: Whether each channel is stored by itself.
        more: Other tags, or other values of them.
    """
    height, width, count = pixels.shape
    numbers, order = np.dtype(kind), kind[0]
    data = (pixels.transpose(2, 0, 1) if planar else pixels).astype(numbers).tobytes()
    short, long = "H", "L"
    tags: list[tuple[int, str, tuple[int, ...]]] = [
        (256, long, (width,)),
        (257, long, (height,)),
        (258, short, (numbers.itemsize * 8,) * count),
        (259, short, (1,)),
        (262, short, (2 if count >= 3 else 1,)),
        (273, long, (0,) * (count if planar else 1)),
        (277, short, (count,)),
        (278, long, (height,)),
        (279, long, (len(data) // count,) * count if planar else (len(data),)),
        (284, short, (2 if planar else 1,)),
        *([(338, short, (extra,))] if extra is not None else []),
        (339, short, ({"u": 1, "i": 2, "f": 3}[numbers.kind],) * count),
    ]
    given = {number: (number, short, (value,)) for number, value in (more or {}).items()}
    tags = sorted([*given.values(), *(tag for tag in tags if tag[0] not in given)])
    for _ in range(2):  # at first only to see how long the table is
        place = 8 + 2 + 12 * len(tags) + 4
        table, beyond = b"", b""
        for number, letter, values in tags:
            packed = struct.pack(f"{order}{len(values)}{letter}", *values)
            if len(packed) > 4:
                beyond, packed = beyond + packed, struct.pack(f"{order}L", place + len(beyond))
            table += struct.pack(f"{order}HHL", number, 3 if letter == short else 4, len(values)) + packed.ljust(
                4, b"\0"
            )
        begin = place + len(beyond)
        starts = [begin + index * len(data) // count for index in range(count if planar else 1)]
        tags = [(number, letter, tuple(starts) if number == 273 else values) for number, letter, values in tags]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}LH", 8, len(tags))
    path.write_bytes(head + table + bytes(4) + beyond + data)
    return path


def wav(path: Path, samples: Any, *, mask: int, rate: int = 48_000) -> Path:
    """Write (samples, channels) floats as a WAV that says in `mask` where its channels belong."""
    count = samples.shape[1]
    data = np.rint(samples * 32_767).astype("<i2").tobytes()
    kind = bytes.fromhex("0100000000001000800000aa00389b71")
    head = struct.pack("<HHIIHHHHI", 0xFFFE, count, rate, rate * count * 2, count * 2, 16, 22, 16, mask) + kind
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path
