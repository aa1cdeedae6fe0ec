"""Handling of user files that several modes share."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.families.geometry import HALF_A_FRAME, Geometry
from ltx_studio.graph import Graph
from ltx_studio.media import PictureFile, PrepareInput, SoundFile, probe_clip, probe_picture, probe_sound
from ltx_studio.media.input_store import would_be_copied
from ltx_studio.media.open import locate
from ltx_studio.media.silence import is_silent
from ltx_studio.modes.fields import DEFAULT_FPS, MIN_SECONDS, Controlled, Media, Params, Voiced
from ltx_studio.text.formatting import in_bytes

_CROP = 0.05
"""Share of a picture that may be cropped without a note."""

_LARGEST = 1e9
"""Largest start in seconds or frame rate: Python cannot convert every larger integer to a float."""

_PADDING = 0.05
"""Seconds of silence that an encoder may add to a sound, not part of it."""

_EXACT = 0.001
"""Seconds. A shorter difference is rounding."""

_SHOWN = 0.005
"""Seconds. Shorter times are shown with three decimal places."""

_NEAR = 60.0
"""Seconds. Parts that begin later are not checked for silence: a sound is decoded from its beginning."""

_LARGE_COPY = 20_000_000
"""Bytes. The copy of a smaller file does not deserve a note."""

_SMALL_PART = 0.1
"""Share of a file's seconds; if more of it is used, cutting it first saves little space."""

_LENGTHS: Mapping[Media, Callable[[Path], float]] = {
    Media.CLIP: lambda path: probe_clip(path).seconds,
    Media.SOUND: lambda path: probe_sound(path).seconds,
}
"""Functions that measure the seconds of a file, by its kind."""

SOUND_NODES = ("Sound", "Silence", "Padded sound", "Trimmed sound", "Sound latent", "Keep the sound", "Frozen sound")
PICTURE_NODES = ("Image", "Image crop", "Image size", "Image compression")


def set_picture(graph: Graph, title: str, path: Path, prepare: PrepareInput) -> None:
    graph[title].image = prepare(PictureFile(path))


def set_sound(graph: Graph, params: "VoicedParams", prepare: PrepareInput) -> None:
    graph["Sound"].audio = prepare(SoundFile(params.audio, params.audio_start, params.duration))


class VoicedParams(Voiced, Params):
    """The parameters of modes that follow a sound."""


def length_of_sound(values: Mapping[str, Any], legal: Geometry) -> Mapping[str, float]:
    """Return ``seconds`` for a clip that holds the rest of the sound, as far as a clip can be that long."""
    rest = rest_of(values, "audio", lambda path: probe_sound(path).seconds)
    if rest is None:
        return {}
    seconds, fps = rest
    start, below = values.get("audio_start", 0.0), legal.to_fill(seconds, fps)
    if below < seconds and is_padding(Path(values["audio"]), start + below, seconds - below):
        return {"seconds": below}
    return {"seconds": legal.to_hold(seconds, fps)}


def length_of_clip(values: Mapping[str, Any], legal: Geometry) -> Mapping[str, float]:
    """Return ``seconds`` for a clip that the rest of the given one fills to its end, so that no frame is held."""
    rest = rest_of(values, "clip", lambda path: probe_clip(path).seconds)
    return {} if rest is None else {"seconds": legal.to_fill(*rest)}


def rest_of(values: Mapping[str, Any], name: str, seconds: Callable[[Path], float]) -> tuple[float, float] | None:
    """Return the seconds of the file `name` from ``<name>_start`` on, and the frame rate; None without a file."""
    if not isinstance(values.get(name), str | Path):
        return None
    start, fps = (values.get(key, default) for key, default in ((f"{name}_start", 0.0), ("fps", DEFAULT_FPS)))
    if not all(isinstance(number, int | float) and 0 <= number <= _LARGEST for number in (start, fps)) or not fps:
        return MIN_SECONDS, DEFAULT_FPS  # faults in these are reported when they are checked
    return max(0.0, seconds(Path(values[name])) - start), fps


def is_padding(path: Path, start: float, seconds: float) -> bool:
    """Return whether the end of a sound, from `start` on, is only what its encoder added."""
    return seconds <= _PADDING and is_silent(path, start, seconds)


def check_sound(params: VoicedParams) -> Iterator[str]:
    """Refuse a start after the end; yield what is cut or filled with silence."""
    sound = probe_sound(params.audio)
    rest = sound.seconds - params.audio_start
    if rest <= 0:
        raise RequestError(
            f"The sound is {sound.seconds:.2f} s long, so it cannot start at {params.audio_start:g} s.",
            "Use an earlier start.",
        )
    lost = rest - params.duration
    if params.audio_start <= _NEAR and is_silent(params.audio, params.audio_start, min(rest, params.duration)):
        is_part = params.audio_start > 0 or lost > _PADDING
        yield f"The sound is silent{' where it is used' if is_part else ''}."
    if -lost > _PADDING:
        yield f"The sound ends after {rest:.2f} s; the rest of the clip's {params.duration:.2f} s is silent."
    elif lost > _EXACT and not is_padding(params.audio, params.audio_start + params.duration, lost):
        yield (
            f"The sound is cut: {params.duration:.2f} of {rest:.2f} s are used; "
            f"the last {_seconds(lost)} s are dropped."
            f"{_keep_all(params.geometry.to_hold(rest, params.fps), params, rest)}"
        )


def check_source_sound(params: Params, path: Path, start: float) -> Iterator[str]:
    """Yield what is lost of the sound of a clip that is longer than its pictures.

    Args:
        params: The request, with the length of its clip.
        path: The given clip, which has sound.
        start: Second from which it is used.
    """
    sound, pictures = probe_sound(path), probe_clip(path)
    ahead = pictures.begin - sound.begin
    length = sound.seconds - ahead  # counted from the first picture
    beyond, lost = length - pictures.seconds, length - start - params.duration
    if min(beyond, lost) * params.fps > HALF_A_FRAME and not is_padding(path, ahead + pictures.seconds, beyond):
        yield (
            f"The clip's sound is cut: {params.duration:.2f} of {length - start:.2f} s are used; "
            f"the last {_seconds(lost)} s are dropped."
        )


def check_clip_length(params: Params, rest: float, what: str) -> Iterator[str]:
    """Yield what part of a clip's `rest` (seconds) is unused, or how long its last picture is held.

    Args:
        params: The request, with the length of its clip.
        rest: Seconds of the given clip from the start of its use.
        what: The given clip, as the subject of a sentence.
    """
    left_over = (rest - params.duration) * params.fps
    if left_over < -HALF_A_FRAME:
        yield f"{what} ends after {rest:.2f} s; its last frame is held for {_seconds(-left_over / params.fps)} s."
    elif left_over > HALF_A_FRAME:
        why = (
            f" (the frame count is a multiple of {params.geometry.frame_step}, plus 1)"
            if _is_cut_by_rule(params, rest)
            else ""
        )
        yield f"{what} is cut: {params.duration:.2f} of {rest:.2f} s are used{why}."


def _is_cut_by_rule(params: Params, rest: float) -> bool:
    """Return whether the clip uses as much of `rest` (seconds) as fits: the next longer legal clip would not."""
    is_shorter = (params.geometry.to_fill(rest, params.fps) - params.seconds) * params.fps > HALF_A_FRAME
    return not is_shorter and (rest - params.duration) * params.fps < params.geometry.frame_step - HALF_A_FRAME


def _seconds(seconds: float) -> str:
    """Return the seconds with two decimal places, or three if they are very short."""
    return f"{seconds:.2f}" if seconds >= _SHOWN else f"{seconds:.3f}"


def _keep_all(seconds: float, params: Params, rest: float) -> str:
    """Return how to keep the whole sound, if a clip can be that long; otherwise how to choose the part that is used."""
    if round(seconds * params.fps) / params.fps >= rest - _EXACT:
        return f" Set the length to {seconds:.3g} s to keep all of it."
    return f" To use another part, change “{Voiced.model_fields['audio_start'].title}”."


def copy_notes(params: Params, media: Mapping[str, Media]) -> Iterator[str]:
    """Yield a note for each large clip or sound that is copied whole although little of it is used.

    Args:
        params: The request.
        media: Its file parameters, by name.
    """
    for name, kind in media.items():
        path = getattr(params, name)
        if path is None or kind not in _LENGTHS or not would_be_copied(path):
            continue
        size, seconds = locate(path).stat().st_size, _LENGTHS[kind](path)
        used = min(params.duration, seconds - getattr(params, f"{name}_start", 0.0))
        if size > _LARGE_COPY and used < _SMALL_PART * seconds:
            yield (
                f"{type(params).model_fields[name].title}: the whole file ({in_bytes(size)}) is copied, although only "
                f"{used:.2f} of {seconds:.2f} s are used. Trim it first to save space."
            )


def check_crop(path: Path, params: Params, what: str) -> Iterator[str]:
    """Yield a note if much of a picture is cut off."""
    picture = probe_picture(path)
    yield from crop_note(picture.width, picture.height, params, what)


def crop_note(width: int, height: int, params: Params, what: str) -> Iterator[str]:
    shape, wanted = width / height, params.width / params.height
    lost = 1 - min(shape, wanted) / max(shape, wanted)
    if lost > _CROP:
        yield (
            f"{what} is {width}×{height}; to fill {params.width}×{params.height}, {lost:.0%} of it is cut off "
            f"at the {'sides' if shape > wanted else 'top and bottom'}."
        )


def check_control(params: Params) -> Iterator[str]:
    """Yield what an optional control clip does not cover, and what of it is unused."""
    if isinstance(params, Controlled) and params.control_clip is not None:
        clip = probe_clip(params.control_clip)
        missing = (params.duration - clip.seconds) * params.fps
        if missing > HALF_A_FRAME:
            yield f"The control clip ends after {clip.seconds:.2f} s; after that, only the prompt guides the motion."
        elif -missing > HALF_A_FRAME:
            yield f"The control clip is cut: {params.duration:.2f} of {clip.seconds:.2f} s are used."
        yield from crop_note(clip.width, clip.height, params, "The control clip")
