"""Read the texts embedded in a picture, a sound or a video; one of them may be a workflow."""

import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ltx_studio import limits
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.media.open import attachments, opened_picture, tags, why_unread
from ltx_studio.text.encodings import unpadded

VIDEO_ENDINGS = frozenset({".mp4", ".mov", ".webm", ".mkv", ".m4v", ".avi"})
SOUND_ENDINGS = frozenset({".flac", ".mp3", ".opus", ".ogg", ".oga", ".m4a", ".wav"})
PICTURE_ENDINGS = frozenset({".png", ".apng", ".webp", ".jpg", ".jpeg", ".gif", ".avif", ".tif", ".tiff"})
ENDINGS = (".json", *sorted(VIDEO_ENDINGS), *sorted(SOUND_ENDINGS), *sorted(PICTURE_ENDINGS))
"""Suffixes of files that may contain a workflow, for the page; the contents decide how a file is read."""

HEAD = 64
"""Bytes at the beginning of a file from which `carrier_of` detects its kind."""

_PNG = b"\x89PNG\r\n\x1a\n"
_MEDIA = (b"\x1a\x45\xdf\xa3", b"OggS", b"fLaC", b"ID3", b"FORM", b"caff")
_BRANDS_OF_PICTURES = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
_MOST_CHUNKS = 100_000
_DETAILS = 0x8769
_NAMES = {0x010E: "imagedescription", 0x010F: "make", 0x0110: "model", 0x9286: "usercomment", 0x9C9C: "xpcomment"}
_NAMES_OF_JSON = {**_NAMES, 0x010F: "prompt", 0x0110: "prompt"}
"""EXIF tags; ComfyUI stores the graph in those for the camera."""

_OF_WINDOWS = range(0x9C9B, 0x9CA0)
_LABEL = re.compile(r"\s*(prompt|workflow)\s*:[\s\ufeff]*(?=[{\[\"])", re.IGNORECASE)
"""Prefix that ComfyUI and others put before the JSON in an EXIF tag, which has no name of its own for it."""

_ENCODINGS = {
    b"UNICODE\0": "utf-16",
    b"ASCII\0\0\0": "utf-8",
    b"JIS\0\0\0\0\0": "iso2022_jp",
    b"\0\0\0\0\0\0\0\0": "utf-8",
}


def carrier_of(path: Path, head: bytes) -> str:
    """Return ``"picture"``, ``"media"`` or ``"text"`` for a file: by its first `HEAD` bytes, then by its name."""
    if head.startswith((_PNG, b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")) or head[8:12] == b"WEBP":
        return "picture"
    if head[4:8] == b"ftyp":
        return "picture" if head[8:12] in _BRANDS_OF_PICTURES else "media"
    if head.startswith(_MEDIA) or (head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI ")):
        return "media"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return "text"
    ending = path.suffix.lower()
    if ending in PICTURE_ENDINGS:
        return "picture"
    return "media" if ending in VIDEO_ENDINGS | SOUND_ENDINGS else "text"


def text_of(content: bytes) -> str:
    """Return JSON text in any Unicode encoding, with or without a byte order mark.

    Raises:
        UnicodeDecodeError: It is not Unicode text.
    """
    return content.decode(json.detect_encoding(content)).lstrip("\ufeff").rstrip("\0 \t\r\n")


def media_texts(path: Path) -> dict[str, str]:
    """Return the tags of a video or a sound, and its attached texts, by lower-case name.

    ``Workflow: {…}`` is read as a name and its text, whatever the tag's name is.

    Raises:
        WorkflowError: It is not a media file.
    """
    import av

    try:
        carried, files = tags(path), attachments(path)
    except (av.error.FFmpegError, OSError) as error:
        kind = "a sound" if path.suffix.lower() in SOUND_ENDINGS else "a video"
        raise WorkflowError(
            f"{path.name} cannot be read as {kind}: {why_unread(error)}.", "Check that the file is complete."
        ) from None
    found = {name.lower(): unpadded(text) for name, text in carried.items()}
    for tag, text in carried.items():
        for name, labelled in _labelled(tag, text):
            found.setdefault(name.lower(), unpadded(labelled))
    for name, data in files.items():
        with contextlib.suppress(UnicodeDecodeError):
            found.setdefault(name.lower(), text_of(data))
    return found


def picture_texts(path: Path) -> dict[str, str]:
    """Return the texts in a picture, by lower-case name.

    These are PNG's text chunks, a comment, and EXIF, where ``Workflow: {…}`` is read as a name and its text.

    Raises:
        WorkflowError: It is not a picture.
        RequestError: It is too large.
    """
    found: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            if file.read(len(_PNG)) == _PNG:
                for tag, written in _png_texts(file):
                    for name, text in _labelled(tag, written):
                        found.setdefault(name.lower(), text)
        with opened_picture(path) as image:
            for name, text in _picture_texts(image):
                found.setdefault(name.lower(), text)
    except RequestError:  # too large for a picture of a graph, but its text has been read
        if not found:
            raise
    except (OSError, ValueError, SyntaxError):
        if not found:
            raise WorkflowError(
                f"{path.name} cannot be read as a picture.", "Check that the file is complete."
            ) from None
    return found


def _picture_texts(image: Any) -> Iterator[tuple[str, str]]:
    for name, value in image.info.items():
        if isinstance(name, str) and isinstance(value, str | bytes) and name not in ("exif", "icc_profile", "xmp"):
            yield from _labelled(name, _text(value))
    exif = image.getexif()
    for tag, value in [*exif.items(), *exif.get_ifd(_DETAILS).items()]:
        if isinstance(value, str | bytes) and len(value) <= limits.TAG.most:
            text = _of_windows(value) if tag in _OF_WINDOWS else _text(value)
            names = _NAMES_OF_JSON if text[:1] in ("{", '"') else _NAMES
            yield from _labelled(names.get(tag, f"exif {tag}"), text)


def _labelled(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and text of a tag, or the name found within the text and what follows it."""
    label = _LABEL.match(text)
    yield (label[1], text[label.end() :]) if label else (name, text)


def _of_windows(value: str | bytes) -> str:
    """Return the text of a tag that Windows writes in addition to those of EXIF."""
    return unpadded(value.decode("utf-16-le", "replace")) if isinstance(value, bytes) else _text(value)


def _text(value: str | bytes) -> str:
    """Return the text of a tag; UTF-8 that was decoded as Latin-1 is decoded again."""
    if isinstance(value, bytes):
        encoding = _ENCODINGS.get(value[:8])
        if encoding is None:
            return unpadded(value.decode("utf-8", "replace"))
        return unpadded(_utf16(value[8:]) if encoding == "utf-16" else value[8:].decode(encoding, "replace"))
    if value.isascii():
        return unpadded(value)
    try:
        return unpadded(value.encode("latin-1").decode("utf-8"))
    except UnicodeError:
        return unpadded(value)


def _utf16(value: bytes) -> str:
    """Return the text of EXIF's ``UNICODE``: programs disagree on its byte order, and some write UTF-8."""
    if value[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return value.decode("utf-16", "replace")
    if 0 not in value.rstrip(b"\0"):
        return value.decode("utf-8", "replace")
    little = value[1:64:2].count(0) > value[0:64:2].count(0)
    return value.decode("utf-16-le" if little else "utf-16-be", "replace")


def _png_texts(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Yield PNG's text chunks, including those after the picture, without decoding it."""
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind not in (b"tEXt", b"zTXt", b"iTXt") or length > limits.TAG.most:
            file.seek(length + 4, 1)
            continue
        data = file.read(length)
        file.seek(4, 1)
        name, _, rest = data.partition(b"\0")
        text = _chunk_text(kind, rest)
        if text is not None:
            yield name.decode("latin-1"), text


def _chunk_text(kind: bytes, rest: bytes) -> str | None:
    """Return the text of a chunk after its name; None if it is damaged or decompresses to too much."""
    packed = False
    if kind == b"zTXt":
        packed, rest = True, rest[1:]
    elif kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # after language and translated name
    if packed:
        unpacking = zlib.decompressobj()
        try:
            rest = unpacking.decompress(rest, limits.TAG.most)
        except zlib.error:
            return None
        if unpacking.unconsumed_tail:
            return None
    return _text(rest) if kind == b"iTXt" else _text(rest.decode("latin-1"))


def ordered(texts: Mapping[str, str], first: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the texts named in `first` in that order, then those that look like JSON."""
    for name in first:
        if name in texts:
            yield name, texts[name]
    for name, text in texts.items():
        if name not in first and text.lstrip()[:1] in ("{", '"', "["):
            yield name, text
