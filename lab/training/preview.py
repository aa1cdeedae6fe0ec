"""Fitting of the preview factors: small pictures straight from a latent, by one linear map instead of a decoder."""

import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lab.training.loop import generator_for
from lab.training.video_vae import encode
from lab.world.draw import render
from lab.world.scenes import CAMERAS, sample

SIDE = 8
"""Colours along each side of a latent cell; one alone shows no shape, because small clips have four by three cells."""
CELL = 32
"""Pixels along each side of a latent cell."""
BATCHES = ((128, 96, 10), (96, 128, 4), (64, 64, 6), (256, 192, 6))
"""Width, height and number of batches of scenes of that size."""
SCENES, FRAMES = 8, 25
RIDGE = 1e-3
"""Regularisation: in directions where latents hardly vary, large factors would amplify a sampler's errors."""


@torch.no_grad()
def fit_preview(vae: Any, rest: Tensor, path: Path, *, seed: int = 0, quick: bool = False) -> None:
    """Write the factors by least squares, unless they exist: `weight` (3·SIDE², 128) and `bias` (3·SIDE²).

    Their rows are in the order of `pixel_shuffle`. They ignore the rest, in which a latent is noise until its
    sampling ends; see `Rest`.
    """
    if path.exists():
        return
    kept = torch.eye(128) - rest
    squares, products = torch.zeros(129, 129, dtype=torch.double), torch.zeros(129, 3 * SIDE**2, dtype=torch.double)
    for width, height, batches in BATCHES[:1] if quick else BATCHES:
        for number in range(1 if quick else batches):
            latents, colours = _examples(vae, width, height, generator_for(seed, "preview", width, height, number))
            given = nn.functional.pad((latents @ kept).double(), (0, 1), value=1.0)
            squares += given.T @ given
            products += given.T @ colours.double()
    small = RIDGE * squares[-1, -1] * torch.eye(129, dtype=torch.double)
    small[-1, -1] = 0.0  # the bias is not regularised
    factors = torch.linalg.solve(squares + small, products).T.float()
    found = {"weight": factors[:, :128] @ kept, "bias": factors[:, 128]}
    partial = path.with_suffix(f".{os.getpid()}.part")
    save_file({name: value.contiguous() for name, value in found.items()}, partial)
    partial.replace(path)


def _examples(vae: Any, width: int, height: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return latent cells, (N, 128), and the colours of each, (N, 3·SIDE²), averaged over its frames."""
    scenes = sample(SCENES, generator, faces=0.3, settings=0.3)
    camera = torch.randint(0, 4 * len(CAMERAS), (SCENES,), generator=generator)
    clip = render(scenes.but(camera=torch.where(camera < len(CAMERAS), camera, 0)), FRAMES, width, height)
    small = nn.functional.avg_pool3d(clip, (1, CELL // SIDE, CELL // SIDE))
    means = small[:, :, 1:].unflatten(2, (-1, 8)).mean(3)
    wanted = torch.cat([small[:, :, :1], means], 2)  # the first latent frame is one frame, each other is eight
    colours = nn.functional.pixel_unshuffle(wanted.transpose(1, 2), SIDE).movedim(2, -1)
    return encode(vae, clip).float().movedim(1, -1).flatten(0, -2), colours.flatten(0, -2)
