"""The forming clip as small pictures: every latent frame, not the first one only as in ComfyUI's own previewers."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

SCALE = 8
"""A latent cell covers 32 pixels; 8 preview pixels for it are enough to see what forms."""

JPEG_QUALITY = 75


@dataclass(frozen=True, slots=True)
class PreviewFrames:
    """One JPEG for each latent frame."""

    jpegs: tuple[bytes, ...]


class ClipPreviewer:
    """Turns a latent into RGB with the linear factors that its latent format declares.

    It has the interface of `latent_preview.LatentPreviewer`.
    """

    def __init__(self, latent_format: Any) -> None:
        import torch

        factors = latent_format.latent_rgb_factors
        bias = latent_format.latent_rgb_factors_bias
        self._factors = torch.tensor(factors).transpose(0, 1)
        self._bias = None if bias is None else torch.tensor(bias)

    def decode_latent_to_preview_image(self, preview_format: str, x0: Any) -> PreviewFrames:
        """`x0` has the shape (1, 128, frames, height, width); its scale is that of the latent format."""
        import torch

        channels_last = x0[0].movedim(0, -1)
        factors = self._factors.to(channels_last)
        bias = None if self._bias is None else self._bias.to(channels_last)
        rgb = torch.nn.functional.linear(channels_last, factors, bias)
        pixels = ((rgb + 1) / 2).nan_to_num().clamp(0, 1).mul(255).to("cpu", torch.uint8).numpy()
        return PreviewFrames(tuple(_jpeg(frame) for frame in pixels))


def _jpeg(frame: Any) -> bytes:
    image = Image.fromarray(frame)
    image = image.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
