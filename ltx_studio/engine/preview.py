"""Live previews of a clip: every latent frame, unlike ComfyUI's own previewers, which show only the first."""

import io
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from PIL import Image

log = logging.getLogger(__name__)

FIRST_STEP = 2
"""The first sampling step to preview: after step 1 the clip is a guess from pure noise."""

CELL = 8
"""Preview pixels for each latent cell, which covers 32 pixels; 8 are enough to see what forms."""

LEAST = 256
"""The fewest pixels along the longer side: a browser would enlarge a smaller preview into visible squares."""

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
        """Return ComfyUI's factors for a latent format, one colour per cell; None if it has none."""
        import torch

        if latent_format.latent_rgb_factors is None:
            return None
        weight = torch.tensor(latent_format.latent_rgb_factors).T
        bias = latent_format.latent_rgb_factors_bias
        return cls(weight, torch.zeros(3) if bias is None else torch.tensor(bias))

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Read factors from a file, in the format that `lab.train` writes.

        Raises:
            ValueError: The file holds something else.
            OSError: The file cannot be read.
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
            raise ValueError(f"{rows} rows do not form a square of colours")
        return cls(found["weight"].float(), found["bias"].float())

    @property
    def channels(self) -> int:
        return int(self.weight.shape[1])

    @property
    def side(self) -> int:
        """The number k of colours along each side of a cell."""
        return math.isqrt(len(self.bias) // 3)

    def colours(self, latent: Any) -> Any:
        """Return the colours of a latent (channels, frames, height, width) as bytes, (frames, height·k, width·k, 3).

        NaN becomes grey.
        """
        import torch

        cells = latent.float().movedim(0, -1)
        weight, bias = self.weight.to(cells.device), self.bias.to(cells.device)
        colours = torch.nn.functional.linear(cells, weight, bias).movedim(-1, 1)
        rgb = torch.nn.functional.pixel_shuffle(colours, self.side).movedim(1, -1)
        return ((rgb.nan_to_num(0.0) + 1) / 2).clamp(0, 1).mul(255).to(torch.uint8).cpu().numpy()


@dataclass(frozen=True, slots=True)
class FormingClip:
    """A sampler's current prediction of the clip. Nothing is computed before `jpegs` is called."""

    latent: Any
    factors: Factors

    def jpegs(self, frames: int | None) -> tuple[bytes, ...]:
        """Return one JPEG for each of the first `frames` latent frames; None means all."""
        return tuple(
            _jpeg(pixels, CELL // self.factors.side) for pixels in self.factors.colours(self.latent[:, :frames])
        )


class ClipPreviewer:
    """Passes latents to the progress callback. It has the interface of `latent_preview.LatentPreviewer`."""

    def __init__(self, factors: Factors) -> None:
        self._factors = factors

    def decode_latent_to_preview_image(self, preview_format: str, x0: Any) -> FormingClip:
        """Return the preview of `x0`, of shape (1, 128, frames, height, width), as the transformer outputs it.

        ComfyUI passes it before `process_latent_out`, which does not change LTX's latents: the VAE itself normalises
        them.
        """
        return FormingClip(x0[0], self._factors)


class Previews:
    """The factors that samplers preview with: those of the run that holds the lane, else ComfyUI's own."""

    def __init__(self) -> None:
        self._factors: Factors | None = None

    def use(self, path: Path | None) -> None:
        """Use the factors of a file from now on; without one, or if it is damaged, use ComfyUI's own."""
        self._factors = None
        if path is not None:
            try:
                self._factors = Factors.of_file(path)
            except (OSError, ValueError) as error:  # a missing preview is no reason to fail the run
                log.warning("using ComfyUI's own previews, because %s cannot be used: %s", path.name, error)

    def previewer(self, latent_format: Any) -> ClipPreviewer | None:
        """Return the previewer for a latent format; None if it is not for clips, or its colours are unknown."""
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
