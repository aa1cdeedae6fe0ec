"""The forming clip as small pictures: every latent frame, not the first one only as in ComfyUI's own previewers."""

import io
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from PIL import Image

log = logging.getLogger(__name__)

FIRST_STEP = 2
"""What comes of the first step of a sampling is a guess from nothing but noise."""

CELL = 8
"""A latent cell covers 32 pixels; 8 preview pixels for it are enough to see what forms."""

LEAST = 256
"""Pixels along the longer side: a page's own way to enlarge would show a small clip's as squares."""

JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Factors:
    """A linear map from the channels of a latent cell to the colours of its k×k parts, -1 to 1.

    Attributes:
        weight: (3·k², channels), rows in the order of `pixel_shuffle`.
        bias: (3·k²).
    """

    weight: Any
    bias: Any

    @classmethod
    def of_format(cls, latent_format: Any) -> Self | None:
        """Those that ComfyUI has for latents of a kind: one colour a cell."""
        import torch

        if latent_format.latent_rgb_factors is None:
            return None
        weight = torch.tensor(latent_format.latent_rgb_factors).T
        bias = latent_format.latent_rgb_factors_bias
        return cls(weight, torch.zeros(3) if bias is None else torch.tensor(bias))

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Those of a file, as `lab.train` writes one.

        Raises:
            ValueError: It holds something else.
            OSError: It cannot be read.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            found = load_file(path)
        except SafetensorError as error:
            raise ValueError(str(error)) from None
        shapes = {name: tuple(tensor.shape) for name, tensor in found.items()}
        rows = shapes.get("bias", (0,))[0]
        if shapes.keys() != {"weight", "bias"} or shapes["weight"][:1] != (rows,) or len(shapes["weight"]) != 2:
            raise ValueError(f"its tensors are {shapes}")
        if rows == 0 or 3 * math.isqrt(rows // 3) ** 2 != rows:
            raise ValueError(f"{rows} rows are no square of colours")
        return cls(found["weight"].float(), found["bias"].float())

    @property
    def channels(self) -> int:
        return int(self.weight.shape[1])

    @property
    def side(self) -> int:
        """k: how many colours there are along each side of a cell."""
        return math.isqrt(len(self.bias) // 3)

    def colours(self, latent: Any) -> Any:
        """Bytes, (frames, height·k, width·k, 3), of a latent (channels, frames, height, width).

        What is no number becomes grey.
        """
        import torch

        cells = latent.float().movedim(0, -1)
        weight, bias = self.weight.to(cells.device), self.bias.to(cells.device)
        colours = torch.nn.functional.linear(cells, weight, bias).movedim(-1, 1)
        rgb = torch.nn.functional.pixel_shuffle(colours, self.side).movedim(1, -1)
        return ((rgb.nan_to_num(0.0) + 1) / 2).clamp(0, 1).mul(255).to(torch.uint8).cpu().numpy()


@dataclass(frozen=True, slots=True)
class FormingClip:
    """What a sampler believes the clip to be. Nothing is computed before somebody wants to see it."""

    latent: Any
    factors: Factors

    def jpegs(self, frames: int | None) -> tuple[bytes, ...]:
        """One JPEG for each of the first `frames` latent frames, for all of them when None."""
        return tuple(
            _jpeg(pixels, CELL // self.factors.side) for pixels in self.factors.colours(self.latent[:, :frames])
        )


class ClipPreviewer:
    """Hands latents on to whoever looks at the progress. It has the interface of `latent_preview.LatentPreviewer`."""

    def __init__(self, factors: Factors) -> None:
        self._factors = factors

    def decode_latent_to_preview_image(self, preview_format: str, x0: Any) -> FormingClip:
        """`x0` has the shape (1, 128, frames, height, width), as the transformer knows it.

        ComfyUI gives it before `process_latent_out`, which changes nothing in LTX's latents: they are normalised by
        the VAE itself.
        """
        return FormingClip(x0[0], self._factors)


class Previews:
    """Which factors samplers preview with: those of the run that holds the lane, else ComfyUI's own."""

    def __init__(self) -> None:
        self._factors: Factors | None = None

    def use(self, path: Path | None) -> None:
        """Use the factors of a file from now on; without one, or when it is damaged, those that ComfyUI has."""
        self._factors = None
        if path is not None:
            try:
                self._factors = Factors.of_file(path)
            except (OSError, ValueError) as error:  # a picture less is no reason to make no clip
                log.warning("previews are ComfyUI's own, because %s cannot be used: %s", path.name, error)

    def previewer(self, latent_format: Any) -> ClipPreviewer | None:
        """For latents of a kind; None for those that are no clips, or of which nobody knows the colours."""
        if latent_format.latent_dimensions != 3:
            return None
        factors = self._factors
        if factors is None or factors.channels != latent_format.latent_channels:
            factors = Factors.of_format(latent_format)
        return None if factors is None else ClipPreviewer(factors)


def _jpeg(pixels: Any, enlarge: int) -> bytes:
    image = Image.fromarray(pixels)
    times = max(1, enlarge, math.ceil(LEAST / max(image.size)))
    image = image.resize((image.width * times, image.height * times), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
