"""LTX-2.3: video and sound together; its VAE packs 8 frames of 32×32 pixels into a latent cell."""

from ltx_studio.families.family import Family
from ltx_studio.families.geometry import Geometry
from ltx_studio.families.ltx_2_3.loaders import loaders
from ltx_studio.families.ltx_2_3.memory import decode_bytes
from ltx_studio.families.ltx_2_3.presets import BALANCED, DRAFT, FAST, PRESETS, QUALITY
from ltx_studio.families.ltx_2_3.template import load_template, template_ids
from ltx_studio.families.model_set import SetFiles

GEOMETRY = Geometry(
    frame_step=8,
    max_frames=993,  # `LTXVEmptyLatentAudio` accepts at most 1000
    min_seconds=0.3,
    max_seconds=20.0,
    size_step=64,  # latent cells are 32 pixels, and stage 1 runs at half the final size
    control_size_step=128,  # a guide at half the latent's size needs an even number of cells, also at half size
    min_size=128,  # `EmptyLTXVLatentVideo` needs at least 64, and stage 1 runs at half the final size
    max_size=4096,
)

TEMPLATE_FILES = SetFiles(
    checkpoint="checkpoint",
    transformer="",
    text_projection="",
    video_vae="",
    audio_vae="",
    text_encoder="text encoder",
    text_encoder_loader="gemma",
    distilled_lora="distilled LoRA",
    distilled_strength=0.5,
    upscaler="upscaler",
)
"""The parts that the templates load; only their presence matters, not the file names."""

LTX_2_3 = Family(
    id="ltx-2.3",
    label="LTX-2.3",
    geometry=GEOMETRY,
    modes=template_ids(),
    presets=PRESETS,
    template=load_template,
    loaders=loaders,
    template_loaders=loaders(TEMPLATE_FILES),
    decode_bytes=decode_bytes,
    file_names=r"ltx\D*2[._]?3",
)

__all__ = ["BALANCED", "DRAFT", "FAST", "GEOMETRY", "LTX_2_3", "PRESETS", "QUALITY", "load_template"]
