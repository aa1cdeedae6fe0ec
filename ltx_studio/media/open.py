"""Locating and opening a user's media file: regular files only, in formats that contain their own pictures or sound."""

import errno
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import RequestError
from ltx_studio.media.channel_order import Order, has_no_order, hide_order
from ltx_studio.media.float_pictures import float_picture
from ltx_studio.media.jpeg2000 import with_profile
from ltx_studio.media.packets import WITHOUT_GAPS, in_one_piece, packets_of
from ltx_studio.media.tiff import with_planes

_CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mxf,ogg,"
    "w64,wav,wv,h264,hevc,gif,apng,eac3,dts,truehd,tta"
)
"""The allowed containers. FFmpeg would also draw text, and follow playlists to other files and to the network."""

_VIDEO_CODECS = (
    "apng av1 libdav1d cfhd dnxhd dvvideo ffv1 ffvhuff flv gif h261 h263 h263i h263p h264 hap hevc huffyuv jpeg2000"
    " libvpx libvpx-vp9 mjpeg mpeg1video mpeg2video mpeg4 mpegvideo msmpeg4 msmpeg4v1 msmpeg4v2 msrle msvideo1 cinepak"
    " png prores qtrle rawvideo svq1 svq3 theora utvideo v210 v308 v408 v410 vc1 vp3 vp6 vp6a vp6f vp8 vp9 vvc wmv1"
    " wmv2 wmv3 r10k r210 webp magicyuv"
)
_SOUND_CODECS = (
    "aac aac_latm ac3 alac amrnb amrwb libopencore_amrnb libopencore_amrwb ape dca eac3 flac g722 gsm gsm_ms libopus"
    " mlp mp1 mp1float mp2 mp2float mp3 mp3float opus qcelp speex truehd tta vorbis wavpack wmalossless wmapro wmav1"
    " wmav2 wmavoice"
)
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "PSD", "QOI")
"""Formats that Pillow decodes by itself. It would also start other programs: Ghostscript for EPS."""

_HEIF_BRANDS = {b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")}
"""Signatures of HEIF files with HEVC pictures, as phones write them, whatever the name."""

_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that keep transparency, by the name of FFmpeg's own."""

LARGE_PIXELS = 20_000_000
"""Larger pictures are decoded one at a time: each takes up to four bytes a pixel, and temporarily twice that."""

_one_large_picture = threading.Lock()


def locate(path: Path) -> Path:
    """Return the absolute path of a file: FFmpeg would take ``clip:1.mp4`` for an address.

    Raises:
        RequestError: There is no such file, or it is not a regular file.
    """
    try:
        path = path.expanduser().absolute()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise RequestError(f"There is no file {path}.", "Check the path.") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
    except (RuntimeError, ValueError) as error:  # ~nobody, or a null byte
        raise RequestError(f"{str(path)!r} is not a valid path: {error}.", "Check the path.") from None
    if stat.S_ISDIR(mode):
        raise RequestError(f"{path} is a folder.", "Use a file.")
    if not stat.S_ISREG(mode):
        raise RequestError(f"{path} is not a regular file.", "Check the path.")
    return path


def open_media(path: Path) -> Any:
    """Return an open PyAV container, limited to the decoders of `_codecs` and to sizes within the limits.

    Raises:
        av.error.FFmpegError: It is not a media file, or its format is not allowed.
        OSError: It cannot be read.
        RequestError: It has too many streams.
    """
    container = _container(path)
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            hide_order(stream)
    return container


def _container(path: Path) -> Any:
    """Return the same as `open_media`, before the layout of any sound may be read."""
    import av

    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file", "codec_whitelist": _codecs()}
    decoding = _decoding_options()
    opened = partial(av.open, path, options=options, metadata_errors="replace")
    try:  # FFmpeg decodes a frame of each stream to probe it
        container = opened(stream_options=[decoding] * limits.STREAMS.most)
    except ValueError as error:
        if isinstance(error, av.error.FFmpegError):
            raise
        container = opened()  # MPEG and FLV show their streams only once FFmpeg has probed them, PyAV says
    try:
        limits.STREAMS.check(len(container.streams), path.name)
    except RequestError:
        container.close()
        raise
    for stream in container.streams:
        if stream.codec_context is not None:
            stream.codec_context.options = decoding
    return container


def why_unread(error: Exception) -> str:
    """Return why a file could not be read, to follow a colon: FFmpeg's own words are those of the system."""
    import av

    words: tuple[tuple[type[Exception], str], ...] = (
        (av.error.ArgumentError, "its format is not supported"),  # its format is not in `_CONTAINERS`
        (av.error.InvalidDataError, "it is damaged, or its format is not supported"),
        (av.error.EOFError, "it is incomplete"),
    )
    found = next((said for kind, said in words if isinstance(error, kind)), None)
    if found is None and getattr(error, "errno", None) == errno.EOPNOTSUPP:
        found = "FFmpeg does not support its content"
    return found or getattr(error, "strerror", None) or str(error)


def tags(path: Path) -> dict[str, str]:
    """Return the tags of a media file, except those larger than `limits.TAG`.

    Ogg stores tags with the stream, other formats with the file; the latter win. Bytes that are not UTF-8 are
    replaced.

    Raises:
        av.error.FFmpegError: It is not a media file.
        OSError: It cannot be read.
    """
    with open_media(path) as container:
        of_streams = (stream.metadata for stream in reversed(container.streams))
        written = {key: value for each in (*of_streams, container.metadata) for key, value in each.items()}
        return {key: value for key, value in written.items() if len(value) <= limits.TAG.most}


def attachments(path: Path) -> dict[str, bytes]:
    """Return the files within a Matroska file by their names, except those larger than `limits.TAG`.

    Raises:
        av.error.FFmpegError: It is not a media file.
        OSError: It cannot be read.
    """
    with open_media(path) as container:
        found = ((stream.name or "", stream.data) for stream in container.streams if stream.type == "attachment")
        return {name: data for name, data in found if data and len(data) <= limits.TAG.most}


@lru_cache(maxsize=1)
def _codecs() -> str:
    """Return the allowed decoders in FFmpeg's list format."""
    import av

    plain = (name for name in av.codecs_available if name.startswith(("pcm_", "adpcm_")))
    return ",".join([*_VIDEO_CODECS.split(), *_SOUND_CODECS.split(), *sorted(plain)])


def _decoding_options() -> dict[str, str]:
    return {"codec_whitelist": _codecs(), "max_pixels": str(limits.CLIP_PIXELS.most)}


@contextmanager
def opened_picture(path: Path) -> Iterator[Any]:
    """Yield a Pillow image that is not yet decoded and within the size limit.

    Raises:
        RequestError: It is too large.
        PIL.UnidentifiedImageError: It is not a picture in a known format.
    """
    from PIL import Image

    formats: tuple[str, ...] = PICTURE_FORMATS
    if is_heif(path):
        _read_heif()
        formats += ("HEIF",)
    with (
        warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
        _opened(path, formats) as image,
    ):
        pixels = image.width * image.height
        limits.PICTURE_PIXELS.check(pixels, path.name)
        with _one_large_picture if pixels > LARGE_PIXELS else nullcontext():
            yield image


def _opened(path: Path, formats: tuple[str, ...]) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        return with_profile(path, with_planes(path, Image.open(path, formats=formats)))
    except Image.DecompressionBombError:  # Pillow raises this before the size can be read
        most = limits.PICTURE_PIXELS.most / 1e6
        raise RequestError(
            f"{path.name} exceeds the limit of {most:.0f} megapixels.", limits.PICTURE_PIXELS.hint
        ) from None
    except UnidentifiedImageError:
        image = float_picture(path)
        if image is None:
            raise
        return image


def is_heif(path: Path) -> bool:
    """Return whether a file is a HEIC picture, as phones write, whatever its name.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return file.read(12)[4:] in _HEIF_BRANDS


@lru_cache(maxsize=1)
def _read_heif() -> None:
    """Register HEIC support in Pillow; libheif assembles the tiles of a large picture."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


def video_stream(container: Any) -> Any:
    """Return the video stream that players show; None if there is none.

    Album covers are skipped; the file's default stream is preferred, otherwise the largest.
    """
    from av.stream import Disposition

    beside = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails | Disposition.dependent

    def rank(stream: Any) -> tuple[bool, bool, int]:
        return stream.frames != 1, bool(stream.disposition & Disposition.default), stream.width * stream.height

    found = (stream for stream in container.streams.video if stream.codec_context is not None)
    return max((stream for stream in found if not stream.disposition & beside), key=rank, default=None)


def audio_stream(container: Any) -> Any:
    """Return the audio stream that players play and that can be decoded; None if there is none.

    It is the file's default stream, otherwise the one with the most channels.
    """
    from av.stream import Disposition

    def rank(stream: Any) -> tuple[bool, int]:
        return bool(stream.disposition & Disposition.default), stream.codec_context.channels

    found = (stream for stream in container.streams.audio if stream.codec_context is not None)
    return max(found, key=rank, default=None)


def _decoder(stream: Any) -> Callable[[Any], list[Any]]:
    """Return the function that decodes packets into frames; FFmpeg's own VP8 and VP9 decoders drop transparency."""
    import av

    with_alpha = _WITH_ALPHA.get(stream.codec_context.name) if stream.metadata.get("alpha_mode") == "1" else None
    if with_alpha is None or with_alpha not in av.codecs_available:
        return lambda packet: list(packet.decode())
    context = av.CodecContext.create(with_alpha, "r")
    context.options = _decoding_options()
    return lambda packet: list(context.decode(packet))


def frames_of(container: Any, stream: Any, skip: int = 0) -> Iterator[Any]:
    """Yield the frames of a stream, skipping damaged or too large ones, as players do.

    Args:
        container: As opened by `open_media`, or after a seek.
        stream: One of its streams.
        skip: Number of packets to skip before the first decoded one.

    Raises:
        RequestError: Too many packets in a row are damaged.
    """
    decoded = _decoded(container, stream, skip)
    return in_one_piece(decoded) if container.format.name in WITHOUT_GAPS else decoded


def _decoded(container: Any, stream: Any, skip: int) -> Iterator[Any]:
    import av

    damaged, decode = 0, _decoder(stream)
    order = _hidden_order(container, stream) if stream.type == "audio" else ()
    for packet in islice(packets_of(container, stream), skip, None):
        try:
            frames = decode(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError, av.error.PermissionError):  # from a Theora header
            damaged += 1
            limits.DAMAGED_PACKETS.check(damaged, Path(container.name).name, is_partial=True)
            continue
        for frame in frames:
            damaged = 0
            if order:
                frame.opaque = order
            yield frame


def _hidden_order(container: Any, stream: Any) -> Order:
    """Return the channel order of a sound, which `open_media` has hidden."""
    if not has_no_order(stream):
        return ()
    with _container(Path(container.name)) as again:
        return hide_order(again.streams[stream.index])
