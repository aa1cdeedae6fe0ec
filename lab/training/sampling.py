"""Sampling in training: Euler's method on the training's own forward pass, for targets and for preview pictures."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lab.training.clips import KNOWN, Shape, audio_tokens
from lab.training.device import half
from lab.training.forward import Grid, Times, predict
from lab.training.tasks import FIRST_SIGMAS, Batch
from ltx_studio.engine.nodes.pocket_text_encoder import embed, rows_of

Velocity = Callable[[Tensor, Tensor, Times, Tensor], tuple[Tensor, Tensor]]
"""A function from tokens of picture and sound and their noise levels to their velocities."""


def velocity_of(
    net: Any,
    batch: Batch,
    context: Tensor,
    *,
    nothing: Tensor | None = None,
    guidance: float = 1.0,
    modality: float = 1.0,
) -> Velocity:
    """Return the model's velocity function, guided as in the presets Balanced and Quality.

    Args:
        net: The transformer.
        batch: The batch that gives the grids of its tokens.
        context: The context of the words.
        nothing: The context of no words.
        guidance: Strength away from `nothing`, if given; 1 is off.
        modality: Strength away from a model without attention between picture and sound; 1 is off.
    """

    def velocity(video: Tensor, audio: Tensor, times: Times, sound: Tensor) -> tuple[Tensor, Tensor]:
        def ask(words: Tensor, *, hearing: bool = True) -> tuple[Tensor, Tensor]:
            with half():
                seen, heard = predict(
                    net,
                    video,
                    audio,
                    words,
                    video_times=times,
                    audio_times=sound,
                    grids=batch.grids,
                    hearing=hearing,
                )
            return seen.float(), heard.float()

        seen, heard = found = ask(context)
        away = []
        if nothing is not None and guidance != 1.0:
            away.append((guidance, ask(nothing)))
        if modality != 1.0:
            away.append((modality, ask(context, hearing=False)))
        for strength, (seen_there, heard_there) in away:
            seen = seen + (strength - 1) * (found[0] - seen_there)
            heard = heard + (strength - 1) * (found[1] - heard_there)
        return seen, heard

    return velocity


@torch.no_grad()
def go(velocity: Velocity, batch: Batch, end: Tensor, *, steps: int) -> tuple[Tensor, Tensor]:
    """Return the mean velocities from `batch` to noise levels `end`, (B,), in `steps` Euler steps.

    A given sound and given tokens of the picture do not change.
    """
    levels = batch.video_times.levels
    start = levels[:, :1]
    share = levels / start
    given_sound = batch.audio_times == 0
    video, audio = batch.video, batch.audio
    for index in range(steps):
        now = torch.lerp(start, end[:, None], index / steps)
        following = torch.lerp(start, end[:, None], (index + 1) / steps)
        times = Times(share * now, batch.video_times.given)
        sound = torch.where(given_sound, 0.0, now[:, 0])
        seen, heard = velocity(video, audio, times, sound)
        moved = times.spread((share * (following - now))[..., None])
        video = video + moved * seen
        audio = audio + torch.where(given_sound, 0.0, (following - now)[:, 0])[:, None, None] * heard
    away = (end[:, None] - start)[..., None]
    moved = batch.video_times.spread(share[..., None] * away)
    seen = torch.where(moved == 0, 0.0, (video - batch.video) / torch.where(moved == 0, 1.0, moved))
    return seen, (audio - batch.audio) / away


@torch.no_grad()
def sample(
    net: Any,
    tables: Mapping[str, Tensor],
    captions: Sequence[str],
    shape: Shape,
    *,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return clips from words alone, in the steps of stage 1: latents (B, 128, T, H, W) and (B, 8, M, 16)."""
    generator = torch.Generator(torch.get_default_device()).manual_seed(seed)
    count, depth = len(captions), shape.frames // 8 + 1
    height, width = shape.height // 32, shape.width // 32
    grid = Grid(depth, height, width)
    video = torch.randn(count, len(grid), 128, generator=generator)
    audio = torch.randn(count, audio_tokens(shape.frames), 128, generator=generator)
    context = embed(torch.tensor([rows_of(caption, KNOWN) for caption in captions]), tables)
    for now, following in itertools.pairwise((*FIRST_SIGMAS, 0.0)):
        level = torch.full((count,), now)
        none = torch.zeros(0)
        batch = Batch(video, audio, Times(level[:, None]), level, (grid,), none, none, none, none)
        seen, heard = velocity_of(net, batch, context)(video, audio, batch.video_times, level)
        video, audio = video + (following - now) * seen, audio + (following - now) * heard
    return video.mT.unflatten(2, (depth, height, width)), audio.unflatten(2, (8, 16)).transpose(1, 2)
