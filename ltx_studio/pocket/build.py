"""Builds the pocket model's files: seeded random weights in the layout that ComfyUI's own loaders take."""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ltx_studio.pocket import files, recipe
from ltx_studio.settings import Settings

Tensors = dict[str, Any]


def build(settings: Settings) -> None:
    """Write every file, each in one piece. ComfyUI must be booted, because the networks are its own classes."""
    import torch

    generator = torch.Generator().manual_seed(recipe.SEED)
    parts: Mapping[str, Callable[[Any], tuple[Tensors, dict[str, str]]]] = {
        files.CHECKPOINT: _checkpoint,
        files.TEXT_ENCODER: _text_encoder,
        files.DISTILLED_LORA: _plain_lora,
        files.IC_LORA: _ic_lora,
        files.UPSCALER: _upscaler,
        **dict.fromkeys((files.DETAILER_LORA, files.POSE_LORA, *files.CAMERA_LORAS), _plain_lora),
    }
    for name, make in parts.items():
        tensors, metadata = make(generator)
        _save(settings.models_dir / name, tensors, metadata)
    files.write_manifest(settings)


def _save(path: Path, tensors: Tensors, metadata: dict[str, str]) -> None:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        save_file(tensors, partial, metadata=metadata)
        partial.chmod(0o644)  # safetensors makes them private, and a ComfyUI of another user may share the folder
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _checkpoint(generator: Any) -> tuple[Tensors, dict[str, str]]:
    import torch
    from comfy.ldm.lightricks.av_model import LTXAVModel
    from comfy.ldm.lightricks.vae.audio_vae import AudioVAE

    config = {
        "transformer": recipe.TRANSFORMER,
        "vae": recipe.VIDEO_VAE,
        "audio_vae": recipe.AUDIO_VAE,
        "vocoder": recipe.VOCODER,
    }
    transformer = LTXAVModel(**recipe.TRANSFORMER, dtype=torch.float32, device="cpu", operations=torch.nn)
    audio = AudioVAE({"config": json.dumps({key: config[key] for key in ("audio_vae", "vocoder")})})
    tensors = {f"model.diffusion_model.{key}": value for key, value in _weights(transformer, generator).items()}
    tensors |= {f"vae.{key}": value for key, value in _video_vae(generator).items()}
    for key, value in _weights(audio, generator).items():
        tensors[key.replace("autoencoder.", "audio_vae.", 1)] = value
    return tensors, {"config": json.dumps(config)}


def _video_vae(generator: Any) -> Tensors:
    """The last convolution paints each patch in one colour: an untrained model shows tiles instead of static."""
    from comfy.ldm.lightricks.vae.causal_video_autoencoder import VideoVAE

    weights = _weights(VideoVAE(config=recipe.VIDEO_VAE), generator)
    name = "decoder.conv_out.conv.weight"
    patch = recipe.VIDEO_VAE["patch_size"] ** 2
    weights[name] = weights[name][::patch].repeat_interleave(patch, dim=0).contiguous()
    return weights


def _upscaler(generator: Any) -> tuple[Tensors, dict[str, str]]:
    import torch
    from comfy.ldm.lightricks.latent_upsampler import LatentUpsampler

    upsampler = LatentUpsampler.from_config(recipe.UPSCALER, operations=torch.nn)
    return _weights(upsampler, generator), {"config": json.dumps(recipe.UPSCALER)}


def _text_encoder(generator: Any) -> tuple[Tensors, dict[str, str]]:
    import torch

    return {"table": torch.randn(recipe.TEXT_ROWS, recipe.TEXT_WIDTH, generator=generator)}, {}


def _plain_lora(generator: Any) -> tuple[Tensors, dict[str, str]]:
    return _lora(generator), {}


def _ic_lora(generator: Any) -> tuple[Tensors, dict[str, str]]:
    return _lora(generator), {"reference_downscale_factor": str(recipe.IC_LORA_DOWNSCALE)}


def _lora(generator: Any) -> Tensors:
    """A low-rank change of every block's video self-attention."""
    import torch

    width = recipe.HEADS * recipe.HEAD_WIDTH
    tensors = {}
    for block in range(recipe.TRANSFORMER["num_layers"]):
        for layer in ("to_q", "to_k", "to_v", "to_out.0"):
            key = f"diffusion_model.transformer_blocks.{block}.attn1.{layer}"
            down = torch.randn(recipe.LORA_RANK, width, generator=generator) / math.sqrt(width)
            tensors[f"{key}.lora_A.weight"] = down
            tensors[f"{key}.lora_B.weight"] = torch.randn(width, recipe.LORA_RANK, generator=generator) * 0.1
    return tensors


def _weights(module: Any, generator: Any) -> Tensors:
    """Random weights that keep a signal's scale; norms as they are, biases zero, latents at unit scale."""
    import torch

    weights = {}
    for name, value in module.state_dict().items():
        if not value.is_floating_point():
            weights[name] = value.contiguous()
        elif "std-of-means" in name:
            weights[name] = torch.ones(value.shape)
        elif value.ndim > 1:
            fan_in = value[0].numel()
            weights[name] = torch.randn(value.shape, generator=generator) / math.sqrt(fan_in)
        elif name.endswith("weight"):  # of a norm: with zeros nothing would go through
            weights[name] = torch.ones(value.shape)
        else:
            weights[name] = torch.zeros(value.shape)
    return weights
