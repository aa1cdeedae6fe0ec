"""Scenes as pictures: signed distances with soft edges, so that all sizes look the same."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lab.world import palette
from lab.world.motion import State, state_at
from lab.world.scenes import BEACH, CAMERAS, DAY, FACE, GRASS, NIGHT, SUNSET, Scenes

ZOOM, PAN = 1.6, 0.4
"""How far a camera moves in one clip: zoom factor, and pan as a share of the short side."""


def render(
    scenes: Scenes,
    frames: int,
    width: int,
    height: int,
    fps: float = 24.0,
    *,
    window: tuple[int, int] | None = None,
    crop: tuple[int, int, int, int] | None = None,
) -> Tensor:
    """Draw every frame.

    Args:
        scenes: B scenes.
        frames: F, the number of frames; the clip lasts (F - 1) / fps seconds.
        width: Pixels.
        height: Pixels.
        fps: Frames per second.
        window: The frames to draw, from and to (exclusive); all if None.
        crop: The part of the picture: left, top, width and height in pixels; all if None.

    Returns:
        (B, 3, F, height, width) of -1 to 1.
    """
    state, x, y, scale = frame_state(scenes, frames, width, height, fps, window=window, crop=crop)
    short = min(width, height)
    canvas = _behind(scenes, x, y, scale, (width / short, height / short))
    faces = scenes.subject == FACE
    if not faces.all():
        shapes = ~faces
        alpha = soft(subject_distance(scenes[shapes], _some(state, shapes), x[shapes], y[shapes]), scale[shapes])
        colour = torch.tensor(list(palette.COLOURS.values()))[scenes.colour[shapes]][:, :, None, None, None]
        canvas[shapes] = torch.lerp(canvas[shapes], colour, alpha[:, None])
    if faces.any():
        canvas[faces] = _face(scenes[faces], _some(state, faces), canvas[faces], x[faces], y[faces], scale[faces])
    return canvas * 2 - 1


def frame_state(
    scenes: Scenes,
    frames: int,
    width: int,
    height: int,
    fps: float,
    *,
    window: tuple[int, int] | None = None,
    crop: tuple[int, int, int, int] | None = None,
) -> tuple[State, Tensor, Tensor, Tensor]:
    """Return the input of `render`: the state, the world's x and y behind each pixel, and pixels per unit."""
    seconds = torch.arange(*(window or (0, frames))) / fps
    duration = max(frames - 1, 1) / fps
    short = min(width, height)
    state = state_at(scenes, seconds, duration=duration, aspect=(width / short, height / short))
    x, y, scale = _view(scenes, (seconds / duration).clamp(0, 1), width, height, crop or (0, 0, width, height))
    return state, x, y, scale


def soft(distance: Tensor, scale: Tensor) -> Tensor:
    """Return the share of a pixel inside a shape, from the distance to its edge; `scale` is pixels per unit, (B, F)."""
    return (0.5 - distance * scale[:, :, None, None]).clamp(0, 1)


def subject_distance(scenes: Scenes, state: State, x: Tensor, y: Tensor) -> Tensor:
    """Return the distance of each point to the edge of a circle, square or triangle, negative inside; (B, F, H, W)."""
    dx, dy = x - state.x[..., None, None], y - state.y[..., None, None]
    radius = state.radius[..., None, None]
    shape = scenes.subject[:, None, None, None]
    circle = (dx.square() + dy.square()).sqrt() - radius
    square = torch.maximum(dx.abs(), dy.abs()) - radius * 0.88
    triangle = torch.maximum(dy - radius * 0.72, dx.abs() * 0.894 - dy * 0.447 - radius * 0.48)
    return torch.where(shape == 0, circle, torch.where(shape == 1, square, triangle))


def _some(state: State, rows: Tensor) -> State:
    return State(*(value[rows] for value in (state.x, state.y, state.radius, state.loudness, state.mouth)))


def _view(
    scenes: Scenes, part: Tensor, width: int, height: int, crop: tuple[int, int, int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the world's point behind each pixel as the camera moves: x and y (B, F, H, W), pixels per unit (B, F)."""
    short = min(width, height)
    camera = scenes.camera[:, None]
    gone, swept = (scenes.far[:, None] * each for each in (part, part - 0.5))
    nearer = torch.where(camera == CAMERAS.index("dolly-in"), gone, 0.0)
    nearer = torch.where(camera == CAMERAS.index("dolly-out"), -gone, nearer)
    zoom = torch.exp(nearer * math.log(ZOOM))
    aside, above = torch.zeros_like(gone), torch.zeros_like(gone)
    for name, sign in (("dolly-left", -1), ("dolly-right", 1)):
        aside = torch.where(camera == CAMERAS.index(name), sign * PAN * swept, aside)
    for name, sign in (("jib-up", -1), ("jib-down", 1)):
        above = torch.where(camera == CAMERAS.index(name), sign * PAN * swept, above)
    left, top, across_pixels, down_pixels = crop
    across = (torch.arange(left, left + across_pixels) + 0.5 - width / 2) / short
    down = (torch.arange(top, top + down_pixels) + 0.5 - height / 2) / short
    x = across / zoom[..., None, None] + (aside + width / short / 2)[..., None, None]
    y = down[:, None] / zoom[..., None, None] + (above + height / short / 2)[..., None, None]
    shape = (*gone.shape, down_pixels, across_pixels)
    return x.expand(shape), y.expand(shape), zoom * short


def _behind(scenes: Scenes, x: Tensor, y: Tensor, scale: Tensor, aspect: tuple[float, float]) -> Tensor:
    plain = torch.tensor(list(palette.BACKGROUNDS.values()))[scenes.background][:, :, None, None, None]
    canvas = plain.expand(-1, -1, *x.shape[1:]).clone()
    for setting in (NIGHT, DAY, GRASS, BEACH, SUNSET):
        rows = scenes.setting == setting
        if rows.any():
            canvas[rows] = _setting(setting, scenes[rows], x[rows], y[rows], scale[rows], aspect)
    return canvas


def _setting(setting: int, scenes: Scenes, x: Tensor, y: Tensor, scale: Tensor, aspect: tuple[float, float]) -> Tensor:
    """Draw the sky, the ground if there is one, and a few discs: stars, clouds, the sun."""
    sky, ground, disc = {
        NIGHT: (palette.NIGHT, None, (1.0, 1.0, 0.9)),
        DAY: (palette.SKY_BLUE, None, (1.0, 1.0, 1.0)),
        GRASS: (palette.SKY_BLUE, palette.GRASS, (1.0, 1.0, 1.0)),
        BEACH: (palette.SEA, palette.SAND, (1.0, 1.0, 1.0)),
        SUNSET: (palette.DUSK, (0.25, 0.15, 0.25), (1.0, 0.9, 0.3)),
    }[setting]
    canvas = _paint(x, sky)
    look = scenes.look
    wide, high = aspect
    count, smallest, spread = {NIGHT: (7, 0.012, 0.02), SUNSET: (1, 0.12, 0.05)}.get(setting, (3, 0.05, 0.06))
    if setting != BEACH:
        for index in range(count):
            at_x, at_y, size = (look[:, 3 * index + each, None, None, None] for each in range(3))
            distance = ((x - at_x * wide).square() + ((y - at_y * high * 0.5) * 1.3).square()).sqrt()
            canvas = _layer(canvas, distance - smallest - spread * size, disc, scale)
    if ground is not None:
        horizon = high * (0.62 + 0.15 * look[:, 30, None, None, None])
        canvas = _layer(canvas, horizon - y, ground, scale)
    return canvas


def _face(scenes: Scenes, state: State, canvas: Tensor, x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    """Draw a cartoon face: hair, head, eyes, pupils, and a mouth as open as the state says."""
    look = scenes.look[:, :, None, None, None]
    radius = state.radius[..., None, None]
    u, v = (x - state.x[..., None, None]) / radius, (y - state.y[..., None, None]) / radius
    skin = torch.tensor(palette.SKINS)[(scenes.look[:, 0] * len(palette.SKINS)).long()]
    hair = torch.tensor(palette.HAIRS)[(scenes.look[:, 1] * len(palette.HAIRS)).long()]

    def put(
        over: Tensor,
        at: tuple[Tensor | float, Tensor | float],
        size: tuple[Tensor | float, Tensor | float],
        rgb: Tensor | palette.RGB,
    ) -> Tensor:
        across, down = (u - at[0]) / size[0], (v - at[1]) / size[1]
        small = size[1] if isinstance(size[1], Tensor) else torch.tensor(size[1])
        return _layer(over, ((across.square() + down.square()).sqrt() - 1) * small * radius, rgb, scale)

    canvas = put(canvas, (0.0, -0.12 - 0.1 * look[:, 2]), (1.0, 0.95), hair)
    canvas = put(canvas, (0.0, 0.08), (0.88, 0.92), skin)
    apart = 0.3 + 0.1 * look[:, 3]
    for side in (-1, 1):
        canvas = put(canvas, (side * apart, -0.12), (0.17, 0.19), (1.0, 1.0, 1.0))
        canvas = put(canvas, (side * apart + 0.08 * (look[:, 4] - 0.5), -0.1), (0.085, 0.095), (0.05, 0.05, 0.1))
    open_by = 0.045 + 0.27 * state.mouth[..., None, None]
    canvas = put(canvas, (0.0, 0.48), (0.3 + 0.12 * look[:, 5], open_by + 0.05), (0.75, 0.1, 0.15))
    return put(canvas, (0.0, 0.48), (0.26 + 0.12 * look[:, 5], open_by), (0.2, 0.02, 0.05))


def _paint(like: Tensor, rgb: Sequence[float]) -> Tensor:
    colour = torch.tensor(rgb)[None, :, None, None, None]
    return colour.expand(like.shape[0], -1, *like.shape[1:]).clone()


def _layer(canvas: Tensor, distance: Tensor, rgb: Tensor | palette.RGB, scale: Tensor) -> Tensor:
    colour = rgb[:, :, None, None, None] if isinstance(rgb, Tensor) else torch.tensor(rgb)[None, :, None, None, None]
    return torch.lerp(canvas, colour.expand_as(canvas), soft(distance, scale)[:, None].expand_as(canvas))
