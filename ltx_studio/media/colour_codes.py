"""H.273 colour codes of a picture, used instead of a profile: PNG, AVIF and HEIF."""

from pathlib import Path
from typing import Any

_HEAD = 1 << 16
"""Bytes at the beginning of a file that contain such codes: before the pixels."""

_USUAL_GAMMA, _SAME_GAMMA, _LEAST_GAMMA = 1 / 2.2, 0.05, 0.0002
"""sRGB's gamma, the smallest relative difference that counts, and the smallest gamma that browsers accept."""

Codes = tuple[int, int]


def colour_codes(path: Path, image: Any) -> Codes | None:
    """Return (primaries, transfer) of an opened picture; None if it has no codes.

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
    """Return the exponent with which light was encoded in an opened PNG, unless it is sRGB's.

    It applies only without a profile or an sRGB chunk, as in browsers.
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
