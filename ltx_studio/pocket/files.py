"""Where the pocket model's files lie and whether they are whole."""

import json
from collections.abc import Mapping
from pathlib import Path

from ltx_studio.pocket import recipe
from ltx_studio.settings import Settings

CHECKPOINT = "checkpoints/ltx-2.3-pocket.safetensors"
TEXT_ENCODER = "text_encoders/ltx-2.3-pocket-text-encoder.safetensors"
DISTILLED_LORA = "loras/ltx-2.3-pocket-distilled-lora.safetensors"
IC_LORA = "loras/ltx-2.3-pocket-ic-lora-union-ref0.5.safetensors"
UPSCALER = "latent_upscale_models/ltx-2.3-pocket-spatial-upscaler-x2.safetensors"
ALL = (CHECKPOINT, TEXT_ENCODER, DISTILLED_LORA, IC_LORA, UPSCALER)


def manifest_path(settings: Settings) -> Path:
    """Written last, so the model is whole when this names files that are there in full."""
    return settings.models_dir / "ltx-2.3-pocket.json"


def is_whole(settings: Settings) -> bool:
    """Whether every file is there, in the size and version that `build` wrote."""
    try:
        manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
        sizes = {name: (settings.models_dir / name).stat().st_size for name in ALL}
    except (OSError, ValueError):
        return False
    return bool(manifest == {"version": recipe.VERSION, "bytes": sizes})


def write_manifest(settings: Settings, sizes: Mapping[str, int]) -> None:
    manifest = {"version": recipe.VERSION, "bytes": dict(sizes)}
    manifest_path(settings).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
