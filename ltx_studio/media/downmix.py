"""Sound of any number of channels as stereo floats, each channel at its true level."""

import struct
from collections.abc import Iterator
from typing import Any

Piece = tuple[float | None, Any, int]
"""Time in seconds, (samples, 2) float32, and how many channels there were."""

_MIDDLE = _BEHIND = 2**-0.5
_MATRIXED = {2, 3}
"""Kinds of mix that a sound may prefer whose levels stand in other fields: Lt/Rt and Dolby Pro Logic II."""


class Mixer:
    """FFmpeg's resampler, working with floats: with integers, it turns a mix down by the sum of its channels.

    One channel goes to both sides as loud as it is; FFmpeg would give each side 3 dB less.
    """

    def __init__(self, frame: Any, rate: int) -> None:
        """Take the kind of sound from its first frame, and give `rate` samples a second."""
        from av.filter import Graph

        self._channels = frame.layout.nb_channels
        self._width = min(self._channels, 2)
        middle, behind, low = _levels(frame)
        levels = f":center_mix_level={middle}:surround_mix_level={behind}:lfe_mix_level={low}"
        layout = ("mono", "stereo")[self._width - 1]
        self._graph = Graph()
        self._given = self._graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
        )
        resample = self._graph.add(
            "aresample", f"{rate}:out_sample_fmt=flt:out_chlayout={layout}{levels if self._channels > 2 else ''}"
        )
        format_ = self._graph.add("aformat", f"sample_rates={rate}:sample_fmts=flt:channel_layouts={layout}")
        self._made = self._graph.add("abuffersink")
        self._given.link_to(resample)
        resample.link_to(format_)
        format_.link_to(self._made)
        self._graph.configure()

    def mixed(self, frame: Any) -> Iterator[Piece]:
        """Give what becomes of a frame; it may come with a later one."""
        self._given.push(frame)
        yield from self._pulled()

    def rest(self) -> Iterator[Piece]:
        """Give what is still held when there are no more frames."""
        self._given.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[Piece]:
        import av
        import numpy as np

        while True:
            try:
                piece: Any = self._made.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            flat = np.frombuffer(bytes(piece.planes[0])[: piece.samples * self._width * 4], dtype=np.float32)
            samples = np.repeat(flat.reshape(-1, self._width), 3 - self._width, axis=1)
            yield (None if piece.pts is None else float(piece.time)), samples, self._channels


def _levels(frame: Any) -> tuple[float, float, float]:
    """Return how loud the middle, what is behind, and the subwoofer are in a mix, as the sound itself says (AC-3)."""
    from av.sidedata.sidedata import Type

    found = frame.side_data.get(Type.DOWNMIX_INFO)
    if found is None or len(bytes(found)) < struct.calcsize("=i4x5d"):
        return _MIDDLE, _BEHIND, 0.0
    kind, middle, matrixed_middle, behind, matrixed_behind, low = struct.unpack_from("=i4x5d", bytes(found))
    return (matrixed_middle, matrixed_behind, low) if kind in _MATRIXED else (middle, behind, low)
