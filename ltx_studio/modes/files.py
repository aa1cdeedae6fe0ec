"""What several modes do with the user's files."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.graph import Graph
from ltx_studio.media import PictureFile, SoundFile, Staging, probe_clip, probe_picture, probe_sound
from ltx_studio.modes.fields import DEFAULT_FPS, MAX_FRAMES, MAX_SECONDS, MIN_SECONDS, Controlled, Params, Voiced

_CROP = 0.05
"""Share of a picture that may go without a word."""

_NEAR = 0.05
"""Seconds that nobody hears or sees the want of."""

SOUND_NODES = ("Sound", "Silence", "Padded sound", "Trimmed sound", "Sound latent", "Keep the sound", "Frozen sound")
PICTURE_NODES = ("Image", "Image crop", "Image size", "Image compression")


def set_picture(graph: Graph, title: str, path: Path, stage: Staging) -> None:
    graph[title].image = stage(PictureFile(path))


def set_sound(graph: Graph, params: "VoicedParams", stage: Staging) -> None:
    graph["Sound"].audio = stage(SoundFile(params.audio, params.audio_start, params.duration))


class VoicedParams(Voiced, Params):
    """What modes have that follow a sound."""


def length_of_sound(values: Mapping[str, Any]) -> Mapping[str, float]:
    """The rest of the sound, as far as a clip can be that long."""
    return rest_of(values, "audio", lambda path: probe_sound(path).seconds)


def rest_of(values: Mapping[str, Any], name: str, seconds: Callable[[Path], float]) -> Mapping[str, float]:
    """How long a clip can be that follows the file `name` from ``<name>_start`` on to its end."""
    if not isinstance(values.get(name), str | Path):
        return {}
    start, fps = (values.get(key, default) for key, default in ((f"{name}_start", 0.0), ("fps", DEFAULT_FPS)))
    if not isinstance(start, int | float) or not isinstance(fps, int | float) or fps <= 0:
        return {"seconds": MIN_SECONDS}  # what is wrong with these is said when they are checked
    try:
        longest = min(MAX_SECONDS, MAX_FRAMES / fps)
        return {"seconds": min(max(seconds(Path(values[name])) - start, MIN_SECONDS, 5 / fps), longest)}
    except OverflowError:  # of more than 308 digits
        return {"seconds": MIN_SECONDS}


def check_sound(params: VoicedParams) -> Iterator[str]:
    """Refuse a beginning after the end; say what is cut or filled with silence."""
    sound = probe_sound(params.audio)
    rest = sound.seconds - params.audio_start
    if rest <= 0:
        raise RequestError(
            f"The sound is {sound.seconds:.2f} s long, so it cannot begin at {params.audio_start:g} s.",
            "Begin earlier.",
        )
    if params.duration - rest > _NEAR:
        yield f"The sound ends after {rest:.2f} s; the rest of the clip's {params.duration:.2f} s is silent."
    elif rest - params.duration > max(_NEAR, 4 / params.fps):
        yield f"The sound is cut: {params.duration:.2f} of {rest:.2f} s are used."


def check_crop(path: Path, params: Params, what: str) -> Iterator[str]:
    """Say when much of a picture is cut off."""
    picture = probe_picture(path)
    yield from crop_note(picture.width, picture.height, params, what)


def crop_note(width: int, height: int, params: Params, what: str) -> Iterator[str]:
    shape, wanted = width / height, params.width / params.height
    lost = 1 - min(shape, wanted) / max(shape, wanted)
    if lost > _CROP:
        yield (
            f"{what} is {width}×{height}; to fill {params.width}×{params.height}, {lost:.0%} of it is cut off "
            f"at {'left and right' if shape > wanted else 'top and bottom'}."
        )


def check_control(params: Params) -> Iterator[str]:
    """Say what an optional control clip does not cover."""
    if isinstance(params, Controlled) and params.control_clip is not None:
        clip = probe_clip(params.control_clip)
        if params.duration - clip.seconds > max(_NEAR, 4 / params.fps):
            yield f"The control clip ends after {clip.seconds:.2f} s; from there on the motion is free."
        yield from crop_note(clip.width, clip.height, params, "The control clip")
