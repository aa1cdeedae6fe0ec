"""Training of the video VAE: reconstruction of the world's pictures and of others."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lab import architecture
from lab.training.device import half
from lab.training.forward import to_tokens
from lab.training.loop import NetPart, factor_at, generator_for
from lab.training.optimiser import Muon
from lab.training.rest import left_in
from lab.world.anything import anything, edges
from lab.world.draw import render
from lab.world.scenes import CAMERAS, Scenes, sample

LATENT_NOISE = 0.05
"""Noise added before decoding, relative to the latents' standard deviation, to make up for a transformer's errors."""

SIZES = ((128, 96), (96, 128), (96, 64), (128, 128), (96, 96), (64, 64), (192, 128), (256, 192), (192, 256))
"""Width and height in pixels of the drawn clips; a step sees a part of them."""


class VideoVaePart(NetPart):
    """ComfyUI's `VideoVAE`, made small by `recipe.VIDEO_VAE`."""

    name = "video_vae"

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.net = make()
        initialise(self.net)
        set_statistics(self.net, torch.zeros(128), torch.ones(128))
        self._optimiser = Muon(self.net.parameters(), matrices=0.02, others=2e-3)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        clip = draw_batch(index, generator)
        with half():
            latent = self._encode(clip)
            back = self.net.decode(latent + self._noise_on(latent, generator))
        error = back.float() - clip
        weight = 1 + 2 * _at_edges(clip)
        loss = (weight * (error.abs() + 2 * error.square())).mean() + 1e-4 * latent.float().square().mean()
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step(factor_at(index, self.steps))
        return {"loss": loss.item()}

    def _encode(self, clip: Tensor) -> Tensor:
        return encode(self.net, clip)

    def _noise_on(self, latent: Tensor, generator: torch.Generator) -> Tensor:
        return LATENT_NOISE * latent.detach().std() * torch.randn(latent.shape, generator=generator)

    def _back(self, clip: Tensor) -> Tensor:
        """Return the reconstruction of a clip."""
        return round_trip(self.net, clip)

    def check(self) -> Mapping[str, float]:
        self.net.eval()
        found = {}
        for name, frames, width, height, faces in (
            ("small", 17, 128, 96, 0.15),
            ("large", 9, 256, 192, 0.15),
            ("still", 1, 256, 192, 0.15),
            ("faces", 17, 128, 96, 1.0),
        ):
            clip = render(
                sample(8, generator_for(0, "check", name), faces=faces), 25, width, height, window=(0, frames)
            )
            found[f"psnr_{name}"] = psnr(self._back(clip), clip)
        self.net.train()
        return found

    def result(self) -> dict[str, Tensor]:
        measure_statistics(self.net)
        return super().result()

    def look(self) -> Tensor:
        """Return clips and their reconstructions."""
        self.net.eval()
        clip = render(sample(5, generator_for(0, "look"), faces=0.3), 17, 128, 96)
        back = self._back(clip)
        self.net.train()
        return torch.stack([clip, back], 1).flatten(0, 1)


class VideoDecoderPart(VideoVaePart):
    """Further training of the decoder alone, for fixed latents, so that models trained on them need no retraining.

    It learns to ignore the noise that sampling leaves in `rest`; see `Rest`.
    """

    name = "video_decoder"

    def __init__(self, steps: int, vae: Mapping[str, Tensor], rest: Tensor) -> None:
        super().__init__(steps)
        self._rest = rest
        self.net.load_state_dict(vae)
        self._optimiser = Muon(self.net.decoder.parameters(), matrices=0.01, others=1e-3)

    def _encode(self, clip: Tensor) -> Tensor:
        with torch.no_grad():
            return encode(self.net, clip)

    def _noise_on(self, latent: Tensor, generator: torch.Generator) -> Tensor:
        left = left_in(to_tokens(latent), self._rest, generator)
        return super()._noise_on(latent, generator) + left.mT.view_as(latent)

    @torch.no_grad()
    def _back(self, clip: Tensor) -> Tensor:
        """Return the reconstruction from latents with the noise that sampling leaves in them."""
        latent = encode(self.net, clip)
        noise = self._noise_on(latent, generator_for(0, "check"))
        back: Tensor = self.net.decode(latent + noise)
        return back.float().clamp(-1, 1)

    def result(self) -> dict[str, Tensor]:
        return dict(self.net.state_dict())


def make() -> Any:
    """Return an untrained `VideoVAE` of the recipe's size."""
    from comfy.ldm.lightricks.vae.causal_video_autoencoder import VideoVAE

    return VideoVAE(config=architecture.VIDEO_VAE).requires_grad_(True)


@torch.no_grad()
def measure_statistics(net: Any) -> None:
    """Set the latents' mean and standard deviation to those of many scenes."""
    net.eval()
    seen = []
    for number, (width, height) in enumerate(((128, 96), (128, 96), (256, 192), (64, 64))):
        scenes = sample(24, generator_for(0, "statistics", number))
        for part in (scenes[:12], scenes[12:]):
            with half():
                latent = encode(net, render(part, 25, width, height))
            seen.append(latent.float().transpose(0, 1).flatten(1))
    latents = torch.cat(seen, 1)
    set_statistics(net, latents.mean(1), latents.std(1).clamp(min=1e-2))


def initialise(net: nn.Module) -> None:
    """Initialise ComfyUI's layers, which start as raw memory: weights that keep a signal's scale, biases of zero."""
    for module in net.modules():
        if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.Linear)):
            nn.init.normal_(module.weight, 0, module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def set_statistics(net: nn.Module, mean: Tensor, std: Tensor) -> None:
    """Set the latents' mean and standard deviation by channel, (128,), used for normalisation."""
    buffers = net.per_channel_statistics
    buffers.get_buffer("mean-of-means").copy_(mean)
    buffers.get_buffer("std-of-means").copy_(std)


def encode(net: Any, clip: Tensor) -> Tensor:
    """Encode a clip in one piece, as `VideoVAE.encode` but differentiable.

    Args:
        net: A `VideoVAE`.
        clip: (B, 3, F, H, W) of -1 to 1, F = 8n + 1, H and W multiples of 32.

    Returns:
        (B, 128, n + 1, H / 32, W / 32).
    """
    from comfy.ldm.lightricks.vae.causal_video_autoencoder import mark_conv3d_ended, patchify

    mark_conv3d_ended(net.encoder)
    try:
        moments = net.encoder._forward_chunk(patchify(clip, patch_size_hw=net.encoder.patch_size, patch_size_t=1))
    finally:
        for module in net.encoder.modules():
            if hasattr(module, "temporal_cache_state"):
                module.temporal_cache_state.clear()
    return net.per_channel_statistics.normalize(torch.chunk(moments, 2, dim=1)[0])


@torch.no_grad()
def round_trip(net: Any, clip: Tensor) -> Tensor:
    """Return a clip after encoding and decoding, clamped to -1 to 1."""
    with half():
        return net.decode(net.encode(clip)).float().clamp(-1, 1)


def psnr(one: Tensor, other: Tensor) -> float:
    """Return the PSNR in dB, for values from -1 to 1."""
    return float(10 * torch.log10(4 / (one - other).square().mean()))


def draw_batch(index: int, generator: torch.Generator) -> Tensor:
    """Return the clips for step `index`: mostly small parts of short clips, sometimes larger, longer or still ones."""
    kind = index % 10
    if kind == 9:
        return anything(12, 9, 64, 64, generator)
    if kind == 8:
        return edges(render(_scenes(16, generator), 25, 128, 96, window=(0, 9), crop=(32, 16, 64, 64)))
    count, frames, part = {3: (3, 17, 128), 5: (8, 17, 64), 7: (24, 1, 128)}.get(kind, (16, 9, 64))
    sizes = [size for size in SIZES if min(size) >= part] or [(128, 128)]
    width, height = sizes[int(torch.randint(0, len(sizes), (1,), generator=generator))]
    left = int(torch.randint(0, width - part + 1, (1,), generator=generator))
    top = int(torch.randint(0, height - part + 1, (1,), generator=generator))
    first = int(torch.randint(0, 34 - frames, (1,), generator=generator))
    window, crop = (first, first + frames), (left, top, part, part)
    return render(_scenes(count, generator), 33, width, height, window=window, crop=crop)


def _scenes(count: int, generator: torch.Generator) -> Scenes:
    scenes = sample(count, generator, faces=0.3, settings=0.2)
    moved = torch.randint(0, 4 * len(CAMERAS), (count,), generator=generator)
    return scenes.but(camera=torch.where(moved < len(CAMERAS), moved, 0))


def _at_edges(clip: Tensor) -> Tensor:
    """Return 1 where neighbouring pixels differ much, (B, 1, F, H, W)."""
    across = (clip[..., :, 1:] - clip[..., :, :-1]).abs().amax(1, keepdim=True)
    down = (clip[..., 1:, :] - clip[..., :-1, :]).abs().amax(1, keepdim=True)
    found = nn.functional.pad(across, (0, 1)) + nn.functional.pad(down, (0, 0, 0, 1))
    return nn.functional.max_pool3d((found > 0.2).float(), (1, 3, 3), stride=1, padding=(0, 1, 1))
