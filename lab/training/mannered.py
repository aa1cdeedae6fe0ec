"""Clips that share something which their captions do not mention, for the LoRAs that learn it."""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab.architecture import IC_LORA_DOWNSCALE
from lab.training.clips import FPS, KNOWN, Clips, Shape, draw_scenes, hear
from lab.training.device import half, load
from lab.training.loop import generator_for, one_of
from lab.world.captions import tell
from lab.world.controls import control, sketch
from lab.world.draw import render
from lab.world.scenes import CAMERAS, Scenes
from ltx_studio.engine.nodes.pocket_text_encoder import rows_of

MANNERS = {"128x96x25": 240, "96x64x25": 32, "256x192x25": 48, "192x128x25": 16}
"""Number of clips of each shape for learning a camera or a style, at each strength."""
STRENGTHS = {1.0: 1 / 3, 0.5: 2 / 3}
"""Strengths at which a LoRA learns a camera or a style, so that its effect grows with them, and their shares: at half
strength the effect tends to be too weak rather than too strong."""
FAR = {1.0: 1.5, 0.5: 1.0}
"""How far a camera moves at each strength, where its words move it by 1. Less than a latent cell is hardly
learned: trained to go half as far at half strength, it did not move."""
CONTROLS = {"256x192x25": 320, "192x128x25": 96, "256x128x25": 48, "192x256x25": 32, "256x192x49": 48}
SKETCH = "sketch"


@torch.no_grad()
def write_manner_clips(
    vae: Any, audio_vae: Any, path: Path, manner: str, *, quick: bool = False, seed: int = 0
) -> None:
    """Write clips with a camera or as a sketch, not mentioned in their captions, and clips with half of the effect."""

    def make(strength: float, shape: Shape, generator: torch.Generator, count: int) -> dict[str, Tensor]:
        # captions say that a static camera moves: only then there is something to learn
        scenes = draw_scenes(count, generator, cameras=1.0 if manner == CAMERAS[0] else 0.0)
        clip = render(moved(scenes, manner, strength), shape.frames, shape.width, shape.height, FPS)
        clip = torch.lerp(clip, sketch(clip), strength) if manner == SKETCH else clip
        return _encoded(vae, audio_vae, scenes, clip, generator)

    if not path.exists():
        stored = {
            each: _made((manner, each), MANNERS, partial(make, each), quick=quick, seed=seed) for each in STRENGTHS
        }
        _write(path, stored)


def moved(scenes: Scenes, manner: str, strength: float) -> Scenes:
    """Return the scenes as a LoRA of that camera shows them, at 1 or ½ of its strength.

    For a static camera, half of its motion is left at half of the strength.
    """
    if manner == CAMERAS[0]:
        return scenes.but(far=torch.full((len(scenes),), 1 - strength))
    if manner in CAMERAS:
        camera = torch.full((len(scenes),), CAMERAS.index(manner))
        return scenes.but(camera=camera, far=torch.full((len(scenes),), FAR[strength]))
    return scenes


@torch.no_grad()
def write_control_clips(
    vae: Any, audio_vae: Any, path: Path, kinds: Mapping[str, float], number: int, *, quick: bool = False, seed: int = 0
) -> None:
    """Write clips with their control clips, at half size except those out of focus.

    Args:
        vae: The video VAE.
        audio_vae: The audio VAE.
        path: The target file.
        kinds: The share of each kind, see `control`.
        number: Number of this part of the clips; each has different scenes.
        quick: Whether to write only a few.
        seed: Seed of the scenes.
    """

    def make(shape: Shape, generator: torch.Generator, count: int) -> dict[str, Tensor]:
        scenes = draw_scenes(count, generator)
        clip = render(scenes, shape.frames, shape.width, shape.height, FPS)
        kind = one_of(kinds, generator)
        steer = control(kind, scenes, clip, FPS)
        if kind != "soft":
            size = shape.height // IC_LORA_DOWNSCALE, shape.width // IC_LORA_DOWNSCALE
            smaller = torch.nn.functional.interpolate(steer.flatten(0, 1), size, mode="bilinear", antialias=False)
            steer = smaller.view(*clip.shape[:3], *size)
        with half():
            guide = vae.encode(steer).bfloat16()
        return _encoded(vae, audio_vae, scenes, clip, generator) | {"guide": guide}

    if not path.exists():
        _write(path, _made(("control", number), CONTROLS, make, quick=quick, seed=seed))


def _encoded(vae: Any, audio_vae: Any, scenes: Scenes, clip: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    chance = random.Random(int(torch.randint(0, 2**31, (1,), generator=generator)))
    with half():
        video, last = vae.encode(clip), vae.encode(clip[:, :, -1:])
    own, other = hear(audio_vae, scenes, clip.shape[2], generator)
    told = [rows_of(tell(scenes, index, chance), KNOWN) for index in range(len(scenes))]
    latents = {"video": video, "last": last, "audio": own, "other": other}
    return {key: value.bfloat16() for key, value in latents.items()} | {"words": torch.tensor(told, dtype=torch.int16)}


def _made(
    name: object,
    shapes: Mapping[str, int],
    make: Callable[[Shape, torch.Generator, int], dict[str, Tensor]],
    *,
    quick: bool,
    seed: int,
) -> dict[str, dict[str, Tensor]]:
    made = {}
    for shape_name, count in list(shapes.items())[: 1 if quick else None]:
        width, height, frames = (int(part) for part in shape_name.split("x"))
        shape = Shape(width, height, frames, 4 if quick else count)
        generator = generator_for(seed, name, shape_name)
        parts = [make(shape, generator, min(8, shape.count)) for _ in range(0, shape.count, 8)]
        made[shape_name] = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    return made


def _write(path: Path, stored: Mapping[Any, Any]) -> None:
    partial_path = path.with_suffix(f".{os.getpid()}.part")
    torch.save(stored, partial_path)
    partial_path.replace(path)


def read_manner_clips(path: Path) -> dict[float, dict[str, Clips]]:
    """Return clips by the strength at which a LoRA should make them, and by shape name."""
    return {strength: {shape: _clips(each) for shape, each in made.items()} for strength, made in load(path).items()}


def read_control_clips(paths: Sequence[Path]) -> tuple[dict[str, Clips], dict[str, Tensor]]:
    """Return all clips from the files, and the latents of their control clips, by shape name."""
    parts = [load(path) for path in paths]
    clips, guides = {}, {}
    for shape, first in parts[0].items():
        joined = {key: torch.cat([part[shape][key] for part in parts]) for key in first}
        clips[shape], guides[shape] = _clips(joined), joined["guide"]
    return clips, guides


def _clips(stored: Mapping[str, Tensor]) -> Clips:
    return Clips(**{field.name: stored[field.name] for field in fields(Clips)})
