"""Decode a clip from a given time: every frame from there, whatever seek points its container has."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltx_studio.media.open import frames_of, open_media
from ltx_studio.media.packets import is_joinable, packets_of

SEEK_SECONDS = 5
"""A clip is decoded from its beginning if the wanted part begins before this."""

_MARGINS = (1, 10, 60)
"""Seconds before the wanted part to which the container seeks: decoding begins at the next key frame."""

_WHOLE = {"gif", "apng", "ogg"}
"""Formats decodable only from the beginning: each picture changes the previous one, or joined parts have headers."""

_WITHOUT_DISPLAY_TIMES = {"avi"}
"""Formats that store decoding times only; FFmpeg makes up the display times of H.264 with B-frames."""


def frames_from(path: Path, container: Any, stream: Any, start: float) -> Iterator[Any]:
    """Yield the frames from about `start` on, in order of their times; some earlier ones may come first.

    Args:
        path: The clip.
        container: The clip as opened by `open_media`, not yet read.
        stream: Its video stream.
        start: Second on the clock of the clip.
    """
    times = _Times(container, stream)
    decoded = times.put(frames_of(container, stream))
    first = next(decoded, None)
    if first is None:
        return
    if first.time is None or start - first.time <= SEEK_SECONDS or container.format.name in _WHOLE:
        yield first
        yield from decoded
    elif is_joinable(container):
        yield from _after_key_frame(path, stream, start, times)
    else:
        yield from _after_seek(path, container, stream, start, times)


def _after_key_frame(path: Path, stream: Any, start: float, times: "_Times") -> Iterator[Any]:
    """Yield frames from the last key frame before `start` on, found by reading the packets before it.

    These formats have no index, and a bisecting seek may end after the key frame.
    """
    for skip in dict.fromkeys((_packets_before(path, stream.index, start - _MARGINS[0]), 0)):
        with open_media(path) as container:
            decoded = times.put(frames_of(container, container.streams[stream.index], skip))
            landed = next(decoded, None)
            if skip and (landed is None or landed.time is None or landed.time > start):
                continue
            if landed is not None:
                yield landed
            yield from decoded


def _packets_before(path: Path, index: int, moment: float) -> int:
    """Return the number of packets in a stream before the last key frame displayed by `moment`."""
    found = 0
    with open_media(path) as container:
        for number, packet in enumerate(packets_of(container, container.streams[index])):
            if packet.dts is None or packet.time_base is None:
                continue
            if packet.dts * packet.time_base > moment:
                break
            shown = packet.dts if packet.pts is None else packet.pts
            if packet.is_keyframe and shown * packet.time_base <= moment:
                found = number
    return found


def _after_seek(path: Path, container: Any, stream: Any, start: float, times: "_Times") -> Iterator[Any]:
    """Yield frames from where the container seeks to; from the beginning if it never reaches a point before `start`."""
    import av

    for margin in _MARGINS:
        try:
            container.seek(int((start - margin) * av.time_base))
        except av.error.FFmpegError:
            break
        decoded = times.put(frames_of(container, stream))
        landed = next(decoded, None)
        if landed is not None and landed.time is not None and landed.time <= start:
            yield landed
            yield from decoded
            return
    with open_media(path) as again:
        yield from times.put(frames_of(again, again.streams[stream.index]))


class _Times:
    """A source of increasing times for frames."""

    def __init__(self, container: Any, stream: Any) -> None:
        self._is_counted = container.format.name in _WITHOUT_DISPLAY_TIMES
        self._shift: int | None = None
        self._step = round(1 / (stream.average_rate * stream.time_base)) if stream.average_rate else 1

    def put(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Yield frames in display order, with their times."""
        return self._counted(frames) if self._is_counted else _growing(_in_order(frames), self._step)

    def _counted(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Time each frame by its order of decoding; the last ones, without such a time, one by one."""
        following = None
        for frame in frames:
            moment = following if frame.dts is None else frame.dts
            if self._shift is None and moment is not None:
                self._shift = (moment if frame.pts is None else frame.pts) - moment
            if moment is not None:
                frame.pts, following = moment + (self._shift or 0), moment + self._step
            yield frame


def _in_order(frames: Iterator[Any]) -> Iterator[Any]:
    """Yield frames with increasing times: decoding times where display times do not increase.

    Like FFmpeg's guess, it uses whichever went back less often so far.
    """
    last, wrong = {"pts": -math.inf, "dts": -math.inf}, {"pts": 0, "dts": 0}
    for frame in frames:
        for kind, time in (("pts", frame.pts), ("dts", frame.dts)):
            if time is not None:
                wrong[kind] += time <= last[kind]
                last[kind] = time
        if frame.dts is not None and (frame.pts is None or wrong["pts"] > wrong["dts"]):
            frame.pts = frame.dts
        yield frame


def _growing(frames: Iterator[Any], step: int) -> Iterator[Any]:
    """Time a frame without a time `step` after the previous one, and one timed after its successor between both.

    The last frame of a joined recording can be such a frame.
    """
    before: int | None = None
    held: Any = None
    for frame in frames:
        if frame.pts is None and held is not None and held.pts is not None:
            frame.pts = held.pts + step
        if held is not None:
            is_late = None not in (held.pts, frame.pts, before) and held.pts >= frame.pts
            if is_late and before is not None and before < frame.pts:
                held.pts = before + (frame.pts - before) // 2
            yield held
            before = held.pts
        held = frame
    if held is not None:
        yield held
