"""Inspection of a user's file before the run: what it is, and why it cannot be used."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from ltx_studio import limits, sandbox
from ltx_studio.errors import RequestError
from ltx_studio.media.animations import durations_of, is_webp, opened_animation
from ltx_studio.media.cropping import crop_of
from ltx_studio.media.file_kinds import named, refusal, usable
from ltx_studio.media.matrices import can_convert
from ltx_studio.media.open import (
    LARGE_PIXELS,
    audio_stream,
    frames_of,
    locate,
    open_media,
    opened_picture,
    video_stream,
    why_unread,
)
from ltx_studio.media.orientation import turned
from ltx_studio.media.packets import WITHOUT_GAPS, is_joinable, packets_of
from ltx_studio.media.remarks import (
    FIRST_IS_USED,
    ON_WHITE,
    ignored_of_clip,
    ignored_of_picture,
    is_transparent,
    remarks_on_clip,
    remarks_on_picture,
    remarks_on_sound,
)
from ltx_studio.safetensors_header import read_header

MIN_SIDE = 32
"""Pixels. One latent cell; a smaller picture shows nothing."""

MIN_RATE = 1_000
"""Samples per second. Telephones have 8,000; below this nothing is audible, and a file takes long to process."""

_LAYER = re.compile(
    r"(^|^diffusion_model[._]|^transformer[._]|^lora_unet_)transformer_blocks[._]\d+[._](attn[12]|audio_|video_to_audio)"
)
"""Names of LTX's own layers; other families have ``attn``, or blocks within ``down_blocks``."""

_INPUT = re.compile(r"transformer_blocks[._]\d+[._]attn1[._]to_[qkv]\.lora_(A|down)")
_LORA_ADVICE = "Use a LoRA for LTX-2.3, a .safetensors file."
_HUGE, _HUGE_JOINED = 1_000_000_000, 8_000_000_000
"""Bytes. A larger file is not read completely to find its length. The header of joined recordings lacks theirs."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's size in pixels, as displayed: rotated as the camera says.

    Attributes:
        remarks: Unexpected properties and conversions of the file, as parts of sentences.
        ignored: What players honour but ComfyUI's own loaders ignore; matters in a custom workflow only.
    """

    width: int
    height: int
    remarks: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound's length, and its start on the clock of its file; see `Picture` for `remarks`."""

    seconds: float
    remarks: tuple[str, ...] = ()
    begin: float = 0.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip's size in pixels, as displayed: rotated, with square pixels. Otherwise as `Picture` and `Sound`."""

    width: int
    height: int
    seconds: float
    has_sound: bool
    remarks: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    begin: float = 0.0


Found = TypeVar("Found")


def _remembered(probe: Callable[[Path], Found]) -> Callable[[Path], Found]:
    """Return `probe` with a cache that probes each state of a file once, wherever files are read (`reading.read`)."""

    @lru_cache(maxsize=64)
    def look(path: Path, size: int, changed: int) -> Found:  # noqa: ARG001
        return sandbox.read(probe, path)

    def probed(path: Path) -> Found:
        path = locate(path)
        state = path.stat()
        return look(path, state.st_size, state.st_mtime_ns)

    return probed


def _look_at_picture(path: Path) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with opened_picture(path) as image:
            remarks, ignored = tuple(remarks_on_picture(path, image)), tuple(ignored_of_picture(path, image))
            smallest = max(1, image.width // 8), max(1, image.height // 8)
            width, height = image.size
            image.draft(None, smallest)  # all of a JPEG is read, but only an eighth decoded
            if image.format != "HEIF" or width * height <= LARGE_PIXELS:  # libheif occupies all processors for long
                image.load()
                if is_transparent(image):
                    remarks += (ON_WHITE,)
            if image.format == "TIFF":  # Pillow has already rotated it
                width, height = image.size
            elif image.getexif().get(ORIENTATION, 1) in SIDEWAYS:
                width, height = height, width
    except UnidentifiedImageError:
        otherwise = RequestError(f"{path.name} is not a picture.", usable("picture"))
        raise refusal(path, "picture", otherwise) from None
    except Image.DecompressionBombError:
        raise RequestError(f"{path.name} is too large.", "Make it smaller.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise RequestError(f"{path.name} is damaged: {error}.", "Use an undamaged copy.") from None
    if min(width, height) < MIN_SIDE:
        raise RequestError(
            f"{path.name} has {width}×{height} pixels, which is too small.",
            f"Use a picture of at least {MIN_SIDE}×{MIN_SIDE} pixels.",
        )
    return Picture(width, height, remarks, ignored)


ORIENTATION = 0x0112
SIDEWAYS = {5, 6, 7, 8}
"""EXIF orientations that swap width and height."""


def _listen_to_sound(path: Path) -> Sound:
    with _opened(path, "sound") as container:
        stream = audio_stream(container)
        if stream is not None:
            _check_rate(path, stream)
        first = next(frames_of(container, stream), None) if stream is not None else None
        if stream is None or first is None:
            otherwise = RequestError(f"{path.name} has no sound.", usable("sound"))
            raise refusal(path, "sound", otherwise) if stream is None else otherwise
        limits.SOUND_CHANNELS.check(first.layout.nb_channels, path.name)
        seconds = _seconds(path, stream, first)
    return Sound(seconds, tuple(remarks_on_sound(first)), begin=float(first.time or 0.0))


def _check_rate(path: Path, stream: Any) -> None:
    rate = int(stream.rate or 0)
    limits.SOUND_RATE.check(rate, path.name)
    if 0 < rate < MIN_RATE:
        raise RequestError(
            f"{path.name} has {rate} samples per second; the minimum is {MIN_RATE}.",
            limits.SOUND_RATE.hint,
            where=path.name,
        )


def _look_at_clip(path: Path) -> Clip:
    durations = _durations(path)
    if durations or is_webp(path):  # which FFmpeg does not read
        return _look_at_animation(path, durations)
    with _opened(path, "clip") as container:
        stream = video_stream(container)
        if stream is not None:
            limits.CLIP_PIXELS.check(stream.width * stream.height, path.name)
        first = next(frames_of(container, stream), None) if stream is not None else None
        if stream is None or first is None:
            otherwise = RequestError(
                f"{path.name} has no video frames that can be read.",
                "Use an MP4, MOV or WebM file with video of at most 8K (7680×4320).",
            )
            raise refusal(path, "clip", otherwise) if stream is None else otherwise
        if stream.frames == 1 and (container.format.name == "gif" or not container.duration):  # a GIF or AVIF
            raise refusal(
                path,
                "clip",
                RequestError(f"{path.name} is a still picture, not a video.", "Use an MP4, MOV or WebM file."),
            )
        if not can_convert(first):
            raise RequestError(
                f"{path.name} has an unsupported colour matrix ({first.colorspace} of ITU-T H.273).",
                "Convert it to BT.709.",
            )
        seconds = 0.0 if first.time is None else _seconds(path, stream, first)
        crop = crop_of(path, container, stream)
        width = round((first.width - crop.left - crop.right) * (stream.sample_aspect_ratio or 1))
        height = first.height - crop.top - crop.bottom
        if turned(first):
            width, height = height, width
        has_sound = audio_stream(container) is not None
        remarks, ignored = tuple(remarks_on_clip(stream, first)), tuple(ignored_of_clip(stream, first, crop))
    if seconds <= 0:
        raise RequestError(f"{path.name} has no timestamps for its frames.", "Convert it to MP4.")
    return _large_enough(path, Clip(width, height, seconds, has_sound, remarks, ignored, float(first.time)))


def _durations(path: Path) -> list[float]:
    """Return the milliseconds for which each picture is shown; empty if it is not animated."""
    import av

    try:
        with opened_animation(path) as image:
            return [] if image is None else durations_of(path, image)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequestError(f"{path.name} cannot be read: {reason}.", "Check the file.") from None


def _look_at_animation(path: Path, durations: list[float]) -> Clip:
    still = _look_at_picture(path)
    limits.CLIP_PIXELS.check(still.width * still.height, path.name)  # each picture is decoded as a whole
    if len(durations) <= 1:
        raise refusal(
            path, "clip", RequestError(f"{path.name} is a still picture, not a video.", "Use an MP4, MOV or WebM file.")
        )
    remarks = tuple(remark for remark in still.remarks if remark != FIRST_IS_USED)
    return Clip(
        still.width, still.height, sum(durations) / 1000, has_sound=False, remarks=remarks, ignored=still.ignored
    )


def _large_enough(path: Path, clip: Clip) -> Clip:
    if min(clip.width, clip.height) < MIN_SIDE:
        raise RequestError(
            f"{path.name} has {clip.width}×{clip.height} pixels, which is too small.",
            f"Use a clip of at least {MIN_SIDE}×{MIN_SIDE} pixels.",
        )
    return clip


_picture = _remembered(_look_at_picture)
_sound = _remembered(_listen_to_sound)
_clip = _remembered(_look_at_clip)


def probe_picture(path: Path) -> Picture:
    """Decode a picture.

    Raises:
        RequestError: It is not a picture, is damaged, or has an unusable size.
    """
    return _picture(path)


def probe_sound(path: Path) -> Sound:
    """Measure a sound file, or the sound of a video.

    Raises:
        RequestError: There is no sound in it, or it is damaged.
    """
    return _sound(path)


def probe_clip(path: Path) -> Clip:
    """Measure a video.

    Raises:
        RequestError: There is no video in it, or it is damaged.
    """
    return _clip(path)


def check_lora(path: Path, width: int) -> None:
    """Check the header of a LoRA file; `width` is that of the model's picture tokens.

    Raises:
        RequestError: It is not a LoRA, or is for another kind or size of model.
    """
    widths = _lora(path)
    if widths and width not in widths:
        raise RequestError(
            f"{path.name} is a LoRA for a model of another size (width {min(widths)} instead of {width}).", _LORA_ADVICE
        )


def _lora_widths(path: Path) -> frozenset[int]:
    """Return the input widths of the LoRA's picture self-attention layers, from its header."""
    try:
        layers = read_header(path).tensors
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
    except ValueError as error:
        raise RequestError(f"{path.name} is not a LoRA: {error}.", _LORA_ADVICE) from None
    loras = {name: layer for name, layer in layers.items() if "lora" in name.lower()}
    if path.suffix.lower() != ".safetensors" or not loras:
        raise RequestError(f"{path.name} is not a LoRA.", _LORA_ADVICE)
    if not any(_LAYER.search(name) for name in loras):
        raise RequestError(f"{path.name} is a LoRA for another kind of model.", _LORA_ADVICE)
    try:
        return frozenset(int(layer["shape"][-1]) for name, layer in loras.items() if _INPUT.search(name))
    except (TypeError, ValueError, LookupError, OverflowError):
        raise RequestError(f"{path.name} is a damaged LoRA.", _LORA_ADVICE) from None


_lora = _remembered(_lora_widths)


@contextmanager
def _opened(path: Path, wanted: str) -> Iterator[Any]:
    import av

    try:
        with open_media(path) as container:
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        hint = "Check its permissions." if isinstance(error, PermissionError) else usable(wanted)
        if isinstance(error, av.error.ArgumentError):  # FFmpeg knows no format, or the studio does not allow it
            message = f"{path.name} is not {named(wanted)}, or its format is not supported."
        else:
            message = f"{path.name} cannot be read as {named(wanted)}: {why_unread(error)}."
        raise refusal(path, wanted, RequestError(message, hint)) from None


def _seconds(path: Path, stream: Any, first: Any) -> float:
    """Return the playing time of a stream in seconds.

    It comes from the played packets, because headers may be wrong; for a huge file from the header, to avoid reading it
    completely. `first` is the first played frame.
    """
    largest = _HUGE_JOINED if is_joinable(stream.container) else _HUGE
    if path.stat().st_size > largest and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    begin, end, single = math.inf, -math.inf, 0.0
    if stream.type == "audio":
        single = first.samples / first.sample_rate
    elif stream.average_rate:
        single = 1 / float(stream.average_rate)
    with open_media(path) as container:
        for number, packet in enumerate(packets_of(container, container.streams[stream.index])):
            if number >= limits.PACKETS.most:
                end = max(end, begin + float((stream.duration or 0) * stream.time_base))
                break
            if packet.pts is None and packet.size and container.format.name in WITHOUT_GAPS:
                return _seconds_decoded(path, stream, first)
            if packet.pts is not None and packet.time_base and not packet.is_discard:
                begin = min(begin, float(packet.pts * packet.time_base))
                shown = float(packet.duration * packet.time_base) if packet.duration else single
                end = max(end, float(packet.pts * packet.time_base) + shown)
    return max(0.0, end - begin if first.time is None else end - max(begin, float(first.time)))


def _seconds_decoded(path: Path, stream: Any, first: Any) -> float:
    """Return the playing time of a sound in seconds, from its frames, if its packets do not give it."""
    last = first
    with open_media(path) as container:
        for frame in frames_of(container, container.streams[stream.index]):
            last = frame
    return float(last.time) - float(first.time) + float(last.samples / last.sample_rate)
