"""Cases: held-out scenes of one kind, and files made from them as inputs for a mode."""

import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

from lab.training.loop import generator_for
from lab.world.captions import is_held_out
from lab.world.draw import render
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import CORE_BACKGROUNDS, MOTIONS, TALK, Scenes, sample
from lab.world.sound import RATE, other_sound, sound

FPS = 24
POOL = 40_000
"""Scenes from which cases are chosen: always the same first ones, whatever the number requested."""


Which = Callable[[Scenes], torch.Tensor]
"""A function from B scenes to which of them are eligible, (B,)."""
CANNY_SEES = 0.3
"""Brightness difference, ITU-R BT.601, above which ComfyUI's Canny with the studio's thresholds finds an edge."""


def on_promised_background(scenes: Scenes) -> torch.Tensor:
    """Return which scenes are not on brown, against which some wrong colours are hard to see."""
    return scenes.background < CORE_BACKGROUNDS


def edged(scenes: Scenes) -> torch.Tensor:
    """Return which scenes have edges for a control clip: Canny sees brightness alone, so nothing of blue on navy."""
    weights = torch.tensor([0.299, 0.587, 0.114])
    subjects, backgrounds = (torch.tensor(list(palette.values())) @ weights for palette in (COLOURS, BACKGROUNDS))
    return (subjects[scenes.colour] - backgrounds[scenes.background]).abs() > CANNY_SEES


def held_out(count: int, family: str, motions: Sequence[str], *, which: Which | None = None) -> Scenes:
    """Return scenes whose sentences were kept out of training, with these motions in turn, and no drift.

    Args:
        count: Number of scenes.
        family: Each family gets different scenes.
        motions: From `MOTIONS`.
        which: Selects eligible scenes; all by default.
    """
    generator = generator_for(1, "obey", family)
    scenes = sample(POOL, generator, faces=0.0, settings=0.0)
    suits = scenes.drift == 0
    if which is not None:
        suits &= which(scenes)
    chosen: list[int] = []
    by_motion = {
        name: iter(torch.nonzero((scenes.motion == MOTIONS.index(name)) & suits)[:, 0].tolist()) for name in motions
    }
    while len(chosen) < count:
        following = by_motion[motions[len(chosen) % len(motions)]]
        chosen.append(next(index for index in following if is_held_out(scenes, index)))
    return scenes[torch.tensor(chosen)]


def faces(count: int, family: str) -> Scenes:
    """Return talking faces; their looks and speech come from random numbers never used in training."""
    scenes = sample(POOL // 10, generator_for(1, "obey", family), faces=1.0)
    return scenes[scenes.motion == TALK][:count]


def write_frame(scene: Scenes, path: Path, *, frames: int, index: int, width: int, height: int) -> Path:
    """Write one frame of a scene as a picture; return its path."""
    index = index % frames
    clip = render(scene, frames, width, height, FPS, window=(index, index + 1))
    Image.fromarray(_bytes(clip[0, :, 0].permute(1, 2, 0))).save(path)
    return path


def write_clip(scene: Scenes, path: Path, *, frames: int, width: int, height: int) -> Path:
    """Write the scene as a nearly lossless video without sound; return its path."""
    return write_pictures(render(scene, frames, width, height, FPS), path)


def write_pictures(clip: torch.Tensor, path: Path) -> Path:
    """Write a clip, (1, 3, F, H, W) from -1 to 1, as a nearly lossless video without sound; return its path."""
    pictures = _bytes(clip[0].permute(1, 2, 3, 0))
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=FPS, options={"crf": "4"})
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def write_sound(scene: Scenes, path: Path, *, frames: int, other: int | None = None) -> Path:
    """Write the scene's sound; with `other`, a number, another sound of the same loudness. Return its path."""
    duration = (frames - 1) / FPS
    samples = int(RATE * frames / FPS)
    if other is None:
        wave_form = sound(scene, samples, duration=duration)
    else:
        wave_form = other_sound(scene, samples, duration=duration, generator=generator_for(1, "other", other))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((wave_form[0, 0].clamp(-1, 1) * 32767).short().numpy().tobytes())
    return path


def _bytes(picture: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(((picture + 1) * 127.5).round().clamp(0, 255).byte().numpy())
