"""Cases: held-out scenes of one kind, and files made of them that a mode can be given."""

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
"""Scenes from which cases are chosen: the same first ones, however many are asked for."""


Which = Callable[[Scenes], torch.Tensor]
"""From B scenes to whether they can be chosen, (B,)."""
CANNY_SEES = 0.3
"""Difference in brightness, ITU-R BT.601, above which ComfyUI's Canny with the studio's thresholds finds an edge."""


def on_promised_background(scenes: Scenes) -> torch.Tensor:
    """Not on brown, on which some colours that come instead of another are hard to see."""
    return scenes.background < CORE_BACKGROUNDS


def edged(scenes: Scenes) -> torch.Tensor:
    """Which have edges that a control clip can show: Canny sees brightness alone, so nothing of blue on navy."""
    weights = torch.tensor([0.299, 0.587, 0.114])
    subjects, backgrounds = (torch.tensor(list(palette.values())) @ weights for palette in (COLOURS, BACKGROUNDS))
    return (subjects[scenes.colour] - backgrounds[scenes.background]).abs() > CANNY_SEES


def held_out(count: int, family: str, motions: Sequence[str], *, which: Which | None = None) -> Scenes:
    """Scenes whose sentences were kept out of training, with these motions in turn, and no drift.

    Args:
        count: How many.
        family: Makes them other ones than another family's.
        motions: From `MOTIONS`.
        which: Of them can be chosen; all where it is not said.
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
    """Talking faces; what they look like and say is new, for it is drawn from numbers that training never had."""
    scenes = sample(POOL // 10, generator_for(1, "obey", family), faces=1.0)
    return scenes[scenes.motion == TALK][:count]


def write_frame(scene: Scenes, path: Path, *, frames: int, index: int, width: int, height: int) -> Path:
    """One frame of a scene, as a picture."""
    index = index % frames
    clip = render(scene, frames, width, height, FPS, window=(index, index + 1))
    Image.fromarray(_bytes(clip[0, :, 0].permute(1, 2, 0))).save(path)
    return path


def write_clip(scene: Scenes, path: Path, *, frames: int, width: int, height: int) -> Path:
    """The scene as a film without sound, nearly without loss."""
    return write_pictures(render(scene, frames, width, height, FPS), path)


def write_pictures(clip: torch.Tensor, path: Path) -> Path:
    """A clip, (1, 3, F, H, W) of -1 to 1, as a film without sound, nearly without loss."""
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
    """What the scene sounds like; with `other`, a number, another sound with the same loudness."""
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
