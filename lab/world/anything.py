"""Arbitrary pictures and outlines, which a VAE meets beyond the world's own scenes."""

import torch
from torch import Tensor, nn


def anything(count: int, frames: int, width: int, height: int, generator: torch.Generator) -> Tensor:
    """Return soft fields of colour with drifting boxes and discs: (B, 3, F, H, W) from -1 to 1."""
    coarse = torch.rand(count, 3, 1, 5, 5, generator=generator).expand(-1, -1, frames, -1, -1)
    canvas = nn.functional.interpolate(coarse.flatten(1, 2), (height, width), mode="bicubic").clamp(0, 1)
    canvas = canvas.view(count, 3, frames, height, width).clone()
    x, y = torch.arange(width) + 0.5, (torch.arange(height) + 0.5)[:, None]
    time = torch.arange(frames)[:, None, None]
    for _ in range(6):
        place, speed, size, colour = (
            torch.rand(count, 3, generator=generator)[..., None, None, None] for _ in range(4)
        )
        dx = x - place[:, 0] * width - (speed[:, 0] - 0.5) * 3 * time
        dy = y - place[:, 1] * height - (speed[:, 1] - 0.5) * 3 * time
        radius = 3 + size[:, 0] * min(width, height) / 4
        disc = (dx.square() + dy.square()).sqrt() - radius
        box = torch.maximum(dx.abs() - radius * (0.5 + size[:, 1]), dy.abs() - radius)
        inside = (0.5 - torch.where(place[:, 2] < 0.5, disc, box)).clamp(0, 1)[:, None]
        canvas = torch.lerp(canvas, colour.expand_as(canvas), inside.expand_as(canvas))
    return canvas * 2 - 1


def edges(clip: Tensor) -> Tensor:
    """Return white lines on black where neighbouring pixels differ, like an edge detector; shapes as `clip`."""
    across = nn.functional.pad((clip[..., :, 1:] - clip[..., :, :-1]).abs().amax(1), (0, 1))
    down = nn.functional.pad((clip[..., 1:, :] - clip[..., :-1, :]).abs().amax(1), (0, 0, 0, 1))
    found = (torch.maximum(across, down) > 0.5).float() * 2 - 1
    return found[:, None].expand_as(clip)
