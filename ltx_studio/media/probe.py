"""Looking at a user's file before anything is rendered: what it is, and why it cannot be used."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from ltx_studio import limits, reading
from ltx_studio.errors import RequestError
from ltx_studio.media.open import audio_stream, frames_of, locate, open_media, opened_picture, video_stream
from ltx_studio.weights import read_header

MIN_SIDE = 32
"""Pixels. One latent cell; a smaller picture has nothing to show."""

MIN_RATE = 1_000
"""Samples per second. Telephones have 8,000; below it there is nothing to hear, and a file takes long to go through."""

_LAYER = re.compile(
    r"(^|^diffusion_model[._]|^transformer[._]|^lora_unet_)transformer_blocks[._]\d+[._](attn[12]|audio_|video_to_audio)"
)
"""The names of LTX's own layers; other families have ``attn``, or blocks within ``down_blocks``."""

_INPUT = re.compile(r"transformer_blocks[._]\d+[._]attn1[._]to_[qkv]\.lora_(A|down)")
_LORA_ADVICE = "Use a LoRA for LTX-2.3, a .safetensors file."
_HUGE = 1_000_000_000
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, as one sees it: turned as the camera says."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Sound:
    seconds: float


@dataclass(frozen=True, slots=True)
class Clip:
    """Pixels, as one sees it: turned as the camera says, and with square pixels."""

    width: int
    height: int
    seconds: float
    has_sound: bool


Found = TypeVar("Found")


def _remembered(probe: Callable[[Path], Found]) -> Callable[[Path], Found]:
    """Look at each state of a file once, wherever files are read (`reading.read`)."""

    @lru_cache(maxsize=64)
    def look(path: Path, size: int, changed: int) -> Found:  # noqa: ARG001
        return reading.read(probe, path)

    def probed(path: Path) -> Found:
        path = locate(path)
        state = path.stat()
        return look(path, state.st_size, state.st_mtime_ns)

    return probed


def _look_at_picture(path: Path) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with opened_picture(path) as image:
            width, height = image.size
            smallest = max(1, width // 8), max(1, height // 8)
            image.draft(None, smallest)  # of a JPEG, all is read, and an eighth of it is decoded
            image.load()
            if image.getexif().get(ORIENTATION, 1) in SIDEWAYS:
                width, height = height, width
    except UnidentifiedImageError:
        raise RequestError(f"{path.name} is no picture.", "Use a PNG, JPEG or WebP file.") from None
    except Image.DecompressionBombError:
        raise RequestError(f"{path.name} is too large a picture.", "Make it smaller.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise RequestError(f"{path.name} is a damaged picture: {error}.", "Save it again.") from None
    if min(width, height) < MIN_SIDE:
        raise RequestError(
            f"{path.name} has {width}×{height} pixels, which is too small.",
            f"Use a picture of at least {MIN_SIDE}×{MIN_SIDE} pixels.",
        )
    return Picture(width, height)


ORIENTATION = 0x0112
SIDEWAYS = {5, 6, 7, 8}
"""Of the orientations in a picture's EXIF data, those that swap width and height."""


def _listen_to_sound(path: Path) -> Sound:
    with _opened(path, "sound file") as container:
        stream = audio_stream(container)
        if stream is not None:
            _check_rate(path, stream)
        first = next(frames_of(container, stream), None) if stream is not None else None
        if stream is None or first is None:
            raise RequestError(f"{path.name} holds no sound.", "Use a WAV, MP3, FLAC, OGG or M4A file.")
        limits.SOUND_CHANNELS.check(first.layout.nb_channels, path.name)
        seconds = _seconds(path, stream)
    return Sound(seconds)


def _check_rate(path: Path, stream: Any) -> None:
    rate = int(stream.rate or 0)
    limits.SOUND_RATE.check(rate, path.name)
    if 0 < rate < MIN_RATE:
        raise RequestError(
            f"{path.name} has {rate} samples per second, which is too few.", limits.SOUND_RATE.hint, where=path.name
        )


def _look_at_clip(path: Path) -> Clip:
    with _opened(path, "video") as container:
        stream = video_stream(container)
        if stream is not None:
            limits.CLIP_PIXELS.check(stream.width * stream.height, path.name)
        first = next(frames_of(container, stream), None) if stream is not None else None
        if stream is None or first is None:
            raise RequestError(
                f"{path.name} has no video frames that can be read.",
                "Use an MP4, MOV or WebM file with video of at most 8K (7680×4320).",
            )
        seconds = 0.0 if first.time is None else _seconds(path, stream)
        width, height = round(first.width * (stream.sample_aspect_ratio or 1)), first.height
        if first.rotation % 180:
            width, height = height, width
        has_sound = audio_stream(container) is not None
    if seconds <= 0:
        raise RequestError(f"{path.name} does not say when its pictures come.", "Save it as MP4, then use that.")
    if min(width, height) < MIN_SIDE:
        raise RequestError(
            f"{path.name} has {width}×{height} pixels, which is too small.",
            f"Use a clip of at least {MIN_SIDE}×{MIN_SIDE} pixels.",
        )
    return Clip(width, height, seconds, has_sound)


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
    """Read the header of a LoRA file; `width` is that of the model's picture tokens.

    Raises:
        RequestError: It is none, or made for another kind or size of model.
    """
    widths = _lora(path)
    if widths and width not in widths:
        raise RequestError(
            f"{path.name} is a LoRA for a model of another size ({min(widths)} instead of {width}).", _LORA_ADVICE
        )


def _lora_widths(path: Path) -> frozenset[int]:
    """Return what the LoRA's layers of the picture's self-attention take, as its header says."""
    try:
        layers = read_header(path).tensors
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
    except ValueError as error:
        raise RequestError(f"{path.name} is no LoRA: {error}.", _LORA_ADVICE) from None
    loras = {name: layer for name, layer in layers.items() if "lora" in name.lower()}
    if path.suffix.lower() != ".safetensors" or not loras:
        raise RequestError(f"{path.name} is no LoRA.", _LORA_ADVICE)
    if not any(_LAYER.search(name) for name in loras):
        raise RequestError(f"{path.name} is a LoRA for another kind of model.", _LORA_ADVICE)
    try:
        return frozenset(int(layer["shape"][-1]) for name, layer in loras.items() if _INPUT.search(name))
    except (TypeError, ValueError, LookupError, OverflowError):
        raise RequestError(f"{path.name} is a damaged LoRA.", _LORA_ADVICE) from None


_lora = _remembered(_lora_widths)


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[Any]:
    import av

    try:
        with open_media(path) as container:
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequestError(f"{path.name} cannot be read as a {kind}: {reason}.", "Check the file.") from None


def _seconds(path: Path, stream: Any) -> float:
    """From the packets, as a header may say anything; of a huge file from the header, as it would be read whole."""
    if path.stat().st_size > _HUGE and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    begin, end = math.inf, -math.inf
    with open_media(path) as container:
        for number, packet in enumerate(container.demux(container.streams[stream.index])):
            if number >= limits.PACKETS.most:
                end = max(end, begin + float((stream.duration or 0) * stream.time_base))
                break
            if packet.pts is not None and packet.time_base:
                begin = min(begin, float(packet.pts * packet.time_base))
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return max(0.0, end - (0.0 if begin < 0 < end else begin))  # players leave out what comes before 0
