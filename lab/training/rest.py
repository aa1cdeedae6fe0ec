"""What of a latent is left out: most of its variance lies in some directions, and a decoder hardly needs the rest.

Noise lies in all of them alike, and a transformer that has to say of each where the noise is has little room left to
think in. So in the rest it neither reads nor says anything: noise that is there at the beginning of a sampling is there
at the end, and decoders and upscaler learn not to mind.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from lab.training.device import read

KEPT_OF_PICTURE, KEPT_OF_SOUND = 72, 24
"""Directions of 128; they hold 93 and 99 % of the variance."""
LEFT = 0.6, 1.05
"""How large the noise in the rest is in the course of a sampling and after it: ancestral samplers make it smaller."""
CLEAN = 0.15
"""How often a decoder gets what came from an encoder and no sampler."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Projections on what is left out, (128, 128) each: `x - x @ rest` is what is kept.

    Attributes:
        video: Of the picture's tokens.
        audio: Of the sound's.
    """

    video: Tensor
    audio: Tensor


def rest_of(video: Tensor, audio: Tensor) -> Rest:
    """From many tokens of picture and of sound, (N, 128) each."""
    return Rest(_least(video, KEPT_OF_PICTURE), _least(audio, KEPT_OF_SOUND))


def write_rest(rest: Rest, path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}.part")
    save_file({"video": rest.video, "audio": rest.audio}, partial)
    partial.replace(path)


def read_rest(path: Path) -> Rest:
    return Rest(**read(path))


def leave(noisy: Tensor, noise: Tensor, rest: Tensor, generator: torch.Generator) -> Tensor:
    """Tokens, (B, N, 128), with noise in the rest as it is there in the course of a sampling."""
    size = LEFT[0] + (LEFT[1] - LEFT[0]) * torch.rand(len(noisy), 1, 1, generator=generator)
    return noisy + (size * noise - noisy) @ rest


def left_in(tokens: Tensor, rest: Tensor, generator: torch.Generator) -> Tensor:
    """The noise that a sampling leaves, as `tokens`, (B, N, 128); now and then none."""
    noise = torch.randn(tokens.shape, generator=generator)
    left = leave(torch.zeros_like(noise), noise, rest, generator)
    return torch.where(torch.rand(len(tokens), 1, 1, generator=generator) < CLEAN, 0.0, left)


def _least(tokens: Tensor, kept: int) -> Tensor:
    vectors = torch.linalg.eigh(torch.cov(tokens.T))[1]  # by rising variance
    least = vectors[:, : tokens.shape[1] - kept]
    return least @ least.T
