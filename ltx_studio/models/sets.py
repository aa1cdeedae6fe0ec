"""Model sets: the loaders that each brings into a graph, the files they name, and what one should know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.graph import Fragment


@dataclass(frozen=True, slots=True)
class ModelSet:
    """One way to load LTX-2.3.

    Attributes:
        id: What a user names it by.
        label: What a user reads.
        notice: One line that every surface shows while the set is in use; empty when there is nothing to say.
        loaders: Loader nodes with the outputs base_model, model (distilled), clip, video_vae, audio_vae, upscaler.
        width: Default width in pixels.
        height: Default height in pixels.
        install_hint: What else to do when one of its files is missing.
    """

    id: str
    label: str
    notice: str
    loaders: Fragment
    width: int
    height: int
    install_hint: str


def _loaders(checkpoint: str, text_encoder: Mapping[str, Any], distilled: tuple[str, float], upscaler: str) -> Fragment:
    nodes = {
        "Model": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "Audio VAE": {"class_type": "LTXVAudioVAELoader", "inputs": {"ckpt_name": checkpoint}},
        "Text encoder": text_encoder,
        "Distilled LoRA": {
            "class_type": "LoraLoaderModelOnly",
            "inputs": {"model": ["Model", 0], "lora_name": distilled[0], "strength_model": distilled[1]},
        },
        "Upscaler": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": upscaler}},
    }
    outputs = {
        "base_model": ("Model", 0),
        "model": ("Distilled LoRA", 0),
        "clip": ("Text encoder", 0),
        "video_vae": ("Model", 2),
        "audio_vae": ("Audio VAE", 0),
        "upscaler": ("Upscaler", 0),
    }
    return Fragment(nodes, outputs)


_FP8_CHECKPOINT = "ltx-2.3-22b-dev-fp8.safetensors"

POCKET = ModelSet(
    id="pocket",
    label="Pocket preview",
    notice="Pocket preview: a tiny untrained LTX-2.3 with random weights. It proves the machine, not the picture.",
    loaders=_loaders(
        "ltx-2.3-pocket.safetensors",
        {
            "class_type": "PocketTextEncoderLoader",
            "inputs": {"text_encoder": "ltx-2.3-pocket-text-encoder.safetensors"},
        },
        ("ltx-2.3-pocket-distilled-lora.safetensors", 0.5),
        "ltx-2.3-pocket-spatial-upscaler-x2.safetensors",
    ),
    width=256,
    height=192,
    install_hint="Build it again: `ltx-studio setup`.",
)

FP8 = ModelSet(
    id="fp8",
    label="LTX-2.3 22B fp8",
    notice="",
    loaders=_loaders(
        _FP8_CHECKPOINT,
        {
            "class_type": "LTXAVTextEncoderLoader",
            "inputs": {
                "text_encoder": "gemma_3_12B_it_fp4_mixed.safetensors",
                "ckpt_name": _FP8_CHECKPOINT,
                "device": "default",
            },
        },
        ("ltx_2.3_22b_distilled_1.1_lora_dynamic_fro09_avg_rank_111_bf16.safetensors", 0.5),
        "ltx-2.3-spatial-upscaler-x2-1.1.safetensors",
    ),
    width=1280,
    height=704,
    install_hint="Or use the pocket preview: `--model-set pocket`.",
)

TEMPLATE_SET = FP8
"""The set whose loaders the mode files carry, so that they open in ComfyUI's editor as they are."""

MODEL_SETS: Mapping[str, ModelSet] = {model_set.id: model_set for model_set in (POCKET, FP8)}


def get_model_set(model_set_id: str) -> ModelSet:
    """Look a set up.

    Raises:
        RequestError: There is no such set.
    """
    try:
        return MODEL_SETS[model_set_id]
    except KeyError:
        raise RequestError(
            f"There is no model set {model_set_id!r}.", f"Choose one of: {', '.join(MODEL_SETS)}."
        ) from None
