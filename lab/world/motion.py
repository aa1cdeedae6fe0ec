"""The state of a scene over time: its subject's position, size and loudness, for picture and sound alike."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lab.world.scenes import BOUNCE, DOWN, LEFT, PULSE, RIGHT, STILL, TALK, UP, Scenes

MARGIN = 0.04
"""Margin between the subject and the picture's edge."""
CONTACT = 0.18
"""The part of a bounce, from its onset on, in which the subject is on the ground."""
FALL = 1.6
"""How much shorter the fall is than the rise; 1 is equal."""
STEADY = 0.35
"""Loudness of a subject that moves evenly."""
RING = 0.2
"""Seconds in which the sound of a bounce falls to 1/e."""
ATTACK, DECAY, LEVEL = 0.06, 0.25, 1.8
"""A pulse, in picture and sound: seconds to rise and to fall to 1/e, and the factor that makes its peak about 1.

A latent is 8 frames of the picture, and the pocket's VAE keeps hardly more of them than the average state and
its direction: of pulses that come and go within a few frames it lost half, however long it was trained.
"""


@dataclass(frozen=True, slots=True)
class State:
    """The state of B scenes at T times, each (B, T): the subject's centre, radius, loudness and mouth width."""

    x: Tensor
    y: Tensor
    radius: Tensor
    loudness: Tensor
    mouth: Tensor


def state_at(scenes: Scenes, seconds: Tensor, *, duration: float, aspect: tuple[float, float]) -> State:
    """Return the state of scenes at given times.

    Args:
        scenes: B scenes.
        seconds: The times, (T,).
        duration: Duration of the clip; a move takes all of it.
        aspect: The picture's width and height in units of its short side.
    """
    motion, radius = scenes.motion[:, None], scenes.radius[:, None]
    wide, high = aspect
    edge = radius * 1.02 + MARGIN
    room_x, room_y = wide - 2 * edge, high - 2 * edge
    part = (seconds / duration).clamp(0, 1)[None]
    across = scenes.travel[:, None]

    def go(room: Tensor, place: Tensor, forwards: Tensor, backwards: Tensor) -> Tensor:
        start = place * (1 - across)
        still = place.expand(-1, len(seconds))
        there = torch.where(forwards, start + across * part, still)
        return edge + room * torch.where(backwards, start + across * (1 - part), there)

    drift = scenes.drift[:, None]
    x = go(room_x, scenes.place[:, :1], (motion == RIGHT) | (drift > 0), (motion == LEFT) | (drift < 0))
    y = go(room_y, scenes.place[:, 1:], motion == DOWN, motion == UP)

    since, gap, strength = _since_beat(scenes, seconds)
    phase = (since / gap - CONTACT) / (1 - CONTACT)
    phase = phase.clamp(0, 1).pow(FALL)
    height = (4 * phase * (1 - phase)).sqrt() * (gap / 0.55).clamp(max=1.0) * 0.85
    y = torch.where(motion == BOUNCE, edge + room_y * (1 - height), y)

    swell = strength * LEVEL * (1 - torch.exp(-since / ATTACK)) * torch.exp(-since / DECAY)
    size = torch.where(motion == PULSE, radius * (0.6 + 0.6 * swell), radius.expand_as(y))
    syllable = strength * torch.sin(torch.pi * (since / gap).clamp(0, 1)).pow(1.5)

    loudness = torch.where(motion == BOUNCE, strength * torch.exp(-since / RING), torch.full_like(swell, STEADY))
    loudness = torch.where(motion == PULSE, swell, loudness)
    loudness = torch.where(motion == TALK, syllable, loudness)
    loudness = torch.where(motion == STILL, 0.0, loudness)
    return State(x, y, size, loudness, torch.where(motion == TALK, syllable, 0.0))


def _since_beat(scenes: Scenes, seconds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return seconds since the last onset, from it to the next, and its strength; each (B, T)."""
    index = torch.searchsorted(scenes.beats.contiguous(), seconds.expand(len(scenes), -1).contiguous(), right=True) - 1
    index = index.clamp(0, scenes.beats.shape[1] - 2)
    last, following = scenes.beats.gather(1, index), scenes.beats.gather(1, index + 1)
    since = (seconds[None] - last).clamp(min=0)
    return since, (following - last).clamp(min=1e-3), scenes.strength.gather(1, index)
