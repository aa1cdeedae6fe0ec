"""The rest of a latent, which is left out: most of its variance is in other directions, and a decoder hardly needs it.

Noise is in all directions alike, and a transformer that has to predict it in each has little capacity left to
think. So it neither reads nor predicts anything in the rest: noise there at the beginning of sampling is still there
at the end, and decoders and upscaler learn to ignore it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from lab.training.device import read

KEPT_OF_PICTURE, KEPT_OF_SOUND = 72, 24
"""Directions of 128 that are kept; they contain 93 and 99 % of the variance."""
LEFT = 0.6, 1.05
"""Smallest and largest scale of the noise in the rest during and after sampling: ancestral samplers reduce it."""
CLEAN = 0.15
"""How often a decoder gets latents straight from an encoder."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Projections onto the rest, (128, 128) each: `x - x @ rest` is what is kept.

    Attributes:
        video: Projection of the picture's tokens.
        audio: Projection of the sound's tokens.
    """

    video: Tensor
    audio: Tensor


def rest_of(video: Tensor, audio: Tensor) -> Rest:
    """Return the rest for many tokens of picture and of sound, (N, 128) each."""
    return Rest(_least(video, KEPT_OF_PICTURE), _least(audio, KEPT_OF_SOUND))


def write_rest(rest: Rest, path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}.part")
    save_file({"video": rest.video, "audio": rest.audio}, partial)
    partial.replace(path)


def read_rest(path: Path) -> Rest:
    return Rest(**read(path))


def leave(noisy: Tensor, noise: Tensor, rest: Tensor, generator: torch.Generator) -> Tensor:
    """Return tokens, (B, N, 128), with noise in the rest as during sampling."""
    size = LEFT[0] + (LEFT[1] - LEFT[0]) * torch.rand(len(noisy), 1, 1, generator=generator)
    return noisy + (size * noise - noisy) @ rest


def left_in(tokens: Tensor, rest: Tensor, generator: torch.Generator) -> Tensor:
    """Return the noise that sampling leaves, shaped as `tokens`, (B, N, 128); now and then none."""
    noise = torch.randn(tokens.shape, generator=generator)
    left = leave(torch.zeros_like(noise), noise, rest, generator)
    return torch.where(torch.rand(len(tokens), 1, 1, generator=generator) < CLEAN, 0.0, left)


def _least(tokens: Tensor, kept: int) -> Tensor:
    vectors = torch.linalg.eigh(torch.cov(tokens.T))[1]  # by ascending variance
    least = vectors[:, : tokens.shape[1] - kept]
    return least @ least.T
