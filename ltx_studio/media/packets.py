"""Packets of a stream on one clock: in joined recordings (``cat a.ts b.ts``) each part restarts its own.

Like FFmpeg's program, in formats whose times may be discontinuous: after a jump, times continue where the stream was.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

_BACK, _FORWARD = Fraction(1, 10), 10
"""Seconds. Times that go back or forward by more than this restart the clock."""

_TOGETHER = 1
"""Seconds by which the sound of a recording may end or begin before or after its pictures."""

_DISCONTINUOUS = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT in `container.format.flags`: MPEG-TS, MPEG-PS and Ogg."""

_CHAINED = {"matroska,webm"}
"""Other formats whose parts FFmpeg reads one after another. They may have long gaps, and their decoding times are a
guess."""

WITHOUT_GAPS = {"flac"}
"""Formats in which joined sounds leave a packet without a time, which contains several frames."""


def is_joinable(container: Any) -> bool:
    """Return whether the times of a container's format may restart, so that its length is unknown."""
    return bool(container.format.flags & _DISCONTINUOUS)


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of a stream, with times on one clock; packets of other streams help to detect jumps."""
    if not is_joinable(container) and container.format.name not in _CHAINED:
        yield from container.demux(stream)
        return
    clock = _Clock(_FORWARD if is_joinable(container) else None)
    streams = [each for each in container.streams if each.type in ("video", "audio") and each.codec_context is not None]
    for packet in container.demux(streams):
        clock.place(packet)
        if packet.stream_index == stream.index:
            yield packet


def in_one_piece(frames: Iterator[Any]) -> Iterator[Any]:
    """Yield frames of sound, each with a time not before the end of the previous one."""
    shift, following = 0, None
    for frame in frames:
        if following is not None:
            frame.pts = following if frame.pts is None else frame.pts + shift
            shift += max(0, following - frame.pts)
            frame.pts = max(frame.pts, following)
        following = None if frame.pts is None else frame.pts + frame.samples
        yield frame


class _Clock:
    """A clock that shifts the times of packets, of all streams alike."""

    def __init__(self, forward: int | None) -> None:
        """`forward` is the largest jump forward in seconds; None allows any, and display order counts."""
        self._forward = forward
        self._latest = Fraction(0)
        self._shifts: dict[int, Fraction] = {}
        self._before: dict[int, tuple[Fraction, Fraction]] = {}
        """For each stream: the decoding time of its last packet, and that expected for the next one."""

    def place(self, packet: Any) -> None:
        """Shift the times of a packet, the next of its stream."""
        if packet.time_base is None:
            return
        index = packet.stream_index
        if packet.dts is not None:
            decoded = packet.dts * packet.time_base
            shown = decoded if self._forward or packet.pts is None else packet.pts * packet.time_base
            shift = self._shifts[index] = self._shift(index, decoded, shown)
            length = (packet.duration or 0) * packet.time_base
            following = shown + shift + length
            if self._forward is None and index in self._before:
                following = max(following, self._before[index][1])
            self._before[index] = decoded + shift, following
        ticks = round(self._shifts.get(index, self._latest) / packet.time_base)
        packet.dts = packet.dts if packet.dts is None else packet.dts + ticks
        packet.pts = packet.pts if packet.pts is None else packet.pts + ticks

    def _shift(self, index: int, decoded: Fraction, shown: Fraction) -> Fraction:
        shift = self._shifts.get(index, self._latest)
        if index not in self._before:
            return shift
        last, following = self._before[index]
        is_ahead = self._forward is not None and decoded + shift > following + self._forward
        if not is_ahead and decoded + shift >= last - _BACK:
            return shift
        has_another_jumped = self._latest != shift and abs(shown + self._latest - following) <= _TOGETHER
        if not has_another_jumped:
            self._latest = following - shown
        return self._latest
