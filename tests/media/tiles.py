"""A HEIC of tiles as phones write it, made by hand: no encoder at hand writes a grid."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pillow_heif
from PIL import Image

TILE = 256


def write_grid(path: Path, image: Image.Image, *, turn: int = 0) -> Path:
    """Write a picture in tiles of `TILE` pixels, the last ones cut off, to be turned left by `turn` quarters."""
    pillow_heif.register_heif_opener()
    columns, rows = -(-image.width // TILE), -(-image.height // TILE)
    whole = Image.new("RGB", (columns * TILE, rows * TILE))
    whole.paste(image)
    tiles = [
        _encoded(whole.crop((x * TILE, y * TILE, (x + 1) * TILE, (y + 1) * TILE)))
        for y in range(rows)
        for x in range(columns)
    ]
    config = tiles[0][0]
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, image.width, image.height)
    contents = [grid, *(data for _, data in tiles)]
    kinds = [b"grid", *(b"hvc1" for _ in tiles)]
    entries = b"".join(
        _full(b"infe", struct.pack(">HH", item, 0) + kind + b"\0", 2) for item, kind in enumerate(kinds, 1)
    )
    items = _full(b"iinf", struct.pack(">H", len(kinds)) + entries)
    parts = range(2, len(kinds) + 1)
    reference = _box(b"dimg", struct.pack(f">HH{len(parts)}H", 1, len(parts), *parts))
    sizes = [_full(b"ispe", struct.pack(">II", *size)) for size in ((TILE, TILE), image.size)]
    properties = [config, *sizes, _full(b"pixi", b"\3\10\10\10"), _box(b"irot", bytes([turn]))]
    uses = struct.pack(">HB3B", 1, 3, 3, 4, 0x85) + b"".join(
        struct.pack(">HB3B", item, 3, 0x81, 2, 4) for item in parts
    )
    described = _box(
        b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", struct.pack(">I", len(kinds)) + uses)
    )
    handler = _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
    start = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")

    def meta(offset: int) -> bytes:
        places, at = b"", offset
        for item, content in enumerate(contents, 1):
            places += struct.pack(">HHHII", item, 0, 1, at, len(content))
            at += len(content)
        located = _full(b"iloc", struct.pack(">HH", 0x4400, len(contents)) + places)
        inside = (handler, _full(b"pitm", struct.pack(">H", 1)), located, items, _full(b"iref", reference), described)
        return _full(b"meta", b"".join(inside))

    offset = len(start) + len(meta(0)) + 8
    path.write_bytes(start + meta(offset) + _box(b"mdat", b"".join(contents)))
    return path


def _encoded(tile: Image.Image) -> tuple[bytes, bytes]:
    """Return the decoder's configuration (a box) and the coded picture."""
    out = io.BytesIO()
    tile.save(out, "HEIF", quality=95)
    data = out.getvalue()
    found = dict(_walk(data))
    length = int.from_bytes(found[b"iloc"][-4:])
    place = int.from_bytes(found[b"iloc"][-8:-4])
    base = int.from_bytes(found[b"iloc"][-14:-10])
    return found[b"hvcC"], data[base + place :][:length]


def _walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8]
        yield kind, data[start : start + size]
        if kind in (b"meta", b"iprp", b"ipco"):
            yield from _walk(data, start + (12 if kind == b"meta" else 8), start + size)
        start += size


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + content)
