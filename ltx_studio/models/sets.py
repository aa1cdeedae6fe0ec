"""Model sets: the loaders that each brings into a graph, the files they name, and what the set can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio.errors import RequestError
from ltx_studio.graph import Fragment
from ltx_studio.models.controls import CONTROL_MODELS

CAMERA_MOVES = ("static", "dolly-in", "dolly-out", "dolly-left", "dolly-right", "jib-up", "jib-down")
UNION, DETAILER, POSE = "union", "detailer", "pose"


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA of a model set: its file, and what one should know before relying on it (nothing, when empty)."""

    file: str
    caution: str = ""


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
        token_width: Of the transformer's picture tokens; LoRAs are made for it.
        guidance_blocks: The transformer blocks that STG perturbs; none when the set's model has no known ones.
        camera: Camera LoRAs by move.
        control: IC-LoRAs by what they are for: union, detailer, pose.
        control_models: Which controls have their models: see `CONTROL_MODELS`.
    """

    id: str
    label: str
    notice: str
    loaders: Fragment
    width: int
    height: int
    install_hint: str
    token_width: int
    guidance_blocks: tuple[int, ...]
    camera: Mapping[str, Lora] = field(default_factory=dict)
    control: Mapping[str, Lora] = field(default_factory=dict)
    control_models: frozenset[str] = frozenset()

    @property
    def is_distilled(self) -> bool:
        """Whether there is only the distilled model, which knows no guidance."""
        return self.loaders.outputs["base_model"] == self.loaders.outputs["model"]


def _loaders(
    checkpoint: str, text_encoder: Mapping[str, Any], distilled: tuple[str, float] | None, upscaler: str
) -> Fragment:
    nodes: dict[str, Mapping[str, Any]] = {
        "Model": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": checkpoint}},
        "Audio VAE": {"class_type": "LTXVAudioVAELoader", "inputs": {"ckpt_name": checkpoint}},
        "Text encoder": text_encoder,
        "Upscaler": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": upscaler}},
    }
    outputs = {
        "base_model": ("Model", 0),
        "model": ("Model", 0),
        "clip": ("Text encoder", 0),
        "video_vae": ("Model", 2),
        "audio_vae": ("Audio VAE", 0),
        "upscaler": ("Upscaler", 0),
    }
    if distilled is not None:
        file, strength = distilled
        nodes["Distilled LoRA"] = {
            "class_type": "LoraLoaderModelOnly",
            "inputs": {"lora_name": file, "strength_model": strength, "model": ["Model", 0]},
        }
        outputs["model"] = ("Distilled LoRA", 0)
    return Fragment(nodes, outputs)


_DEV_FP8 = "ltx-2.3-22b-dev-fp8.safetensors"
_DISTILLED_FP8 = "ltx-2.3-22b-distilled-fp8.safetensors"
_UPSCALER = "ltx-2.3-spatial-upscaler-x2-1.1.safetensors"
_WIDTH = 4096
"""32 heads of 128."""

_BLOCKS = (28,)
"""Of 48. LTX_2_3_PARAMS in ltx-pipelines."""


def _gemma(checkpoint: str) -> Mapping[str, Any]:
    return {
        "class_type": "LTXAVTextEncoderLoader",
        "inputs": {
            "text_encoder": "gemma_3_12B_it_fp4_mixed.safetensors",
            "ckpt_name": checkpoint,
            "device": "default",
        },
    }


_FROM_19B = "experimental: it was made for LTX-2 19B; Lightricks lists it for 2.3, others report that it does little"
_CAMERA = {move: Lora(f"ltx-2-19b-lora-camera-control-{move}.safetensors", caution=_FROM_19B) for move in CAMERA_MOVES}
_CONTROL = {
    UNION: Lora("ltx-2.3-22b-ic-lora-union-control-ref0.5.safetensors"),
    DETAILER: Lora("ltx-2-19b-ic-lora-detailer.safetensors", caution=_FROM_19B),
    POSE: Lora("ltx-2-19b-ic-lora-pose-control.safetensors", caution=_FROM_19B),
}

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
    token_width=128,
    guidance_blocks=(2,),
    camera={move: Lora(f"ltx-2.3-pocket-camera-{move}.safetensors") for move in CAMERA_MOVES},
    control={
        UNION: Lora("ltx-2.3-pocket-ic-lora-union-ref0.5.safetensors"),
        DETAILER: Lora("ltx-2.3-pocket-ic-lora-detailer.safetensors"),
        POSE: Lora("ltx-2.3-pocket-ic-lora-pose.safetensors"),
    },
)

FP8 = ModelSet(
    id="fp8",
    label="LTX-2.3 22B fp8",
    notice="",
    loaders=_loaders(
        _DEV_FP8,
        _gemma(_DEV_FP8),
        ("ltx_2.3_22b_distilled_1.1_lora_dynamic_fro09_avg_rank_111_bf16.safetensors", 0.5),
        _UPSCALER,
    ),
    width=1280,
    height=704,
    install_hint="Or use the pocket preview: `--model-set pocket`.",
    token_width=_WIDTH,
    guidance_blocks=_BLOCKS,
    camera=_CAMERA,
    control=_CONTROL,
    control_models=frozenset(CONTROL_MODELS),
)

DISTILLED_FP8 = ModelSet(
    id="distilled-fp8",
    label="LTX-2.3 22B distilled fp8",
    notice="",
    loaders=_loaders(_DISTILLED_FP8, _gemma(_DISTILLED_FP8), None, _UPSCALER),
    width=1280,
    height=704,
    install_hint="Or use the pocket preview: `--model-set pocket`.",
    token_width=_WIDTH,
    guidance_blocks=(),
    camera=_CAMERA,
    control=_CONTROL,
    control_models=frozenset(CONTROL_MODELS),
)

TEMPLATE_SET = FP8
"""The set whose loaders the mode files carry, so that they open in ComfyUI's editor as they are."""

MODEL_SETS: Mapping[str, ModelSet] = {model_set.id: model_set for model_set in (POCKET, FP8, DISTILLED_FP8)}


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
