"""Finding and opening a user's media file: only files, and only formats that hold pictures or sound themselves."""

import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError

_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mxf,ogg,"
    "w64,wav,wv,h264,hevc"
)
"""FFmpeg would also draw text as pictures, and follow playlists to other files and to the network."""


def locate(path: Path) -> Path:
    """The whole path of a file: FFmpeg would take ``clip:1.mp4`` for an address.

    Raises:
        RequestError: There is no such file, or it is none that can be read from beginning to end.
    """
    try:
        path = path.expanduser().absolute()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise RequestError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
    except (RuntimeError, ValueError) as error:  # ~nobody, or a zero within
        raise RequestError(f"{str(path)!r} is no path: {error}.", "Check the path.") from None
    if stat.S_ISDIR(mode):
        raise RequestError(f"{path} is a folder.", "Name a file.")
    if not stat.S_ISREG(mode):
        raise RequestError(f"{path} is no ordinary file.", "Name a file.")
    return path


def open_media(path: Path) -> Any:
    """An open PyAV container.

    Raises:
        av.error.FFmpegError: It is none, or of another format.
        OSError: It cannot be read.
    """
    import av

    return av.open(path, options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})


@contextmanager
def opened_picture(path: Path) -> Iterator[Any]:
    """A Pillow image; it warns of large ones, which may be meant."""
    from PIL import Image

    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning), Image.open(path) as image:
        yield image


def video_stream(container: Any) -> Any:
    """The first stream of pictures that is no cover of an album; None when there is none."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def audio_stream(container: Any) -> Any:
    """The first stream of sound that can be decoded; None when there is none."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def frames_of(container: Any, stream: Any) -> Iterator[Any]:
    """Every frame of a stream; what is damaged is left out, as players do."""
    import av

    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        yield from frames
