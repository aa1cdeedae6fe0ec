"""XMP metadata: add a packet to a finished file without touching its picture or sound.

The locations are those of the XMP specification, part 3: a ``uuid`` box in MP4, an ``iTXt`` chunk in PNG, an ``APP1``
segment in JPEG, an ``XMP`` chunk in WebP.
"""

import struct
import zlib
from pathlib import Path

_MP4 = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEYWORD = b"XML:com.adobe.xmp\0\0\0\0\0"
_JPEG_NAMESPACE = b"http://ns.adobe.com/xap/1.0/\0"
_WEBP_HAS_XMP = 0x04
_LARGEST_SEGMENT = 65_533
HEAD = 16
"""Bytes by which `takes_packet` recognises a file."""


def append_to_mp4(path: Path, packet: bytes) -> None:
    """Add a packet to the end of an MP4 file.

    Raises:
        OSError: The file cannot be written.
    """
    with path.open("ab") as file:
        file.write(struct.pack(">I4s16s", 24 + len(packet), b"uuid", _MP4) + packet)


def takes_packet(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is supported by `in_picture`."""
    return head.startswith((_PNG, b"\xff\xd8")) or (head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X")


def in_picture(data: bytes, packet: bytes) -> bytes | None:
    """Return a PNG, JPEG or WebP file with a packet added; None for another kind of file, or a damaged one."""
    try:
        if data.startswith(_PNG):
            return _in_png(data, packet)
        if data.startswith(b"\xff\xd8") and len(packet) + len(_JPEG_NAMESPACE) < _LARGEST_SEGMENT:
            return _in_jpeg(data, packet)
        if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X":
            return _in_webp(data, packet)
    except (struct.error, IndexError):
        return None
    return None


def _in_png(data: bytes, packet: bytes) -> bytes:
    end = len(_PNG) + 12 + int(struct.unpack_from(">I", data, len(_PNG))[0])  # of the header chunk, the first
    body = b"iTXt" + _PNG_KEYWORD + packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:end] + chunk + data[end:]


def _in_jpeg(data: bytes, packet: bytes) -> bytes:
    place = 2
    while data[place] == 0xFF and data[place + 1] in (0xE0, 0xE1):  # after JFIF and Exif, which come first
        place += 2 + int(struct.unpack_from(">H", data, place + 2)[0])
    body = _JPEG_NAMESPACE + packet
    return data[:place] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[place:]


def _in_webp(data: bytes, packet: bytes) -> bytes:
    end = 8 + int(struct.unpack_from("<I", data, 4)[0])
    chunk = b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
    body = data[12:20] + bytes([data[20] | _WEBP_HAS_XMP]) + data[21:end] + chunk
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
