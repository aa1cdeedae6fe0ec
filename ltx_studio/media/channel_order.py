"""Where the channels of a sound belong, kept apart from PyAV, which frees an unusual order twice.

PyAV 18 copies FFmpeg's structure for a layout without the list that it points to, and frees this list with each copy.
Layouts of FFmpeg's own and those of a WAV have no such list; QuickTime files may have one (right before left).
"""

import ctypes
import re
from typing import Any

Order = tuple[str, ...]
"""FFmpeg's names of the channels, in the order in which a sound has them."""

_UNNAMED = re.compile(r"\d+ channels?")
_LISTED = re.compile(r"\d+ channels? \(")


def hide_order(stream: Any) -> Order:
    """Return the order of a sound's channels, and have its decoder know their number only.

    Call it before anything else asks an opened stream for its layout. It returns nothing for a layout with a name.
    """
    layout = stream.codec_context.layout
    if not _LISTED.match(layout.name):
        return ()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))  # never freed: its list belongs to the stream
    stream.codec_context.layout = f"{layout.nb_channels}C"
    return _names(layout)


def has_no_order(stream: Any) -> bool:
    """Return whether a sound does not say, or no longer says, where its channels belong."""
    return bool(_UNNAMED.fullmatch(stream.layout.name))


def order_of(frame: Any) -> Order:
    """Return the order of a frame's channels; the usual one for their number where the sound says none."""
    from av.audio.layout import AudioLayout

    if frame.opaque:
        return tuple(frame.opaque)
    layout = frame.layout
    if _UNNAMED.fullmatch(layout.name):
        layout = AudioLayout(f"{layout.nb_channels}c")
    return _names(layout)


def _names(layout: Any) -> Order:
    return tuple(channel.name for channel in layout.channels)
