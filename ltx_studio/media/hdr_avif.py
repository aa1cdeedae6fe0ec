"""HDR pictures in AVIF at full bit depth: Pillow keeps the upper 8 bits, too few for a wide gamut in PQ."""

from pathlib import Path
from typing import TYPE_CHECKING

from ltx_studio.errors import RequestError
from ltx_studio.media.colour import still_of
from ltx_studio.media.colour_codes import Codes
from ltx_studio.media.open import open_media

if TYPE_CHECKING:
    from PIL import Image


def hdr_avif_as_sdr(path: Path, image: "Image.Image", codes: Codes) -> "Image.Image | None":
    """Return a picture for an SDR screen; None if FFmpeg does not decode it as a whole.

    Args:
        path: The file.
        image: The same picture, opened by Pillow.
        codes: Its primaries and transfer.
    """
    import av
    from av.video.reformatter import Interpolation

    try:
        with open_media(path) as container:
            frame = next(container.decode(container.streams.video[0]), None)
            if frame is None or (frame.width, frame.height) != image.size:  # one of several tiles
                return None
            exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
            deep = frame.reformat(format="rgb48le", interpolation=int(exact))
            made = still_of(deep.to_ndarray(), *codes)
    except (av.error.FFmpegError, RequestError, OSError, ValueError, IndexError):
        return None
    if image.has_transparency_data:
        made.putalpha(image.convert("RGBA").getchannel("A"))
    return made
