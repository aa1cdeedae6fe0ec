"""What a picture says about its colours in codes of H.273 rather than by a profile: PNG, AVIF and HEIF."""

from pathlib import Path
from typing import Any

_HEAD = 1 << 16
"""Bytes at the beginning of a file in which such codes stand: before the pixels."""

_USUAL_GAMMA, _SAME_GAMMA, _LEAST_GAMMA = 1 / 2.2, 0.05, 0.0002
"""The one of sRGB, the share by which another differs from it at least, and the least that browsers take for true."""

Codes = tuple[int, int]


def colour_codes(path: Path, image: Any) -> Codes | None:
    """Return (primaries, transfer) of an opened picture; None where it says nothing.

    Raises:
        OSError: The file cannot be read.
    """
    if image.format == "HEIF":
        said = image.info.get("nclx_profile") or {}
        return (said["color_primaries"], said["transfer_characteristics"]) if said else None
    if image.format not in ("PNG", "AVIF"):
        return None
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return _of_png(head) if image.format == "PNG" else _of_avif(head)


def gamma(image: Any) -> float | None:
    """Return the exponent with which light was encoded in an opened PNG, where it is another than sRGB's.

    Only what has neither a profile nor the mark of sRGB is decoded by it, as in browsers.
    """
    info = image.info
    if image.format != "PNG" or "icc_profile" in info or "srgb" in info:
        return None
    said = info.get("gamma", 0.0)
    is_usual = abs(said / _USUAL_GAMMA - 1) < _SAME_GAMMA
    return said if said >= _LEAST_GAMMA and not is_usual else None


def _of_png(head: bytes) -> Codes | None:
    place = 8
    while place + 12 <= len(head):
        length, kind = int.from_bytes(head[place : place + 4]), head[place + 4 : place + 8]
        if kind == b"cICP" and length == 4:
            return head[place + 8], head[place + 9]
        if kind == b"IDAT":
            return None
        place += 12 + length
    return None


def _of_avif(head: bytes) -> Codes | None:
    place = head.find(b"colrnclx")
    if place < 0 or place + 12 > len(head):
        return None
    return int.from_bytes(head[place + 8 : place + 10]), int.from_bytes(head[place + 10 : place + 12])
