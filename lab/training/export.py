"""Export of trained parts to the files that ComfyUI loads, in bfloat16, in the package's own folder."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lab import architecture
from lab.training.loop import has_ended, result_of
from lab.training.mannered import SKETCH
from lab.world.words import WORDS
from ltx_studio.engine.nodes.pocket_text_encoder import TABLES
from ltx_studio.pocket import files

LORAS: Mapping[str, str] = {
    "distilled_lora": files.DISTILLED_LORA,
    "control_lora": files.IC_LORA,
    "pose_lora": files.POSE_LORA,
    "detailer_lora": files.DETAILER_LORA,
    f"{SKETCH}_lora": files.STYLE_LORA,
    **{f"{Path(name).stem.removeprefix('ltx-2.3-pocket-camera-')}_lora": name for name in files.CAMERA_LORAS},
}
"""File of each trained LoRA."""


def export(folder: Path, weights: Path) -> None:
    """Write every file whose training has ended.

    Args:
        folder: The folder of the trainings' results.
        weights: The target folder, with ComfyUI's folder names inside.
    """
    if has_ended(folder, "base_model"):
        base = result_of(folder, "base_model")
        _write(weights / files.CHECKPOINT, _checkpoint(folder, base), {"config": json.dumps(architecture.CONFIG)})
        tables = {name: base[f"text.{name}"] for name in TABLES}
        _write(weights / files.TEXT_ENCODER, tables, {"words": json.dumps(WORDS)})
    if (folder / files.REST).exists():
        shutil.copyfile(folder / files.REST, weights / files.REST)
    if has_ended(folder, "upscaler"):
        upscaler = result_of(folder, "upscaler")
        _write(weights / files.UPSCALER, upscaler, {"config": json.dumps(architecture.UPSCALER)})
    if has_ended(folder, "preview"):
        _write(weights / files.PREVIEW, result_of(folder, "preview"), {})
    for part, name in LORAS.items():
        if has_ended(folder, part):
            half = {"reference_downscale_factor": str(architecture.IC_LORA_DOWNSCALE)}
            _write(weights / name, result_of(folder, part), half if name in (files.IC_LORA, files.POSE_LORA) else {})


def restore(weights: Path, folder: Path) -> None:
    """Recreate results of trainings from finished files, for parts that have none in `folder`.

    LoRAs are left out: they have to be retrained for a base model that is trained further.
    """
    checkpoint = _read(weights / files.CHECKPOINT)
    tables = {f"text.{name}": value for name, value in _read(weights / files.TEXT_ENCODER).items()}
    sound = _with(checkpoint, "audio_vae.", "autoencoder.") | _with(checkpoint, "vocoder.", "vocoder.")
    found = {
        "base_model": _with(checkpoint, "model.diffusion_model.") | tables,
        "video_vae": _with(checkpoint, "vae."),
        "audio": sound,
        "upscaler": _read(weights / files.UPSCALER),
    }
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / files.REST).exists():
        shutil.copyfile(weights / files.REST, folder / files.REST)
    for part, tensors in found.items():
        if not has_ended(folder, part):
            save_file({key: value.contiguous() for key, value in tensors.items()}, folder / f"{part}.safetensors")


def _read(path: Path) -> dict[str, Tensor]:
    return {key: value.float() if value.is_floating_point() else value for key, value in load_file(path).items()}


def _with(tensors: Mapping[str, Tensor], prefix: str, instead: str = "") -> dict[str, Tensor]:
    return {instead + key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _checkpoint(folder: Path, base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return transformer, both VAEs and the vocoder as one file."""
    video = result_of(folder, _latest(folder, "video_decoder", "video_vae"))
    audio = result_of(folder, _latest(folder, "vocoder", "audio"))
    tensors = {f"model.diffusion_model.{key}": value for key, value in base.items() if not key.startswith("text.")}
    tensors |= {f"vae.{key}": value for key, value in video.items()}
    return tensors | {key.replace("autoencoder.", "audio_vae.", 1): value for key, value in audio.items()}


def _latest(folder: Path, *names: str) -> str:
    """Return the first name whose training has ended."""
    return next(name for name in names if has_ended(folder, name))


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: _stored(key, value) for key, value in _sorted(tensors)}, path, metadata=dict(metadata))


def _sorted(tensors: Mapping[str, Tensor]) -> Iterable[tuple[str, Tensor]]:
    return sorted(tensors.items())


def _stored(key: str, value: Tensor) -> Tensor:
    """Return the value in half of the bytes, unless a small error would affect every latent."""
    exact = not value.is_floating_point() or "statistics" in key
    return (value if exact else value.to(torch.bfloat16)).contiguous()
