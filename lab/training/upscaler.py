"""Training of the spatial upscaler: from latents of a scene drawn small to those of it drawn twice as large."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab import architecture
from lab.training.clips import FPS, draw_scenes
from lab.training.device import half, load
from lab.training.forward import to_tokens
from lab.training.loop import NetPart, factor_at, generator_for, one_of
from lab.training.optimiser import Muon
from lab.training.rest import left_in
from lab.training.video_vae import initialise
from lab.world.draw import render

PAIRS = {
    (128, 96, 25): 224,
    (128, 96, 49): 32,
    (96, 128, 25): 48,
    (96, 64, 25): 96,
    (64, 64, 25): 96,
    (128, 64, 25): 32,
}
"""Number of pairs for each small size."""
NOISE = 0.15
"""Noise relative to the small latents' standard deviation: a sampler's output differs from a VAE's."""
CHECKED = 16


class UpscalerPart(NetPart):
    """ComfyUI's `LatentUpsampler`, made small by `recipe.UPSCALER`."""

    name = "upscaler"

    def __init__(self, steps: int, pairs: Path, vae: Any, rest: Tensor) -> None:
        from comfy.ldm.lightricks.latent_upsampler import LatentUpsampler

        self.steps = steps
        self.net = LatentUpsampler.from_config(architecture.UPSCALER, operations=torch.nn)
        initialise(self.net)
        self._statistics = vae.per_channel_statistics
        self._pairs = load(pairs)
        self._rest = rest
        self._optimiser = Muon(self.net.parameters(), matrices=0.01, others=2e-3)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        small, large = self._pairs[one_of({name: len(pair[0]) for name, pair in self._pairs.items()}, generator)]
        chosen = torch.randint(min(CHECKED, len(small) // 2), len(small), (12,), generator=generator)
        noise = NOISE * torch.rand(1, generator=generator)
        loss = self._loss(small[chosen].float(), large[chosen].float(), noise, generator)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step(factor_at(index, self.steps, decay=0.7))
        return {"loss": loss.item()}

    @torch.no_grad()
    def check(self) -> Mapping[str, float]:
        none = torch.zeros(1)
        return {
            name: float(self._loss(small[:CHECKED].float(), large[:CHECKED].float(), none, generator_for(0, name)))
            for name, (small, large) in self._pairs.items()
        }

    def _loss(self, small: Tensor, large: Tensor, noise: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean error of normalised latents; the network itself works on unnormalised ones."""
        left = left_in(to_tokens(small), self._rest, generator).mT.view_as(small)
        everywhere = noise * torch.randn(small.shape, generator=generator)
        noisy = self._statistics.un_normalize(small + everywhere + left)
        with half():
            found = self.net(noisy)
        error = self._statistics.normalize(found.float()) - large
        return error.abs().mean() + error.square().mean()


@torch.no_grad()
def write_pairs(vae: Any, path: Path, *, seed: int = 0, quick: bool = False) -> None:
    """Draw and encode the scenes of `PAIRS`, small and large: {name: (small, large)} in bfloat16."""
    if path.exists():
        return
    pairs = {}
    for (width, height, frames), count in list(PAIRS.items())[: 1 if quick else None]:
        name = f"{width}x{height}x{frames}"
        generator = generator_for(seed, "pairs", name)
        latents: tuple[list[Tensor], list[Tensor]] = [], []
        for _ in range(0, 8 if quick else count, 8):
            scenes = draw_scenes(8, generator)
            for kept, scale in zip(latents, (1, 2), strict=True):
                with half():
                    kept.append(vae.encode(render(scenes, frames, scale * width, scale * height, FPS)).bfloat16())
        pairs[name] = tuple(torch.cat(kept) for kept in latents)
    partial = path.with_suffix(f".{os.getpid()}.part")
    torch.save(pairs, partial)
    partial.replace(path)
