"""Cutting a part out of a sound or a clip, by the time stamps of what is in it."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.media.open import audio_stream, frames_of, open_media, video_stream
from ltx_studio.media.wants import ClipFile

RATE = 48_000
"""Samples per second. What the audio VAE's decoder gives, too."""

JITTER = 0.05
"""Seconds. Time stamps of sounds may be off by a little; what is off by more is a gap."""

SEEK_SECONDS = 5
"""A clip is decoded from its beginning when the wanted part begins before this."""

Check = Callable[[], None]


def cut_sound(path: Path, start: float, seconds: float, check: Check, *, origin: float | None = None) -> Any:
    """(samples, 2) int16 at `RATE`, from `start` on; shorter when the sound ends before.

    `start` counts from `origin` on the file's own clock, or from the first sound. Where nothing sounds there are zeros.
    """
    import numpy as np

    wanted = round(seconds * RATE)
    samples, end, following = np.zeros((wanted, 2), dtype=np.int16), 0, None
    for moment, piece in _pieces(path, check):
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
    return samples[:end]


def _pieces(path: Path, check: Check) -> Iterator[tuple[float | None, Any]]:
    """(time in seconds, samples) of the file's sound, resampled to 16-bit stereo; nothing when it has none."""
    with open_media(path) as container:
        stream = audio_stream(container)
        kind, resampler = None, None
        for frame in frames_of(container, stream) if stream is not None else ():
            check()
            if kind != (kind := (frame.format.name, frame.layout.name, frame.sample_rate)):  # it may change on the way
                yield from _resampled(resampler, None)
                resampler = _resampler()
            yield from _resampled(resampler, frame)
        yield from _resampled(resampler, None)


def _resampler() -> Any:
    import av

    return av.AudioResampler(format="s16", layout="stereo", rate=RATE)


def _resampled(resampler: Any, frame: Any) -> Iterator[tuple[float | None, Any]]:
    """What a resampler makes of a frame; of None, what it still holds."""
    import numpy as np

    for piece in resampler.resample(frame) if resampler is not None else ():
        samples = np.frombuffer(bytes(piece.planes[0])[: piece.samples * 4], dtype=np.int16)
        yield (None if piece.pts is None else float(piece.time)), samples.reshape(-1, 2)


def cut_clip(want: ClipFile, check: Check, destination: Path) -> None:
    """Write a .mov with the wanted pictures and, when it is wanted, the sound below them."""
    import av

    pictures = _pictures(want, check)
    first, origin = next(pictures)
    sound = _sound_below(want, origin, check) if want.with_sound else None
    with av.open(destination, "w", format="mov") as out:
        rate = Fraction(want.fps).limit_denominator(1001)
        video: Any = out.add_stream("libx264", rate=rate, options={"crf": "4", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = first.width, first.height, "yuv420p"
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
    """As long as the pictures; silent where the clip is."""
    import numpy as np

    sound = np.zeros((round(want.frames / want.fps * RATE), 2), dtype=np.int16)
    found = cut_sound(want.path, want.start, want.frames / want.fps, check, origin=origin)
    sound[: len(found)] = found
    return sound


def _pictures(want: ClipFile, check: Check) -> Iterator[tuple[Any, float]]:
    """For each moment the picture that a player would show, with the time at which the clip begins."""
    import av

    with open_media(want.path) as container:
        stream = video_stream(container)
        decoded = _checked(container, stream, check) if stream is not None else iter(())
        shown = following = next(decoded, None)
        if shown is None or shown.time is None:
            raise RequestError(f"{want.path.name} holds no pictures with times.", "Save it as MP4, then use that.")
        origin = float(shown.time)
        if want.start > SEEK_SECONDS:
            container.seek(int((origin + want.start - 1) * av.time_base))
            decoded = _checked(container, stream, check)
            shown = following = next(decoded, shown)
        aspect, length = stream.sample_aspect_ratio or 1, 1 / float(stream.average_rate or want.fps)
        picture: Any = None
        for index in range(want.frames):
            moment = origin + want.start + (index + 0.5) / want.fps
            while following is not None and float(following.time) <= moment:
                shown, picture = following, None
                following = next(decoded, None)
            if following is None and not want.hold and moment > float(shown.time) + length:
                return
            if picture is None:
                picture = _upright(shown, want.width, want.height, aspect)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            yield frame, origin


def _checked(container: Any, stream: Any, check: Check) -> Iterator[Any]:
    for frame in frames_of(container, stream):
        check()
        yield frame


def _upright(frame: Any, width: int, height: int, aspect: Any) -> Any:
    """RGB, (height, width, 3) uint8 with even sides and square pixels; not larger than to cover width×height."""
    import numpy as np

    turns = round(frame.rotation / 90) % 4
    across, down = (height, width) if turns % 2 else (width, height)
    seen = float(frame.width * aspect), float(frame.height)
    scale = min(1.0, max(across / seen[0], down / seen[1]))
    sides = (max(2, round(side * scale / 2) * 2) for side in seen)
    pixels = frame.reformat(*sides, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, k=turns))


def pictures_of(want: ClipFile, check: Check) -> Iterator[Any]:
    """Give the wanted pictures of a clip as a graph gets them: (height, width, 3) uint8, RGB, upright."""
    for frame, _ in _pictures(want, check):
        yield frame.to_ndarray(format="rgb24")
