"""Cutting a part out of a sound or a clip, by its time stamps."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.media.clip_frames import Check, opened_film, seconds_of
from ltx_studio.media.downmix import Mixer
from ltx_studio.media.h264 import repeatable_options
from ltx_studio.media.input_requests import ClipFile
from ltx_studio.media.open import audio_stream, frames_of, open_media
from ltx_studio.media.orientation import Orientations, upright

RATE = 48_000
"""Samples per second. The output rate of the audio VAE's decoder, too."""

_FULL_SCALE = 32_767

JITTER = 0.05
"""Seconds. Time stamps of sounds may be slightly off; a larger difference is a gap."""


def cut_sound(path: Path, start: float, seconds: float, check: Check, *, origin: float | None = None) -> Any:
    """Return (samples, 2) int16 at `RATE`, from `start` on; shorter if the sound ends earlier.

    `start` counts from `origin` on the file's own clock, or from the first sound. Gaps are filled with zeros.
    Channels keep their levels: a mono channel is heard on both sides at full level; with more than two, those of the
    centre and the back are mixed in at -3 dB, and the level is reduced only where the sum would clip.
    """
    import numpy as np

    wanted = round(seconds * RATE)
    samples, end, following = np.zeros((wanted, 2), dtype=np.float32), 0, None
    is_mixed = False
    for moment, piece, channels in _pieces(path, check):
        is_mixed = is_mixed or channels > 2
        origin = moment if origin is None and moment is not None else origin
        place = following if moment is None else round((moment - (origin or 0.0) - start) * RATE)
        if place is None or (following is not None and abs(place - following) < JITTER * RATE):
            place = following or 0
        following = place + len(piece)
        if place >= wanted:
            break
        inside = piece[max(0, -place) : max(0, wanted - place)]
        if len(inside):
            begin = max(0, place)
            samples[begin : begin + len(inside)] = inside
            end = begin + len(inside)
    loudest = float(np.abs(samples).max(initial=0))
    if is_mixed and loudest > 1:
        samples /= loudest
    samples = np.nan_to_num(samples[:end])
    return np.rint(samples * _FULL_SCALE).clip(-_FULL_SCALE - 1, _FULL_SCALE).astype(np.int16)


def _pieces(path: Path, check: Check) -> Iterator[tuple[float | None, Any, int]]:
    """Yield (time in seconds, stereo samples as floats, original channels) of a file's sound, if it has any."""
    with open_media(path) as container:
        stream = audio_stream(container)
        kind, mixer = None, None
        for frame in frames_of(container, stream) if stream is not None else ():
            check()
            changed = kind != (kind := (frame.format.name, frame.layout.name, frame.sample_rate))
            if mixer is None or changed:  # it may change within the file
                yield from mixer.rest() if mixer else ()
                mixer = Mixer(frame, RATE)
            yield from mixer.mixed(frame)
        yield from mixer.rest() if mixer else ()


def cut_clip(want: ClipFile, check: Check, destination: Path) -> None:
    """Write a .mov with the requested pictures and, on request, the sound below them."""
    import av

    pictures = _pictures(want, check)
    first, origin = next(pictures)
    sound = _sound_below(want, origin, check) if want.with_sound else None
    with av.open(destination, "w", format="mov") as out:
        rate = Fraction(want.fps).limit_denominator(1001)
        options = {"crf": "4", "preset": "veryfast", **repeatable_options()}
        video: Any = out.add_stream("libx264", rate=rate, options=options)
        video.width, video.height, video.pix_fmt = first.width, first.height, "yuv444p"
        audio = out.add_stream("pcm_s16le", rate=RATE, layout="stereo") if sound is not None else None
        out.mux(video.encode(first))
        for picture, _ in pictures:
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        if audio is not None and sound is not None:
            frame = av.AudioFrame(format="s16", layout="stereo", samples=len(sound))
            frame.planes[0].update(sound.tobytes())
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
            out.mux(audio.encode(frame))
            out.mux(audio.encode(None))


def _sound_below(want: ClipFile, origin: float, check: Check) -> Any:
    """Return the sound for the pictures, equally long; silent where the clip is."""
    import numpy as np

    sound = np.zeros((round(want.frames / want.fps * RATE), 2), dtype=np.int16)
    found = cut_sound(want.path, want.start, want.frames / want.fps, check, origin=origin)
    sound[: len(found)] = found
    return sound


def _pictures(want: ClipFile, check: Check) -> Iterator[tuple[Any, float]]:
    """Yield for each output time the picture that a player would show, with the start time of the clip."""
    import av

    with opened_film(want.path, want.fps, check) as film:
        first = next(film.frames(0), None) if film is not None else None
        if film is None or first is None or first.time is None:
            raise RequestError(f"{want.path.name} has no timestamps for its frames.", "Convert it to MP4.")
    origin = float(first.time)
    with opened_film(want.path, want.fps, check) as film:
        assert film is not None
        decoded = film.frames(origin + want.start)
        shown = following = next(decoded, first)
        picture: Any = None
        orientations = Orientations()
        for index in range(want.frames):
            moment = origin + want.start + (index + 0.5) / want.fps
            while following is not None and float(following.time) <= moment:
                shown, picture = following, None
                following = next(decoded, None)
            if following is None and not want.hold and moment > float(shown.time) + (seconds_of(shown) or film.length):
                return
            if picture is None:
                picture = upright(shown, want.width, want.height, film.aspect, orientations)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            yield frame, origin


def pictures_of(want: ClipFile, check: Check) -> Iterator[Any]:
    """Yield the requested pictures of a clip in the graph's format: (height, width, 3) uint8, RGB, upright."""
    for frame, _ in _pictures(want, check):
        yield frame.to_ndarray(format="rgb24")
