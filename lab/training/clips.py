"""The clips that the transformer learns from: scenes with picture, sound and caption, encoded and kept on disk."""

import math
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from lab.training.audio import CHANNELS
from lab.training.device import half, load
from lab.training.forward import to_tokens
from lab.training.loop import generator_for
from lab.training.rest import Rest, rest_of
from lab.world.captions import is_held_out, tell
from lab.world.draw import render
from lab.world.scenes import CAMERAS, Scenes, sample
from lab.world.sound import RATE, other_sound, sound
from lab.world.words import WORDS
from ltx_studio.engine.nodes.pocket_text_encoder import rows_of

FPS = 24.0
KNOWN = {word: number for number, word in enumerate(WORDS, start=1)}


@dataclass(frozen=True, slots=True)
class Shape:
    """A clip size in pixels and frames, and the number of such clips in a shard."""

    width: int
    height: int
    frames: int
    count: int

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}x{self.frames}"

    @property
    def is_large(self) -> bool:
        return self.width * self.height > 128 * 128


SHAPES = (
    *(Shape(128, 96, frames, count) for frames, count in ((17, 48), (25, 288), (33, 96), (41, 48), (49, 144))),
    *(Shape(96, 128, frames, count) for frames, count in ((25, 64), (49, 32))),
    *(Shape(64, 64, frames, count) for frames, count in ((25, 64), (49, 32))),
    *(Shape(96, 64, frames, count) for frames, count in ((25, 64), (49, 32))),
    *(Shape(96, 96, frames, count) for frames, count in ((25, 32), (49, 16))),
    *(Shape(128, 128, frames, count) for frames, count in ((25, 64), (33, 32))),
    *(Shape(128, 64, frames, count) for frames, count in ((25, 32),)),
    *(Shape(256, 192, frames, count) for frames, count in ((17, 16), (25, 192), (33, 32), (49, 48))),
    *(Shape(192, 256, frames, count) for frames, count in ((25, 16),)),
    *(Shape(192, 128, frames, count) for frames, count in ((25, 32), (49, 16))),
    *(Shape(256, 128, frames, count) for frames, count in ((25, 16),)),
)
"""In each line of two, the first is stage 1 of a later one."""


QUICK = "128x96x25", "256x192x25"
"""Shapes for a training that only proves that it runs."""


MEASURED, MEASURED_SHAPES = 256, ("128x96x25", "256x192x25", "64x64x25")
"""Clips of each of these shapes that are used to measure the latents' variance."""


@dataclass(frozen=True, slots=True)
class Clips:
    """N encoded clips of one shape; latents are bfloat16.

    Attributes:
        video: (N, 128, T, H, W).
        last: The last frame, encoded by itself, (N, 128, 1, H, W).
        audio: (N, 8, M, 16).
        other: Another sound with the same loudness, (N, 8, M, 16).
        words: Rows of the text encoder's tables, (N, words, 3).
    """

    video: Tensor
    last: Tensor
    audio: Tensor
    other: Tensor
    words: Tensor

    def __len__(self) -> int:
        return len(self.video)

    def __getitem__(self, index: Tensor) -> Self:
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def draw_scenes(count: int, generator: torch.Generator, *, cameras: float = 0.15) -> Scenes:
    """Return scenes for training: no held-out promised sentences; some have a moving camera."""
    kept: list[int] = []
    scenes = sample(2 * count, generator)
    for index in range(2 * count):
        if not is_held_out(scenes, index):
            kept.append(index)
    scenes = scenes[torch.tensor(kept[:count])]
    moved = torch.rand(count, generator=generator) < cameras
    camera = torch.randint(1, len(CAMERAS), (count,), generator=generator)
    return scenes.but(camera=torch.where(moved, camera, 0))


def audio_tokens(frames: int, fps: float = FPS) -> int:
    """Return the number of audio latents for `frames` frames."""
    return math.ceil(frames / fps * 25)


@torch.no_grad()
def encode_clips(vae: Any, audio_vae: Any, shape: Shape, generator: torch.Generator, *, batch: int = 8) -> Clips:
    """Draw and encode `shape.count` clips."""
    chance = random.Random(int(torch.randint(0, 2**31, (1,), generator=generator)))
    parts = []
    for begin in range(0, shape.count, batch):
        scenes = draw_scenes(min(batch, shape.count - begin), generator)
        clip = render(scenes, shape.frames, shape.width, shape.height, FPS)
        with half():
            video, last = vae.encode(clip), vae.encode(clip[:, :, -1:])
        told = [rows_of(tell(scenes, index, chance), KNOWN) for index in range(len(scenes))]
        own, other = hear(audio_vae, scenes, shape.frames, generator)
        video, last, own, other = (latent.bfloat16() for latent in (video, last, own, other))
        parts.append(Clips(video, last, own, other, torch.tensor(told, dtype=torch.int16)))
    return Clips.joined(parts)


def hear(audio_vae: Any, scenes: Scenes, frames: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the scenes' own sound and another, encoded, (B, 8, M, 16)."""
    tokens = audio_tokens(frames)
    samples, duration = (4 * tokens - 3) * 160, (frames - 1) / FPS
    own = sound(scenes, samples, duration=duration)
    other = other_sound(scenes, samples, duration=duration, generator=generator)
    encoded = audio_vae.encode(torch.cat([own, other]), RATE)[:, :CHANNELS, :tokens]
    if encoded.shape[2] != tokens:
        raise ValueError(f"{encoded.shape[2]} audio latents where {tokens} belong to {frames} frames")
    own, other = encoded.chunk(2)
    return own, other


def write_shard(vae: Any, audio_vae: Any, folder: Path, number: int, *, seed: int = 0, quick: bool = False) -> None:
    """Write every shape, or with `quick` hardly any; an existing shard is kept."""
    path = folder / f"clips-{number:03d}.pt"
    if path.exists():
        return
    shard = {
        shape.name: encode_clips(
            vae,
            audio_vae,
            replace(shape, count=4) if quick else shape,
            generator_for(seed, "clips", number, shape.name),
        )
        for shape in (SHAPES if not quick else [shape for shape in SHAPES if shape.name in QUICK])
    }
    state = {name: {field.name: getattr(clips, field.name) for field in fields(clips)} for name, clips in shard.items()}
    partial = path.with_suffix(f".{os.getpid()}.part")
    torch.save(state, partial)
    partial.replace(path)


def measure_rest(clips: Mapping[str, Clips]) -> Rest:
    """Return the rest of the latents, measured on some clips of a few shapes."""
    some = [clips[name][torch.arange(min(MEASURED, len(clips[name])))] for name in MEASURED_SHAPES if name in clips]
    video = torch.cat([to_tokens(each.video.float()).flatten(0, 1) for each in some])
    audio = torch.cat([to_tokens(each.audio.float()).flatten(0, 1) for each in some])
    return rest_of(video, audio)


def read_shards(folder: Path) -> dict[str, Clips]:
    """Return all existing clips, by the name of their shape."""
    found: dict[str, list[Clips]] = {}
    for path in sorted(folder.glob("clips-*.pt")):
        for name, clips in load(path).items():
            found.setdefault(name, []).append(Clips(**clips))
    return {name: Clips.joined(parts) for name, parts in found.items()}
