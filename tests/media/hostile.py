"""Files that a decoder would choke on, small on the disk; made by hand, for tests."""

import struct
import zlib
from pathlib import Path

import av

CHANNELS = {0: 1, 2: 3, 6: 4}
"""Of PNG's colour types: gray, RGB, RGBA."""


def png(width: int, height: int, colour: int = 2) -> bytes:
    """A PNG of zeros, which takes a thousandth of its decoded size."""
    data = _zeros_compressed(height * (1 + width * CHANNELS[colour]))
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b"")))


def _zeros_compressed(count: int) -> bytes:
    """So many zeros as zlib compresses them; a megabyte of them is compressed once, and repeated."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(bytes(count % (1 << 20))) + packer.flush()
    checksum = struct.pack(">HH", count % 65_521, 1)  # Adler-32 of zeros
    return b"\x78\xda" + block * (count >> 20) + end + checksum


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def clip_of(path: Path, picture: bytes, *, claim: tuple[int, int] = (64, 64), frames: int = 3) -> Path:
    """A .mov whose header says another size than its PNG frames have."""
    with av.open(path, "w", format="mov") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height = claim
        stream.pix_fmt = "rgb24"
        stream.encode(av.VideoFrame(*claim, "rgb24"))
        for number in range(frames):
            packet = av.Packet(picture)
            packet.stream, packet.duration, packet.time_base = stream, 1, stream.codec_context.time_base
            packet.pts = packet.dts = number
            out.mux(packet)
    return path


def wav(path: Path, *, rate: int, channels: int = 1, size: int = 1 << 20) -> Path:
    """A WAV of zeros with any rate in its header."""
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * channels, channels, 8)
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", size) + bytes(size)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path
