"""The kind of a file that cannot be used as intended, and what the user can do."""

from pathlib import Path

from ltx_studio.errors import RequestError
from ltx_studio.media.open import audio_stream, open_media, opened_picture, video_stream

_PICTURES = "Use a PNG, JPEG, WebP or HEIC file."
_SOUNDS = "Use a WAV, MP3, FLAC, OGG or M4A file."
_CLIPS = "Use an MP4, MOV or WebM file."

_FITTING = {("picture", "picture"), ("sound", "sound"), ("video", "clip"), ("video", "sound")}
"""Kinds of file that can serve as the wanted kind; if one of these fails, it has another fault."""

_SIGNATURES = (
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"\xff\x0a", "a JPEG XL file"),
    (4, b"JXL \r\n\x87\n", "a JPEG XL file"),
    (4, b"ftypcrx ", "a camera raw file"),
    (0, b"FUJIFILMCCD-RAW", "a camera raw file"),
    (0, b"II*\0", "a TIFF or camera raw file of an unsupported kind or size"),
    (0, b"MM\0*", "a TIFF or camera raw file of an unsupported kind or size"),
    (0, b"v/1\x01", "an OpenEXR file of an unsupported kind or size"),
    (0, b"#?RADIANCE", "a Radiance HDR file of an unsupported kind or size"),
    (0, b"PK\x03\x04", "an archive or an Office document"),
)
"""Offset, bytes and kind of files that people mistake for pictures or clips."""


def usable(wanted: str) -> str:
    """Return advice on usable files for a ``picture``, ``sound`` or ``clip``."""
    return {"picture": _PICTURES, "sound": _SOUNDS, "clip": _CLIPS}[wanted]


def named(kind: str) -> str:
    """Return a kind of file with its article, for a sentence."""
    return {"sound": "a sound file", "clip": "a video"}.get(kind, f"a {kind}")


def refusal(path: Path, wanted: str, otherwise: RequestError) -> RequestError:
    """Return the error for a file that is not what is `wanted`, with its actual kind if known.

    Args:
        path: The file; it exists.
        wanted: ``picture``, ``sound`` or ``clip``.
        otherwise: The error if nothing better is known.
    """
    hint = usable(wanted)
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return otherwise
    if not head:
        return RequestError(f"{path.name} is empty.", hint)
    kind, way = _looked_at(path)
    if not kind:
        for place, signature, other in _SIGNATURES:
            if head[place:].startswith(signature):
                return RequestError(
                    f"{path.name} is {other}, which is not supported.", f"Save it in another format. {hint}"
                )
    if not kind or (kind, wanted) in _FITTING:
        return otherwise
    lacking = ": it has no pictures" if kind == "sound" else ""
    return RequestError(f"{path.name} is {named(kind)}, not {named(wanted)}{lacking}.", f"{way} {hint}")


def _looked_at(path: Path) -> tuple[str, str]:
    """Return the kind of a file, and how it can be used; empty if it cannot be read at all."""
    import av
    from PIL import Image

    try:
        with opened_picture(path):
            return "picture", "Use it as a picture, or convert it to a video."
    except Image.DecompressionBombError:
        return "picture", "Make it smaller."
    except (RequestError, OSError, ValueError, SyntaxError):
        pass
    try:
        with open_media(path) as container:
            if video_stream(container) is not None:
                return "video", "Use it as a clip, or save the frame that you want as a picture."
            if audio_stream(container) is not None:
                return "sound", "Use it as a sound."
    except (RequestError, av.error.FFmpegError, OSError, ValueError):
        pass
    return "", ""
