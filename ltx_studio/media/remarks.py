"""Unexpected properties and conversions of users' files, as parts of sentences."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltx_studio.media.colour import HDR_NAMES, changes_colours, is_hdr
from ltx_studio.media.colour_codes import colour_codes
from ltx_studio.media.cropping import Crop
from ltx_studio.media.orientation import has_alpha, is_mirrored

ON_WHITE = "transparent parts, shown on white."
_OPAQUE = 255

FIRST_IS_USED = "an animation; only its first picture is used."

MOVING = {"GIF", "WEBP", "PNG", "AVIF"}
"""Picture formats that may contain an animation."""

_HEVC_ALPHA = (b"\x4e\x01\xa5", b"\x4e\x09\xa5")
"""Start of the message that marks an alpha layer in HEVC: header of a prefix SEI, alpha channel information."""

_STEREO = 2


def remarks_on_picture(path: Path, image: Any) -> Iterator[str]:
    """Yield what is unexpected about a picture, before it is loaded."""
    if image.format in MOVING and getattr(image, "is_animated", False):
        yield FIRST_IS_USED
    codes = colour_codes(path, image)
    if codes is not None and is_hdr(codes[1]):
        yield f"HDR ({HDR_NAMES[codes[1]]}), converted to SDR."


def is_transparent(image: Any) -> bool:
    """Return whether a loaded picture has pixels that are not opaque, or a colour that stands for transparency."""
    if not image.has_transparency_data:
        return False
    if image.getbands()[-1] in "Aa":
        return bool(image.getchannel(len(image.getbands()) - 1).getextrema()[0] < _OPAQUE)
    clear = image.info.get("transparency")
    if image.mode != "P":
        return True
    opacities = clear if isinstance(clear, bytes) else b"\xff" * clear + b"\x00"
    return any(count and opacity < _OPAQUE for count, opacity in zip(image.histogram(), opacities, strict=False))


def ignored_of_picture(path: Path, image: Any) -> Iterator[str]:
    """Yield what players honour in a picture and ComfyUI's own loader ignores."""
    codes = colour_codes(path, image)
    if codes is not None and is_hdr(codes[1]):
        yield "its HDR"
    elif changes_colours(image.info.get("icc_profile")):
        yield "its colour profile"


def remarks_on_sound(frame: Any) -> Iterator[str]:
    """Yield what is unexpected about a sound, by its first frame."""
    if frame.layout.nb_channels > _STEREO:
        count, name = f"{frame.layout.nb_channels} channels", frame.layout.name
        yield f"{count if name == count else f'{count} ({name})'}, mixed to stereo."  # no layout is named by the count


def remarks_on_clip(stream: Any, frame: Any) -> Iterator[str]:
    """Yield what is unexpected about a clip, by its video stream and first frame."""
    context = stream.codec_context
    is_layered = context.name == "hevc" and any(begin in bytes(context.extradata or b"") for begin in _HEVC_ALPHA)
    if is_layered and not has_alpha(frame):
        yield "a video with transparency (HEVC), which is ignored."
    if is_hdr(frame.color_trc):
        yield f"HDR ({HDR_NAMES[frame.color_trc]}), converted to SDR."
    if has_alpha(frame) and frame.reformat(format="rgba").to_ndarray()[..., 3].min() < _OPAQUE:
        yield ON_WHITE


def ignored_of_clip(stream: Any, frame: Any, crop: Crop) -> Iterator[str]:
    """Yield what players honour in a clip and ComfyUI's own loader ignores."""
    if any(crop):
        yield "its cropping"
    if is_mirrored(frame):
        yield "its mirroring"
    if (stream.sample_aspect_ratio or 1) != 1:
        yield "its pixel aspect ratio"
    if is_hdr(frame.color_trc):
        yield "its HDR"
