"""Control clips of a scene, which steer an IC-LoRA: its edges, depth, pose, and itself sharp and out of focus."""

import torch
from torch import Tensor

from lab.world.draw import frame_state, soft
from lab.world.scenes import Scenes

EDGES = 0.4, 0.8
"""Canny's low and high threshold, as in the studio's graph of the mode style."""
SOFT = 6
"""How many times smaller a clip without details is."""


def control(kind: str, scenes: Scenes, clip: Tensor, fps: float) -> Tensor:
    """Return the control clip of that kind, shaped as `clip`: (B, 3, F, H, W) from -1 to 1.

    Args:
        kind: `canny`, `soft`, `clip`, `depth`, or `pose`.
        scenes: B scenes.
        clip: All frames of their clips, as drawn by `render`.
        fps: Frames per second.
    """
    if kind == "canny":
        return edges(clip)
    if kind == "soft":
        return soft_focus(clip)
    if kind == "clip":
        return clip
    frames, height, width = clip.shape[2:]
    state, x, y, scale = frame_state(scenes, frames, width, height, fps)
    across, down = x - state.x[..., None, None], y - state.y[..., None, None]
    radius = state.radius[..., None, None]
    away = (across.square() + down.square()).sqrt() / radius
    if kind == "depth":
        near = 0.75 + 0.25 * (1 - away.square()).clamp(min=0).sqrt()
        floor = 0.1 + 0.15 * torch.linspace(0, 1, height)[:, None].expand(height, width)
        picture = torch.where(away < 1, near, floor)[:, None].expand(-1, 3, -1, -1, -1)
        return picture * 2 - 1
    bones = torch.zeros_like(clip)
    thin = 1.2 / scale[..., None, None]
    for axis, (one, other) in enumerate(((across, down), (down, across))):
        bone = torch.maximum(one.abs() - radius, other.abs() - thin)
        bones[:, axis] = torch.maximum(bones[:, axis], soft(bone, scale))
    joints = torch.full_like(across, torch.inf)
    for right, below in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        joint = ((across - right * radius).square() + (down - below * radius).square()).sqrt() - 2.5 * thin
        joints = torch.minimum(joints, joint)
    bones[:, 2] = soft(joints, scale)
    return bones * 2 - 1


def sketch(clip: Tensor) -> Tensor:
    """Return dark lines on white, some pixels wide, where a colour ends; as `clip`, (B, 3, F, H, W) from -1 to 1."""
    lines = torch.stack([edges(channel[:, None].expand(clip.shape)) for channel in clip.unbind(1)]).amax(0)
    reach = max(1, clip.shape[3] // 96)
    wide = torch.nn.functional.max_pool3d(lines, (1, 2 * reach + 1, 2 * reach + 1), 1, (0, reach, reach))
    return -wide


def soft_focus(clip: Tensor) -> Tensor:
    """Return the clip without its details, for the detailer; shapes as `clip`."""
    pictures = clip.transpose(1, 2).flatten(0, 1)
    size = pictures.shape[-2:]
    small = torch.nn.functional.interpolate(pictures, scale_factor=1 / SOFT, mode="bilinear", antialias=True)
    large = torch.nn.functional.interpolate(small, size, mode="bicubic").clamp(-1, 1)
    return large.unflatten(0, (clip.shape[0], clip.shape[2])).transpose(1, 2)


def edges(clip: Tensor) -> Tensor:
    """Return the edges that ComfyUI's Canny node finds in a clip, frame by frame; shapes as `clip`."""
    from comfy_extras.nodes_canny import Canny

    def found(pictures: Tensor) -> Tensor:  # one clip at a time: several take two to six times as long for each
        lines: Tensor = Canny.execute((pictures.permute(1, 2, 3, 0) + 1) / 2, *EDGES).args[0]
        return lines.permute(3, 0, 1, 2) * 2 - 1

    return torch.stack([found(each) for each in clip])
