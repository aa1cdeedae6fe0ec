"""Downmix of sound with any number of channels to stereo floats, each channel at its true level."""

import struct
from collections.abc import Iterator
from typing import Any

from ltx_studio.media.channel_order import Order, order_of
from ltx_studio.media.side_data import side_data

Piece = tuple[float | None, Any, int]
"""Time in seconds, (samples, 2) float32, and the original number of channels."""

Levels = tuple[float, float, float]
"""Levels of the centre, the surround channels and the subwoofer."""

_DOWN_3_DB = 2**-0.5
_MIDDLE = _BEHIND = _DOWN_3_DB
_MATRIXED = {2, 3}
"""Preferred downmix types whose levels are in other fields: Lt/Rt and Dolby Pro Logic II."""

_FRONT = (("FL", "FR"), ("FLC", "FRC"), ("WL", "WR"), ("BFL", "BFR"), ("DL", "DR"), ("BIL", "BIR"))
_HIGH_FRONT = (("TFL", "TFR"),)
_BESIDE = (("BL", "BR"), ("SL", "SR"), ("SDL", "SDR"), ("SSL", "SSR"))
_HIGH_BESIDE = (("TBL", "TBR"), ("TSL", "TSR"), ("TTL", "TTR"))
"""FFmpeg's names of paired channels; high ones are 3 dB softer, as in FFmpeg's own downmix."""

_SCENE = "AMBI"
_SCENE_GAINS = {"AMBI0": (0.5, 0.5), "AMBI1": (0.5, -0.5)}
"""Ambisonics gains after RFC 8486: for the omnidirectional channel, and for the left-right difference."""


class Mixer:
    """A stereo mixer on FFmpeg's resampler, in floats, because FFmpeg's own downmix rejects layouts and drops channels.

    A mono channel goes to both sides at full level; FFmpeg would give each side 3 dB less.
    """

    def __init__(self, frame: Any, rate: int) -> None:
        """Take the sound's format from its first frame, and resample to `rate` samples per second."""
        import numpy as np
        from av.filter import Graph

        self._channels = frame.layout.nb_channels
        self._gains = np.array(stereo_gains(order_of(frame), _levels(frame)), dtype=np.float32)
        self._graph = Graph()
        self._given = self._graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
        )
        resample = self._graph.add("aresample", f"{rate}:out_sample_fmt=flt")
        format_ = self._graph.add("aformat", f"sample_rates={rate}:sample_fmts=flt")
        self._made = self._graph.add("abuffersink")
        self._given.link_to(resample)
        resample.link_to(format_)
        format_.link_to(self._made)
        self._graph.configure()

    def mixed(self, frame: Any) -> Iterator[Piece]:
        """Yield the samples of a frame; some may only come with a later frame."""
        self._given.push(frame)
        yield from self._pulled()

    def rest(self) -> Iterator[Piece]:
        """Yield the buffered samples after the last frame."""
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
            flat = np.frombuffer(bytes(piece.planes[0])[: piece.samples * self._channels * 4], dtype=np.float32)
            samples = np.nan_to_num(flat, posinf=1, neginf=-1).reshape(-1, self._channels) @ self._gains
            yield (None if piece.pts is None else float(piece.time)), samples, self._channels


def stereo_gains(order: Order, levels: Levels = (_MIDDLE, _BEHIND, 0.0)) -> list[tuple[float, float]]:
    """Return the gain of each channel on the left and on the right.

    A single channel keeps its level on both sides. Without a left or right front channel,
    as with a surround pair, everything is raised until the loudest channel has its own level.
    """
    gains = [(1.0, 1.0)] if len(order) == 1 else [_gain(name, levels) for name in order]
    heard = [index for index, gain in enumerate(gains) if any(gain)]
    if len(heard) == 1:
        return [(1.0, 1.0) if index in heard else gain for index, gain in enumerate(gains)]
    loudest = max((max(gain) for gain in gains), default=0.0)
    raised = 1 / loudest if 0 < loudest < 1 and not any(name.startswith(_SCENE) for name in order) else 1.0
    return [(left * raised, right * raised) for left, right in gains]


def _gain(name: str, levels: Levels) -> tuple[float, float]:
    """Return the gain of a channel on the left and on the right; one of unknown position is in the centre."""
    if name.startswith(_SCENE):
        return _SCENE_GAINS.get(name, (0.0, 0.0))
    return _gains_of_places(*levels).get(name, (levels[0], levels[0]))


def _gains_of_places(middle: float, behind: float, low: float) -> dict[str, tuple[float, float]]:
    gains: dict[str, tuple[float, float]] = {"UNSD": (0.0, 0.0)}
    pairs = {_FRONT: 1.0, _HIGH_FRONT: _DOWN_3_DB, _BESIDE: behind, _HIGH_BESIDE: behind * _DOWN_3_DB}
    for group, level in pairs.items():
        for left, right in group:
            gains |= {left: (level, 0.0), right: (0.0, level)}
    centres = {"FC": middle, "BFC": middle, "TFC": middle * _DOWN_3_DB, "TC": middle * _DOWN_3_DB}
    back = {"BC": behind * _DOWN_3_DB, "TBC": behind / 2, "LFE": low * _DOWN_3_DB, "LFE2": low * _DOWN_3_DB}
    return gains | {name: (level, level) for name, level in {**centres, **back}.items()}


def _levels(frame: Any) -> Levels:
    """Return the downmix levels in the sound's own metadata (AC-3), or the defaults."""
    found = side_data(frame, "DOWNMIX_INFO")
    if found is None or len(found) < struct.calcsize("=i4x5d"):
        return _MIDDLE, _BEHIND, 0.0
    kind, middle, matrixed_middle, behind, matrixed_behind, low = struct.unpack_from("=i4x5d", found)
    return (matrixed_middle, matrixed_behind, low) if kind in _MATRIXED else (middle, behind, low)
