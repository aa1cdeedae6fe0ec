"""The transformer's forward pass for training: differentiable, with a separate time for each sample.

ComfyUI's own changes tensors in place, shares one noise level within a batch if sound and picture attend to each other,
and works on 1024 text tokens. This one reads the same modules and gives the same numbers (tests compare them).
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

LATENT_FRAMES, LATENT_PIXELS = 8, 32
"""Frames and pixels that a latent cell spans."""

EPSILON = 1e-6

Rotation = tuple[Tensor, Tensor]
"""Cosines and signed sines, each (1, N, heads, width)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The positions of a picture's tokens.

    Attributes:
        frames: Latent frames.
        height: In latent cells.
        width: In latent cells.
        first: The first pixel frame.
        reach: Cells of the full picture that each token spans on a side.
    """

    frames: int
    height: int
    width: int
    first: int = 0
    reach: int = 1

    def __len__(self) -> int:
        return self.frames * self.height * self.width

    def coordinates(self) -> Tensor:
        """Return begin and end in frames and pixels, (1, 3, N, 2), as given by ComfyUI's guides."""
        axes = torch.arange(self.frames), torch.arange(self.height), torch.arange(self.width)
        cells = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1).float()
        time = torch.stack([cells[0], cells[0] + 1], -1) * LATENT_FRAMES
        time = (time + 1 - LATENT_FRAMES).clamp(min=0) + self.first
        space = torch.stack([cells[1:], cells[1:] + 1], -1) * LATENT_PIXELS * self.reach
        return torch.cat([time[None], space])[None]


@dataclass(frozen=True, slots=True)
class Times:
    """The noise level of each token, 0 to 1.

    Attributes:
        levels: Of each sample's one or two groups of tokens, (B, groups).
        given: Which tokens are in the second group, (N,); None where there is only the first.
    """

    levels: Tensor
    given: Tensor | None = None

    def spread(self, values: Tensor) -> Tensor:
        """Return values by token, (B, N or 1, width), from values by group, (B, groups, width)."""
        if self.given is None:
            return values
        return torch.where(self.given[:, None], values[:, 1:], values[:, :1])

    def runs(self) -> list[tuple[int, int, int]]:
        """Return runs of consecutive tokens of one group: begin, end and group."""
        if self.given is None:
            return []
        runs, begin = [], 0
        for group, tokens in itertools.groupby(self.given.int().tolist()):
            end = begin + len(list(tokens))
            runs.append((begin, end, group))
            begin = end
        return runs


class _RmsNorm(torch.autograd.Function):  # type: ignore[misc]  # torch is not followed
    """An equivalent of `functional.rms_norm` without weights, with fewer passes over memory, a CPU's bottleneck."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, epsilon: float) -> Tensor:
        scale = torch.rsqrt(torch.linalg.vector_norm(x, dim=-1, keepdim=True).square() / x.shape[-1] + epsilon)
        normed = x * scale
        ctx.save_for_backward(normed, scale)
        return normed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        normed, scale = ctx.saved_tensors
        along = (gradient * normed).mean(-1, keepdim=True)
        return torch.addcmul(gradient, normed, along, value=-1).mul_(scale), None


def predict(
    net: Any,
    video: Tensor,
    audio: Tensor,
    context: Tensor,
    *,
    video_times: Times,
    audio_times: Tensor,
    grids: tuple[Grid, ...],
    fps: float = 24.0,
    hearing: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return the predictions of an `LTXAVModel` for noisy latents: the velocities, noise minus data.

    Args:
        net: The model, built with `torch.nn` operations.
        video: Tokens of the picture, then those of its guides, (B, N, 128).
        audio: Tokens of the sound, (B, M, 128).
        context: The words' vectors, (B, W, video width + audio width).
        video_times: Noise levels of the picture's tokens.
        audio_times: Noise level of each sample's sound, (B,).
        grids: Grids of the picture and of each guide, N tokens in total.
        fps: Frames per second.
        hearing: Whether picture and sound attend to each other.
    """
    wide = net.inner_dim
    text, audio_text = (_norm(part) for part in context.split([wide, context.shape[-1] - wide], -1))
    if torch.is_autocast_enabled(video.device.type):
        text, audio_text = text.bfloat16(), audio_text.bfloat16()
    rotations = _rotations(net, grids, audio.shape[1], fps)
    levels, sound = video_times.levels, audio_times[:, None]
    loudest = levels.amax(1, keepdim=True)
    of_video, shown = _modulation(net.adaln_single, levels, 9)
    of_audio, heard = _modulation(net.audio_adaln_single, sound, 9)
    of_text, _ = _modulation(net.prompt_adaln_single, loudest, 2)
    of_audio_text, _ = _modulation(net.audio_prompt_adaln_single, sound, 2)
    meeting = (
        _modulation(net.av_ca_video_scale_shift_adaln_single, levels, 4)[0],
        _modulation(net.av_ca_audio_scale_shift_adaln_single, sound, 4)[0],
        _modulation(net.av_ca_a2v_gate_adaln_single, sound, 1)[0],
        _modulation(net.av_ca_v2a_gate_adaln_single, loudest, 1)[0],
    )
    v, a = net.patchify_proj(video), net.audio_patchify_proj(audio)
    alone = Times(sound)
    for block in net.transformer_blocks:
        v = _listen(block, "", v, text, of_video, of_text, video_times, rotations[0])
        a = _listen(block, "audio_", a, audio_text, of_audio, of_audio_text, alone, rotations[1])
        if hearing:
            v, a = _meet(block, v, a, meeting, video_times, rotations[2], rotations[3])
        v = _think(block.ff, block.scale_shift_table, v, of_video, video_times)
        a = _think(block.audio_ff, block.audio_scale_shift_table, a, of_audio, alone)
    return (
        net.proj_out(_last(v, net.scale_shift_table, shown, video_times)),
        net.audio_proj_out(_last(a, net.audio_scale_shift_table, heard, alone)),
    )


def to_tokens(latent: Tensor) -> Tensor:
    """Return (B, C, T, H, W) of a picture or (B, C, T, F) of a sound as tokens, (B, N, channels)."""
    if latent.ndim == 5:
        return latent.flatten(2).mT
    return latent.transpose(1, 2).flatten(2)


def _norm(x: Tensor, epsilon: float = EPSILON) -> Tensor:
    normed: Tensor = _RmsNorm.apply(x, epsilon)
    return normed


def _modulation(adaln: Any, levels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` vectors by group, (B, groups, count, width), and the embedded time, (B, groups, width)."""
    scaled = (levels * 1000.0).flatten()
    values, embedded = adaln(scaled, batch_size=len(levels), hidden_dtype=torch.float32)
    return values.view(*levels.shape, count, -1), embedded.view(*levels.shape, -1)


def _as(weight: Tensor, like: Tensor) -> Tensor:
    return weight.to(like.dtype)


def _rows(table: Tensor, values: Tensor, *which: int) -> tuple[Tensor, ...]:
    """Return some rows of a table plus their terms for the noise level, by group, (B, groups, width) each."""
    table = _as(table, values)
    return tuple(table[index] + values[:, :, index] for index in which)


def _moved(x: Tensor, y: Tensor, factor: Tensor, times: Times) -> Tensor:
    """Return x + y * factor, with the factor of each token's group; x by token or by group."""
    if times.given is None:
        return torch.addcmul(x, y, factor)
    by_group = x.shape[1] != y.shape[1]
    parts = []
    for begin, end, group in times.runs():
        own = slice(group, group + 1)
        parts.append(torch.addcmul(x[:, own] if by_group else x[:, begin:end], y[:, begin:end], factor[:, own]))
    return torch.cat(parts, 1)


def _modulated(x: Tensor, shift: Tensor, scale: Tensor, times: Times) -> Tensor:
    return _moved(shift, x, 1 + scale, times)


def _listen(
    block: Any, kind: str, x: Tensor, text: Tensor, values: Tensor, of_text: Tensor, times: Times, rotation: Rotation
) -> Tensor:
    """Return x after self-attention and attention to the text."""
    table = getattr(block, f"{kind}scale_shift_table")
    shift, scale, gate = _rows(table, values, 0, 1, 2)
    attention = getattr(block, f"{kind}attn1")
    x = _moved(x, _attend(attention, _modulated(_norm(x), shift, scale, times), None, rotation, rotation), gate, times)
    shift, scale, gate = _rows(table, values, 6, 7, 8)
    text_shift, text_scale = (_as(getattr(block, f"{kind}prompt_scale_shift_table"), of_text) + of_text).unbind(2)
    words = torch.addcmul(text_shift, text, 1 + text_scale)
    heard = _attend(getattr(block, f"{kind}attn2"), _modulated(_norm(x), shift, scale, times), words)
    return _moved(x, heard, gate, times)


def _meet(
    block: Any, v: Tensor, a: Tensor, meeting: tuple[Tensor, ...], times: Times, v_turn: Rotation, a_turn: Rotation
) -> tuple[Tensor, Tensor]:
    """Return picture and sound after attention to each other, both from their previous states."""
    of_video, of_audio, gate_video, gate_audio = meeting
    video_table, audio_table = block.scale_shift_table_a2v_ca_video, block.scale_shift_table_a2v_ca_audio
    v_scale, v_shift, v_scale_back, v_shift_back = _rows(video_table, of_video, 0, 1, 2, 3)
    a_scale, a_shift, a_scale_back, a_shift_back = _rows(audio_table, of_audio, 0, 1, 2, 3)
    seen, heard = _norm(v), _norm(a)
    to_video = _attend(
        block.audio_to_video_attn,
        _modulated(seen, v_shift, v_scale, times),
        torch.addcmul(a_shift, heard, 1 + a_scale),
        v_turn,
        a_turn,
    )
    to_audio = _attend(
        block.video_to_audio_attn,
        torch.addcmul(a_shift_back, heard, 1 + a_scale_back),
        _modulated(seen, v_shift_back, v_scale_back, times),
        a_turn,
        v_turn,
    )
    to_video = torch.addcmul(v, to_video, _as(video_table[4], gate_video) + gate_video[:, :, 0])
    return to_video, torch.addcmul(a, to_audio, _as(audio_table[4], gate_audio) + gate_audio[:, :, 0])


def _think(layers: Any, table: Tensor, x: Tensor, values: Tensor, times: Times) -> Tensor:
    shift, scale, gate = _rows(table, values, 3, 4, 5)
    return _moved(x, layers(_modulated(_norm(x), shift, scale, times)), gate, times)


def _last(x: Tensor, table: Tensor, embedded: Tensor, times: Times) -> Tensor:
    shift, scale = (_as(table[index], embedded) + embedded for index in (0, 1))
    return _modulated(functional.layer_norm(x, x.shape[-1:], eps=EPSILON), shift, scale, times)


def _attend(
    attention: Any, x: Tensor, context: Tensor | None, turn: Rotation | None = None, turn_keys: Rotation | None = None
) -> Tensor:
    context = x if context is None else context
    heads = attention.heads
    query = _weighed(attention.q_norm, attention.to_q(x)).unflatten(-1, (heads, -1))
    key = _weighed(attention.k_norm, attention.to_k(context)).unflatten(-1, (heads, -1))
    value = attention.to_v(context).unflatten(-1, (heads, -1))
    if turn is not None and turn_keys is not None:
        query, key = _turn(query, turn), _turn(key, turn_keys)
    # plain products: the CPU's fused attention has a slower backward pass at these sizes
    scores = torch.einsum("bnhd,bmhd->bhnm", query * query.shape[-1] ** -0.5, key)
    mixed = torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1).to(value.dtype), value)
    mixed = mixed * (2 * torch.sigmoid(attention.to_gate_logits(x)))[..., None]
    return attention.to_out(mixed.flatten(2))


def _weighed(norm: Any, x: Tensor) -> Tensor:
    return _norm(x, norm.eps) * _as(norm.weight, x)


def _turn(x: Tensor, rotation: Rotation) -> Tensor:
    cos, sin = (_as(part, x) for part in rotation)
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)


def _rotations(net: Any, grids: tuple[Grid, ...], audio_tokens: int, fps: float) -> tuple[Rotation, ...]:
    return _cached_rotations(_Identity(net), grids, audio_tokens, fps)


class _Identity:
    """A model as a cache key: its identity, whatever its weights are."""

    def __init__(self, net: Any) -> None:
        self.net = net

    def __hash__(self) -> int:
        return id(self.net)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.net is self.net


@lru_cache(maxsize=256)
def _cached_rotations(model: _Identity, grids: tuple[Grid, ...], audio_tokens: int, fps: float) -> tuple[Rotation, ...]:
    """Return the rotations of the picture, of the sound, and of both for attention between them."""
    net = model.net
    pixels = torch.cat([grid.coordinates() for grid in grids], 2)
    pixels[:, 0] /= fps
    _, seconds = net.a_patchifier.patchify(torch.zeros(1, 8, audio_tokens, 16))
    meeting = [max(net.positional_embedding_max_pos[0], net.audio_positional_embedding_max_pos[0])]

    def turn(positions: Tensor, width: int, max_pos: list[int], heads: int) -> Rotation:
        matrix, _ = net._precompute_freqs_cis(
            positions,
            dim=width,
            out_dtype=torch.float32,
            max_pos=max_pos,
            use_middle_indices_grid=True,
            num_attention_heads=heads,
        )
        cos, sin = matrix[..., 0, 0], matrix[..., 1, 0]
        return torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)

    heads = net.audio_num_attention_heads
    return (
        turn(pixels, net.inner_dim, net.positional_embedding_max_pos, net.num_attention_heads),
        turn(seconds, net.audio_inner_dim, net.audio_positional_embedding_max_pos, heads),
        turn(pixels[:, :1], net.audio_cross_attention_dim, meeting, heads),
        turn(seconds, net.audio_cross_attention_dim, meeting, heads),
    )
