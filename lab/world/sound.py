"""Scenes as sound: a pitch for each shape, a voice for a face, and the loudness from the motion.

Tones are multiples of 100 Hz with a phase that starts at 0 s, so every 10 ms hop of a mel spectrogram has the same
waveform: a vocoder can then learn it sample by sample, without an adversary.
"""

import math

import torch
from torch import Tensor

from lab.world.motion import state_at
from lab.world.scenes import FACE, Scenes

RATE = 16_000
"""Samples per second."""
PITCHES = {"circle": 400.0, "square": 700.0, "triangle": 1100.0}
"""Hertz."""
PEAK = 0.5
VOWELS = (730.0, 1090.0), (530.0, 1840.0), (300.0, 2290.0), (570.0, 840.0), (320.0, 870.0)
"""First and second formant in hertz; after G. E. Peterson and H. L. Barney, 1952."""

_HARMONICS = 14


def sound(scenes: Scenes, samples: int, *, duration: float) -> Tensor:
    """Return the sound of scenes.

    Args:
        scenes: B scenes.
        samples: N, at `RATE`.
        duration: Duration of the clip in seconds.

    Returns:
        (B, 2, N) of -1 to 1, the same in both channels.
    """
    time, loudness = _envelope(scenes, samples, duration)
    pitch = torch.tensor([*PITCHES.values(), 0.0])[scenes.subject][:, None]
    wave = torch.sin(math.tau * pitch * time) + 0.3 * torch.sin(2 * math.tau * pitch * time)
    faces = scenes.subject == FACE
    if faces.any():
        fundamental = torch.where(scenes.look[faces, 6] < 0.5, 100.0, 200.0)
        wave[faces] = voice(scenes[faces], time, fundamental)
    return _stereo(PEAK * loudness * wave)


def other_sound(scenes: Scenes, samples: int, *, duration: float, generator: torch.Generator) -> Tensor:
    """Return the same loudness from another source: noise, any tone, any voice; shapes and arguments as in `sound`."""
    time, loudness = _envelope(scenes, samples, duration)
    count = len(scenes)
    pitch = 120 * torch.exp(math.log(16) * torch.rand(count, 1, generator=generator))
    phase = math.tau * torch.rand(count, 1, generator=generator)
    bright = torch.rand(count, 1, generator=generator)
    tone = sum(bright**number * torch.sin(number * (math.tau * pitch * time + phase)) for number in (1, 2, 3)) / (
        bright + bright**2 + bright**3 + 1e-3
    )
    noise = 0.6 * torch.randn(count, samples, generator=generator)
    wave = torch.where(torch.rand(count, 1, generator=generator) < 0.4, noise, tone)
    faces = scenes.subject == FACE
    if faces.any():
        fundamental = 85 + 180 * torch.rand(int(faces.sum()), generator=generator)
        wave[faces] = voice(scenes[faces], time, fundamental)
    gain = 0.3 + 0.7 * torch.rand(count, 1, generator=generator)
    hiss = 0.01 * torch.rand(count, 1, generator=generator) * torch.randn(count, samples, generator=generator)
    return _stereo((PEAK * gain * loudness * wave + hiss).clamp(-1, 1))


def voice(scenes: Scenes, time: Tensor, fundamental: Tensor) -> Tensor:
    """Return vowels on a steady pitch, one for each beat, at full level: (B, N) for times (1, N) and pitches (B,)."""
    syllable = torch.searchsorted(scenes.beats.contiguous(), time.expand(len(scenes), -1).contiguous(), right=True)
    vowel = (scenes.look[:, 8:24] * len(VOWELS)).long().clamp(max=len(VOWELS) - 1)
    formants = torch.tensor(VOWELS)[vowel.gather(1, syllable.clamp(max=vowel.shape[1] - 1))]
    wave = torch.zeros(formants.shape[:2])
    for number in range(1, _HARMONICS + 1):
        pitch = number * fundamental[:, None]
        low, high = formants[..., 0], formants[..., 1]
        heard = torch.exp(-(((pitch - low) / 130) ** 2)) + 0.6 * torch.exp(-(((pitch - high) / 200) ** 2)) + 0.06
        wave += heard * torch.sin(math.tau * pitch * time)
    return wave / 2


def _envelope(scenes: Scenes, samples: int, duration: float) -> tuple[Tensor, Tensor]:
    seconds = torch.arange(samples) / RATE
    coarse = torch.arange(0, samples + 80, 80) / RATE  # every 5 ms is enough
    loudness = state_at(scenes, coarse, duration=duration, aspect=(1.0, 1.0)).loudness
    fine = torch.nn.functional.interpolate(
        loudness[:, None], size=80 * (len(coarse) - 1) + 1, mode="linear", align_corners=True
    )
    return seconds[None], fine[:, 0, :samples]


def _stereo(wave: Tensor) -> Tensor:
    return wave[:, None].repeat(1, 2, 1)
