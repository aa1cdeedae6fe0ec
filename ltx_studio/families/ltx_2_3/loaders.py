"""The loader nodes of LTX-2.3, for a whole checkpoint or for its parts."""

from collections.abc import Mapping
from typing import Any

from ltx_studio.families.model_set import SetFiles
from ltx_studio.graph import Fragment

_Node = Mapping[str, Any]


def loaders(files: SetFiles) -> Fragment:
    """Return the nodes that load the files of a set."""
    model, encoder, video_vae, audio_vae = _whole(files) if files.checkpoint else _parts(files)
    nodes: dict[str, Mapping[str, Any]] = {"Model": model}
    outputs = {"base_model": ("Model", 0), "model": ("Model", 0), "clip": ("Text encoder", 0)}
    outputs["video_vae"] = ("Video VAE", 0) if video_vae else ("Model", 2)
    if video_vae:
        nodes["Video VAE"] = video_vae
    nodes |= {
        "Audio VAE": audio_vae,
        "Text encoder": encoder,
        "Upscaler": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": files.upscaler}},
    }
    outputs |= {"audio_vae": ("Audio VAE", 0), "upscaler": ("Upscaler", 0)}
    if files.distilled_lora:
        inputs = {"lora_name": files.distilled_lora, "strength_model": files.distilled_strength, "model": ["Model", 0]}
        nodes["Distilled LoRA"] = {"class_type": "LoraLoaderModelOnly", "inputs": inputs}
        outputs["model"] = ("Distilled LoRA", 0)
    return Fragment(nodes, outputs)


def _whole(files: SetFiles) -> tuple[_Node, _Node, _Node | None, _Node]:
    checkpoint = {"ckpt_name": files.checkpoint}
    if files.text_encoder_loader == "pocket":
        encoder = {"class_type": "PocketTextEncoderLoader", "inputs": {"text_encoder": files.text_encoder}}
    else:
        inputs = {"text_encoder": files.text_encoder, **checkpoint, "device": "default"}
        encoder = {"class_type": "LTXAVTextEncoderLoader", "inputs": inputs}
    return (
        {"class_type": "CheckpointLoaderSimple", "inputs": checkpoint},
        encoder,
        None,
        {"class_type": "LTXVAudioVAELoader", "inputs": checkpoint},
    )


def _parts(files: SetFiles) -> tuple[_Node, _Node, _Node | None, _Node]:
    encoder = {
        "clip_name1": files.text_encoder,
        "clip_name2": files.text_projection,
        "type": "ltxv",
        "device": "default",
    }
    return (
        {"class_type": "UNETLoader", "inputs": {"unet_name": files.transformer, "weight_dtype": "default"}},
        {"class_type": "DualCLIPLoader", "inputs": encoder},
        {"class_type": "VAELoader", "inputs": {"vae_name": files.video_vae}},
        {"class_type": "VAELoader", "inputs": {"vae_name": files.audio_vae}},
    )
