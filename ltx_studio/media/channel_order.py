"""Channel orders of sounds, kept apart from PyAV, which frees a custom order twice.

PyAV 18 copies FFmpeg's channel layout structure shallowly, and frees its channel list with each copy.
FFmpeg's named layouts and those of a WAV have no such list; QuickTime files may have one (right before left).
"""

import ctypes
import re
from typing import Any

Order = tuple[str, ...]
"""FFmpeg's names of the channels, in the sound's order."""

_UNNAMED = re.compile(r"\d+ channels?")
_LISTED = re.compile(r"\d+ channels? \(")


def hide_order(stream: Any) -> Order:
    """Return the channel order of a sound, and reduce its decoder's layout to the number of channels.

    Call it before anything else reads the layout of an opened stream. It returns an empty order for a named layout.
    """
    layout = stream.codec_context.layout
    if not _LISTED.match(layout.name):
        return ()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))  # never freed: its list belongs to the stream
    stream.codec_context.layout = f"{layout.nb_channels}C"
    return _names(layout)


def has_no_order(stream: Any) -> bool:
    """Return whether a sound has no channel order, or no longer has one."""
    return bool(_UNNAMED.fullmatch(stream.layout.name))


def order_of(frame: Any) -> Order:
    """Return the channel order of a frame; if it has none, the default one for its number of channels."""
    from av.audio.layout import AudioLayout

    if frame.opaque:
        return tuple(frame.opaque)
    layout = frame.layout
    if _UNNAMED.fullmatch(layout.name):
        layout = AudioLayout(f"{layout.nb_channels}c")
    return _names(layout)


def _names(layout: Any) -> Order:
    return tuple(channel.name for channel in layout.channels)
