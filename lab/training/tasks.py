"""The transformer's tasks on a clip: which tokens are noisy, which are given, and the targets."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lab.training.clips import Clips
from lab.training.forward import Grid, Times, to_tokens
from lab.training.loop import one_of
from lab.training.rest import KEPT_OF_PICTURE, KEPT_OF_SOUND, Rest, leave

TASKS = {"text": 0.28, "image": 0.12, "keyframes": 0.1, "sound": 0.24, "image and sound": 0.26}
"""Share of each task in training. Keyframes are the first and the last frame, as guides after the clip.

Half of them have a given sound, because nothing is harder to learn than that the picture follows it: with less,
almost nothing of it was learned in 2,500 steps.
"""

FIRST_SIGMAS = 1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875
"""Noise levels of stage 1 of the distilled model, from Lightricks."""
SECOND_SIGMAS = 0.909375, 0.85, 0.725, 0.421875
"""Noise levels at which the steps of stage 2 begin, in all presets."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Noisy tokens and their targets; see `predict`. The targets are zero in the rest.

    Attributes:
        video: (B, N, 128).
        audio: (B, M, 128).
        video_times: Noise levels of the picture.
        audio_times: Noise levels of the sound, (B,).
        grids: Of the picture and its guides.
        video_truth: Velocities, (B, N, 128).
        audio_truth: Velocities, (B, M, 128).
        video_counts: 1 where a token is noisy, (B, N, 1).
        audio_counts: The same for the sound, (B, 1, 1).
    """

    video: Tensor
    audio: Tensor
    video_times: Times
    audio_times: Tensor
    grids: tuple[Grid, ...]
    video_truth: Tensor
    audio_truth: Tensor
    video_counts: Tensor
    audio_counts: Tensor

    def losses(self, video: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean squared errors of predicted velocities, over the noisy tokens and the kept directions."""
        seen = ((video.float() - self.video_truth).square() * self.video_counts).sum() / self.video_counts.sum()
        heard = ((audio.float() - self.audio_truth).square() * self.audio_counts).sum()
        heard = heard / (self.audio_counts.sum() * audio.shape[1]).clamp(min=1)
        return seen / KEPT_OF_PICTURE, heard / KEPT_OF_SOUND


def draw_sigmas(count: int, generator: torch.Generator, *, large: bool) -> Tensor:
    """Return noise levels, (count,): half of them those at which samplers stop, half random, more often high ones."""
    steps = torch.tensor(SECOND_SIGMAS if large else FIRST_SIGMAS)
    if large:  # one-stage modes start from pure noise at full size too
        whole = torch.rand(count, generator=generator) < 0.3
        first = torch.tensor(FIRST_SIGMAS)[torch.randint(0, len(FIRST_SIGMAS), (count,), generator=generator)]
        listed = torch.where(whole, first, steps[torch.randint(0, len(steps), (count,), generator=generator)])
    else:
        listed = steps[torch.randint(0, len(steps), (count,), generator=generator)]
    even = torch.rand(count, generator=generator)
    shifted = 3 * even / (1 + 2 * even)
    return torch.where(torch.rand(count, generator=generator) < 0.5, listed, shifted).clamp(min=0.01)


def draw_task(generator: torch.Generator) -> str:
    """Return a random key of `TASKS`."""
    return one_of(TASKS, generator)


def make_batch(
    clips: Clips,
    task: str,
    sigmas: Tensor,
    generator: torch.Generator,
    *,
    frames: int,
    rest: Rest,
    guide: Tensor | None = None,
) -> Batch:
    """Add noise to clips as `task` requires.

    Args:
        clips: B clips.
        task: One of `TASKS`.
        sigmas: Noise levels, (B,).
        generator: Source of the noise.
        frames: Pixel frames of the clips.
        rest: The rest of the latents.
        guide: Latents of control clips, as large as the clips or a whole number of times smaller, (B, 128, T, h, w).
    """
    count = len(clips)
    latent = clips.video.float()
    depth, height, width = latent.shape[2:]
    per_frame = height * width
    picture = to_tokens(latent)
    grids = [Grid(depth, height, width)]
    is_given = torch.zeros(len(grids[0]), dtype=torch.bool)
    kept = torch.zeros(count)
    if "image" in task:
        is_given[:per_frame] = True
        some = torch.rand(count, generator=generator)
        kept = torch.where(some < 0.55, 0.0, torch.where(some < 0.85, 0.3, torch.rand(count, generator=generator)))
    if guide is not None:
        kept = torch.zeros(count)
        picture = torch.cat([picture, to_tokens(guide.float())], 1)
        grids.append(Grid(guide.shape[2], guide.shape[3], guide.shape[4], reach=height // guide.shape[3]))
        is_given = torch.cat([is_given, torch.ones(len(grids[-1]), dtype=torch.bool)])
    if task == "keyframes":
        guides = torch.cat([latent[:, :, :1], clips.last.float()], 2)
        picture = torch.cat([picture, to_tokens(guides)], 1)
        is_given = torch.cat([is_given, torch.ones(2 * per_frame, dtype=torch.bool)])
        grids += [Grid(1, height, width, 0), Grid(1, height, width, frames - 1)]
    some_given = bool(is_given.any())
    levels = torch.stack([sigmas, sigmas * kept], 1) if some_given else sigmas[:, None]
    times = Times(levels, is_given if some_given else None)
    noise = torch.randn(picture.shape, generator=generator)
    level = times.spread(levels[..., None])
    given = "sound" in task
    heard = to_tokens(_choose(clips, generator).float() if given else clips.audio.float())
    audio_noise = torch.randn(heard.shape, generator=generator)
    audio_level = torch.zeros(count) if given else sigmas
    video = torch.lerp(picture, noise, level.expand_as(picture))
    audio = torch.lerp(heard, audio_noise, audio_level[:, None, None].expand_as(heard))
    left = leave(video, noise, rest.video, generator)
    video_truth, audio_truth = noise - picture, audio_noise - heard
    return Batch(
        video=torch.where(is_given[:, None], video, left),
        audio=audio if given else leave(audio, audio_noise, rest.audio, generator),
        video_times=times,
        audio_times=audio_level,
        grids=tuple(grids),
        video_truth=video_truth - video_truth @ rest.video,
        audio_truth=audio_truth - audio_truth @ rest.audio,
        video_counts=(level > 0).float().expand(count, picture.shape[1], 1),
        audio_counts=torch.full((count, 1, 1), float(not given)),
    )


def _choose(clips: Clips, generator: torch.Generator) -> Tensor:
    """Return a given sound: the scene's own, or another with the same loudness."""
    own = torch.rand(len(clips), generator=generator) < 0.4
    return torch.where(own[:, None, None, None], clips.audio, clips.other)
