"""A model set: the loaders that it brings into a graph, and what it can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ltx_studio.graph import Fragment

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
        token_width: Of the transformer's picture tokens; LoRAs are made for it.
        guidance_blocks: The transformer blocks that STG perturbs; none when the set's model has no known ones.
        negative_guidance: Classifier-free guidance of the picture where the user names what is not wanted; None is that
            of the presets' recipes.
        preview: Its file in ``vae_approx`` with the factors that make small pictures of its VAE's latents; those that
            ComfyUI has for LTX when empty.
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
    token_width: int
    guidance_blocks: tuple[int, ...]
    negative_guidance: float | None = None
    preview: str = ""
    camera: Mapping[str, Lora] = field(default_factory=dict)
    control: Mapping[str, Lora] = field(default_factory=dict)
    control_models: frozenset[str] = frozenset()

    @property
    def is_distilled(self) -> bool:
        """Whether there is only the distilled model, which knows no guidance."""
        return self.loaders.outputs["base_model"] == self.loaders.outputs["model"]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which file does what in a set; empty where there is none.

    The model is either one `checkpoint`, or `transformer`, `text_projection`, `video_vae` and `audio_vae`.
    """

    checkpoint: str
    transformer: str
    text_projection: str
    video_vae: str
    audio_vae: str
    text_encoder: str
    text_encoder_loader: str
    distilled_lora: str
    distilled_strength: float
    upscaler: str


def loaders(roles: Roles) -> Fragment:
    """The nodes that load a set's files."""
    model, encoder, video_vae, audio_vae = _whole(roles) if roles.checkpoint else _parts(roles)
    nodes: dict[str, Mapping[str, Any]] = {"Model": model}
    outputs = {"base_model": ("Model", 0), "model": ("Model", 0), "clip": ("Text encoder", 0)}
    outputs["video_vae"] = ("Video VAE", 0) if video_vae else ("Model", 2)
    if video_vae:
        nodes["Video VAE"] = video_vae
    nodes |= {
        "Audio VAE": audio_vae,
        "Text encoder": encoder,
        "Upscaler": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": roles.upscaler}},
    }
    outputs |= {"audio_vae": ("Audio VAE", 0), "upscaler": ("Upscaler", 0)}
    if roles.distilled_lora:
        inputs = {"lora_name": roles.distilled_lora, "strength_model": roles.distilled_strength, "model": ["Model", 0]}
        nodes["Distilled LoRA"] = {"class_type": "LoraLoaderModelOnly", "inputs": inputs}
        outputs["model"] = ("Distilled LoRA", 0)
    return Fragment(nodes, outputs)


_Node = Mapping[str, Any]


def _whole(roles: Roles) -> tuple[_Node, _Node, _Node | None, _Node]:
    checkpoint = {"ckpt_name": roles.checkpoint}
    if roles.text_encoder_loader == "pocket":
        encoder = {"class_type": "PocketTextEncoderLoader", "inputs": {"text_encoder": roles.text_encoder}}
    else:
        inputs = {"text_encoder": roles.text_encoder, **checkpoint, "device": "default"}
        encoder = {"class_type": "LTXAVTextEncoderLoader", "inputs": inputs}
    return (
        {"class_type": "CheckpointLoaderSimple", "inputs": checkpoint},
        encoder,
        None,
        {"class_type": "LTXVAudioVAELoader", "inputs": checkpoint},
    )


def _parts(roles: Roles) -> tuple[_Node, _Node, _Node | None, _Node]:
    encoder = {
        "clip_name1": roles.text_encoder,
        "clip_name2": roles.text_projection,
        "type": "ltxv",
        "device": "default",
    }
    return (
        {"class_type": "UNETLoader", "inputs": {"unet_name": roles.transformer, "weight_dtype": "default"}},
        {"class_type": "DualCLIPLoader", "inputs": encoder},
        {"class_type": "VAELoader", "inputs": {"vae_name": roles.video_vae}},
        {"class_type": "VAELoader", "inputs": {"vae_name": roles.audio_vae}},
    )
