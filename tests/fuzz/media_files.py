"""Pictures, sounds and clips: small ones of many formats, what to change in them, and bombs."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
from PIL import Image

from tests.fuzz.values import mutate_bytes

PICTURES: Mapping[str, Mapping[str, Any]] = {
    ".png": {},
    ".jpg": {},
    ".webp": {},
    ".gif": {},
    ".bmp": {},
    ".tif": {"compression": "tiff_lzw"},
    ".ico": {},
    ".tga": {},
    ".ppm": {},
    ".eps": {},
    ".pcx": {},
    ".sgi": {},
    ".dds": {},
    ".jp2": {},
    ".avif": {},
    ".im": {},
    ".pdf": {},
}
CLIPS: Mapping[str, tuple[str, str]] = {
    ".mp4": ("libx264", "yuv420p"),
    ".mov": ("png", "rgb24"),
    ".webm": ("libvpx", "yuv420p"),
    ".mkv": ("ffv1", "yuv420p"),
    ".avi": ("mpeg4", "yuv420p"),
    ".flv": ("flv", "yuv420p"),
    ".ts": ("mpeg2video", "yuv420p"),
    ".mjpeg.mov": ("mjpeg", "yuvj420p"),
    ".raw.mov": ("rawvideo", "yuv420p"),
    ".prores.mov": ("prores_ks", "yuv422p10le"),
    ".h265.mp4": ("libx265", "yuv420p"),
}
SOUNDS: Mapping[str, str] = {
    ".wav": "pcm_s16le",
    ".flac": "flac",
    ".mp3": "libmp3lame",
    ".ogg": "libvorbis",
    ".m4a": "aac",
    ".aif": "pcm_s16be",
    ".opus.ogg": "libopus",
    ".float.wav": "pcm_f32le",
    ".au": "pcm_mulaw",
    ".caf": "pcm_s16be",
    ".ac3": "ac3",
}
DISGUISES: tuple[tuple[str, bytes], ...] = (
    (".m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
    (".mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"),
    (".mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n"),
    (".png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n"),
    (".jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"),
    (".png", b"%PDF-1.4\n"),
    (".wav", b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0"),
    (".mp4", b"\0\0\0\x01ftyp" + b"\xff" * 8),
)
"""Text that some readers follow elsewhere, or hand to another program."""


def draw_media() -> dict[str, bytes]:
    """Return suffix → a small good file, for every format that is built into this machine's libraries."""
    made = {f".{index}{suffix}": data for index, (suffix, data) in enumerate(DISGUISES)}
    for suffix, options in PICTURES.items():
        _add(made, suffix, lambda suffix=suffix, options=options: _picture(suffix, options))  # type: ignore[misc]
    for mode in ("RGBA", "L", "P", "1", "I;16", "CMYK", "F"):
        _add(made, f".{mode}.tif", lambda mode=mode: _picture(".tif", {}, mode))  # type: ignore[misc]
    for suffix, (codec, pixels) in CLIPS.items():
        _add(made, suffix, lambda suffix=suffix, codec=codec, pixels=pixels: _clip(suffix, codec, pixels))  # type: ignore[misc]
    for suffix, codec in SOUNDS.items():
        _add(made, suffix, lambda suffix=suffix, codec=codec: _sound(suffix, codec))  # type: ignore[misc]
    exif = Image.Exif()
    exif[0x0112] = 6
    made[".exif.jpg"] = _picture(".jpg", {"exif": exif})
    frames = [Image.new("RGB", (48, 40), (index, 0, 0)) for index in range(3)]
    made[".moving.gif"] = _picture(".gif", {"save_all": True, "append_images": frames})
    made[".moving.webp"] = _picture(".webp", {"save_all": True, "append_images": frames})
    return made


def _add(made: dict[str, bytes], suffix: str, draw: Callable[[], bytes]) -> None:
    with contextlib.suppress(OSError, ValueError, KeyError, av.error.FFmpegError):  # not every machine writes it
        made[suffix] = draw()


def _picture(suffix: str, options: Mapping[str, Any], mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    out = io.BytesIO()
    image = Image.fromarray(pixels)
    changed = image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode)
    changed.save(out, format=Image.registered_extensions()[suffix], **options)
    return out.getvalue()


def _clip(suffix: str, codec: str, pixels: str) -> bytes:
    out = io.BytesIO()
    name = {"mp4": "mp4", "mov": "mov", "webm": "webm", "mkv": "matroska", "avi": "avi", "flv": "flv", "ts": "mpegts"}
    with av.open(out, "w", format=name[suffix.rpartition(".")[2]]) as container:
        stream: Any = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index * 20, dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _sound(suffix: str, codec: str) -> bytes:
    out = io.BytesIO()
    name = {"m4a": "mp4", "aif": "aiff"}
    ending = suffix.rpartition(".")[2]
    with av.open(out, "w", format=name.get(ending, ending)) as container:
        stream: Any = container.add_stream(codec, rate=48_000)
        stream.layout = "stereo"
        tone = (0.3 * np.sin(np.arange(4800) / 20)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
        resampler = av.AudioResampler(
            format=stream.format, layout="stereo", rate=48_000, frame_size=stream.frame_size or 1024
        )
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, colour: int = 2, depth: int = 8, filled: bool = True, extra: bytes = b"") -> bytes:
    """Return a black PNG of any size without drawing it: each row is the same, and so is its compressed form."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    row = 1 + (width * channels * depth + 7) // 8
    data = zeros(row * height) if filled else zlib.compress(b"\0" * 100)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Return `count` zeros as zlib compresses them, put together from equal blocks."""
    size = 1 << 20
    packer = zlib.compressobj(9)
    head = packer.compress(b"\0" * size) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b"\0" * size) + packer.flush(zlib.Z_FULL_FLUSH)
    blocks, rest = divmod(max(0, count - size), size)
    if count < size:
        return zlib.compress(b"\0" * count, 9)
    tail = packer.compress(b"\0" * rest) + packer.flush()
    return head + block * blocks + tail[:-4] + struct.pack(">I", (count % 65521) << 16 | 1)


def mov_of_pngs(side: int, frames: int = 2) -> bytes:
    """Return a clip of PNG frames of side×side pixels."""
    picture = png(side, side)
    out = io.BytesIO()
    with av.open(out, "w", format="mov") as container:
        stream: Any = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = side, side, "rgb24"
        for index in range(frames):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, index, index, Fraction(1, 1)
            packet.is_keyframe = True
            container.mux(packet)
    return out.getvalue()


def wav(
    rate: int, channels: int = 1, bits: int = 8, size: int = 4000, *, code: int = 1, said: int | None = None
) -> bytes:
    """Return a WAV of silence whose header says anything."""
    align = max(0, min(65535, channels * bits // 8))
    form = struct.pack("<HHIIHH", code, channels, rate, min(rate * align, 2**32 - 1), align, bits)
    body = b"\x80" * size
    told = len(body) if said is None else said
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", told)
        + body
    )


def claim(  # noqa: PLR0911  (one for each format)
    suffix: str, data: bytes, width: int, height: int
) -> bytes:
    """Return a picture whose header says another size."""
    match suffix.rpartition(".")[2]:
        case "png" if len(data) > 33:
            header = struct.pack(">II", width & 0xFFFFFFFF, height & 0xFFFFFFFF) + data[24:29]
            return data[:8] + chunk(b"IHDR", header) + data[33:]
        case "gif":
            return data[:6] + struct.pack("<HH", width & 0xFFFF, height & 0xFFFF) + data[10:]
        case "bmp":
            return data[:18] + struct.pack("<ii", min(width, 2**31 - 1), min(height, 2**31 - 1)) + data[26:]
        case "jpg":
            at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
            size = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
            return data if at < 0 else data[: at + 5] + size + data[at + 9 :]
        case "tga":
            return data[:12] + struct.pack("<HH", width & 0xFFFF, height & 0xFFFF) + data[16:]
        case "ppm":
            return b"P6\n%d %d\n255\n" % (width, height) + data[-100:]
    return data


_SIDES = (0, 1, 31, 32, 4096, 9000, 12_000, 13_300, 16_000, 30_000, 65_535, 2**31 - 1, 2**32 - 1)


def mutated(seeds: Mapping[str, bytes], random: Random) -> tuple[str, bytes]:
    """Return a changed file and its suffix."""
    kind = random.random()
    if kind < 0.08:
        return ".wav", wav(
            random.choice((0, 1, 2, 100, 8000, 48_000, 2**31, 2**32 - 1)),
            random.choice((0, 1, 2, 6, 9, 64, 300, 65_535)),
            random.choice((0, 1, 8, 16, 24, 32, 64, 65_535)),
            random.choice((0, 10, 4000, 300_000)),
            code=random.choice((0, 1, 3, 6, 7, 0x11, 0x55, 0xFFFE)),
            said=random.choice((None, 0, 10**6, 2**32 - 1)),
        )
    if kind < 0.12:
        colour, depth = random.choice((0, 2, 3, 4, 6)), random.choice((1, 8, 16))
        extra = chunk(
            random.choice((b"zTXt", b"iCCP", b"tRNS", b"acTL")), b"a\0\0" + zeros(random.choice((100, 50_000_000)))
        )
        side = random.choice((33, 500, 3000))
        return ".png", png(side, side, colour=colour, depth=depth, extra=extra if random.random() < 0.5 else b"")
    suffix = random.choice(sorted(seeds))
    data = seeds[suffix]
    if kind < 0.25:
        data = claim(suffix, data, random.choice(_SIDES), random.choice(_SIDES))
    if kind < 0.9:
        data = mutate_bytes(data, random)
    if random.random() < 0.1:  # a name that says something else
        suffix = random.choice(sorted(seeds))
    return f".{suffix.rpartition('.')[2]}", data


def tagged(film: Path, tags: Mapping[str, str]) -> bytes:
    """Return an mp4 with the streams of `film` and these tags."""
    out = io.BytesIO()
    with av.open(film) as given, av.open(out, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as made:
        made.metadata.update(tags)
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    return out.getvalue()


def retagged(template: bytes, mark: bytes, value: bytes) -> bytes:
    """Return an mp4 with the tag value `mark` exchanged for any bytes: the sizes of its boxes are mended.

    It must be an mp4 whose `moov` comes last, so that no offset changes.
    """
    at = template.rindex(mark)
    grown = len(value) - len(mark)
    changed = bytearray(template[:at] + value + template[at + len(mark) :])
    for start in _boxes_around(template, at):
        (size,) = struct.unpack(">I", template[start : start + 4])
        changed[start : start + 4] = struct.pack(">I", size + grown)
    return bytes(changed)


_CONTAINERS = {b"moov": 8, b"udta": 8, b"meta": 12, b"ilst": 8}


def _boxes_around(data: bytes, at: int) -> list[int]:
    """Where the boxes begin that hold the byte at `at`, the outermost first."""
    found, start, end, within_list = [], 0, len(data), False
    while start + 8 <= end:
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        if size < 8:
            break
        if not start <= at < start + size:
            start += size
            continue
        found.append(start)
        if kind in _CONTAINERS or within_list:
            end, start = start + size, start + _CONTAINERS.get(kind, 8)
            within_list = kind == b"ilst"
        else:
            break
    return found
