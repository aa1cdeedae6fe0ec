"""Cropping by the container: `PixelCrop` in Matroska, the clean aperture in MOV and MP4.

FFmpeg reads it, but PyAV does not expose it.
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NamedTuple

_MATROSKA, _MOV = "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"
_SEGMENT, _TRACKS, _ENTRY, _TYPE, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0x83, 0xE0
_CROP = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}
_ELEMENTS = 10_000
"""Elements of a file that are examined before it counts as one without cropping."""

_LARGEST_TRACKS = 1 << 24
_SAMPLE_ENTRY = 86
"""Bytes of a video sample entry before its inner boxes."""


class Crop(NamedTuple):
    """Pixels to cut off on each side of a stored frame."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


def crop_of(path: Path, container: Any, stream: Any) -> Crop:
    """Return the container's cropping of a video stream; zero if it is invalid.

    Raises:
        OSError: The file cannot be read.
    """
    width, height = stream.width, stream.height
    found = Crop()
    try:
        with path.open("rb") as file:
            if container.format.name == _MATROSKA:
                found = _of_matroska(file, list(container.streams.video).index(stream))
            elif container.format.name == _MOV:
                found = _of_mov(file, stream.id, width, height)
    except (struct.error, ValueError, IndexError, ArithmeticError):  # the file is damaged
        return Crop()
    is_inside = min(found) >= 0 and found.left + found.right < width and found.top + found.bottom < height
    return found if is_inside else Crop()


def cropped(frames: Iterator[Any], crop: Crop) -> Iterator[Any]:
    """Yield cropped frames, with their times and other properties."""
    if not any(crop):
        yield from frames
        return
    graph: Any = None
    before: Any = None
    for frame in frames:
        kind = frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range
        if kind != before:
            graph, before = _cropper(frame, crop), kind
        graph.push(frame)
        yield graph.pull()


def _cropper(frame: Any, crop: Crop) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    width, height = frame.width - crop.left - crop.right, frame.height - crop.top - crop.bottom
    step = graph.add("crop", f"w={width}:h={height}:x={crop.left}:y={crop.top}")
    sink = graph.add("buffersink")
    source.link_to(step)
    step.link_to(sink)
    graph.configure()
    return graph


def _of_matroska(file: IO[bytes], number: int) -> Crop:
    """Return the cropping of the video track after `number` others."""
    for kind, begin, end in _elements(file, 0, None):
        if kind != _SEGMENT:
            continue
        for part, first, last in _elements(file, begin, end):
            if part == _TRACKS and last is not None and last - first <= _LARGEST_TRACKS:
                videos = [entry for entry in _numbers_of_tracks(file, first, last) if entry.get("type") == 1]
                found = videos[number] if number < len(videos) else {}
                return Crop(**{side: found.get(side, 0) for side in _CROP.values()})
        return Crop()
    return Crop()


def _numbers_of_tracks(file: IO[bytes], begin: int, end: int) -> Iterator[dict[str, int]]:
    """Yield the type and the cropping of each track."""
    for entry, first, last in _elements(file, begin, end):
        found: dict[str, int] = {}
        for kind, start, stop in _elements(file, first, last) if entry == _ENTRY else ():
            if kind == _TYPE and stop is not None:
                found["type"] = _number(file, start, stop)
            for side, low, high in _elements(file, start, stop) if kind == _VIDEO else ():
                if side in _CROP and high is not None:
                    found[_CROP[side]] = _number(file, low, high)
        yield found


def _elements(file: IO[bytes], place: int, end: int | None) -> Iterator[tuple[int, int, int | None]]:
    """Yield (number, begin and end of the contents) of elements; one without an end is the last."""
    for _ in range(_ELEMENTS):
        if end is not None and place >= end:
            return
        file.seek(place)
        head = file.read(12)
        if len(head) < 2 or not head[0]:
            return
        length = 9 - head[0].bit_length()
        kind, coded = int.from_bytes(head[:length]), head[length:]
        if not coded or not coded[0]:
            return
        count = 9 - coded[0].bit_length()
        size = int.from_bytes(coded[:count]) & ((1 << 7 * count) - 1)
        begin = place + length + count
        if size == (1 << 7 * count) - 1:  # unknown when it was written
            yield kind, begin, end
            return
        place = begin + size
        yield kind, begin, place if end is None else min(place, end)


def _number(file: IO[bytes], begin: int, end: int) -> int:
    file.seek(begin)
    return int.from_bytes(file.read(min(8, end - begin)))


def _of_mov(file: IO[bytes], track: int, width: int, height: int) -> Crop:
    """Return the crop for a track's clean aperture."""
    for trak in _inside(file, (0, None), (b"moov", b"trak")):
        head = next(_inside(file, trak, (b"tkhd",)), None)
        if head is None or _track_id(file, head[0]) != track:
            continue
        for begin, end in _inside(file, trak, (b"mdia", b"minf", b"stbl", b"stsd")):
            entry = next(_boxes(file, begin + 8, end), None)
            for kind, first, _ in _boxes(file, entry[1] - 8 + _SAMPLE_ENTRY, entry[2]) if entry else ():
                if kind == b"clap":
                    file.seek(first)
                    return _of_aperture(struct.unpack(">IIIIiIiI", file.read(32)), width, height)
    return Crop()


def _of_aperture(numbers: tuple[int, ...], width: int, height: int) -> Crop:
    """Return the crop for an aperture, whose size and centre are given as fractions."""
    across, down, right, below = (Fraction(*numbers[at : at + 2]) for at in (0, 2, 4, 6))
    left, top = int((width - across) / 2 + right), int((height - down) / 2 + below)
    return Crop(left, top, width - left - int(across), height - top - int(down))


def _track_id(file: IO[bytes], begin: int) -> int:
    file.seek(begin)
    head = file.read(24)
    return int.from_bytes(head[20:24] if head[0] else head[12:16])


def _inside(
    file: IO[bytes], where: tuple[int, int | None], kinds: tuple[bytes, ...]
) -> Iterator[tuple[int, int | None]]:
    """Yield begin and end of the contents of boxes at a path of nested `kinds`."""
    for kind, begin, end in _boxes(file, *where):
        if kind == kinds[0]:
            yield from _inside(file, (begin, end), kinds[1:]) if len(kinds) > 1 else [(begin, end)]


def _boxes(file: IO[bytes], place: int, end: int | None) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield (kind, begin and end of the contents) of the boxes from a position on."""
    for _ in range(_ELEMENTS):
        if end is not None and place + 8 > end:
            return
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        size, begin = int.from_bytes(head[:4]), place + 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16]), place + 16
        if size == 0:  # up to the end
            yield head[4:8], begin, end
            return
        if size < begin - place:
            return
        place += size
        yield head[4:8], begin, place if end is None else min(place, end)
