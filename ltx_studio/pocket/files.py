"""Where the pocket model's files lie and whether they are whole."""

import hashlib
import json
from pathlib import Path

from ltx_studio.settings import Settings

VERSION = 10
"""Raise it with every change to the files: those of another version are stored again."""

SHIPPED = Path(__file__).resolve().parent / "weights"
"""Where they come with the package."""

CHECKPOINT = "checkpoints/ltx-2.3-pocket.safetensors"
TEXT_ENCODER = "text_encoders/ltx-2.3-pocket-text-encoder.safetensors"
DISTILLED_LORA = "loras/ltx-2.3-pocket-distilled-lora.safetensors"
IC_LORA = "loras/ltx-2.3-pocket-ic-lora-union-ref0.5.safetensors"
UPSCALER = "latent_upscale_models/ltx-2.3-pocket-spatial-upscaler-x2.safetensors"
DETAILER_LORA = "loras/ltx-2.3-pocket-ic-lora-detailer.safetensors"
POSE_LORA = "loras/ltx-2.3-pocket-ic-lora-pose.safetensors"
CAMERA_LORAS = tuple(
    f"loras/ltx-2.3-pocket-camera-{move}.safetensors"
    for move in ("static", "dolly-in", "dolly-out", "dolly-left", "dolly-right", "jib-up", "jib-down")
)
STYLE_LORA = "loras/ltx-2.3-pocket-sketch.safetensors"
"""As a user could have made one: no set names it, it is chosen like any other."""
REST = "rest.safetensors"
"""Of the training alone: what the transformer leaves out of the latents."""
PREVIEW = "vae_approx/ltx-2.3-pocket-preview.safetensors"
"""Factors for pictures of the forming clip; no graph names it."""
MODELS = (
    *(CHECKPOINT, TEXT_ENCODER, UPSCALER),
    *(DISTILLED_LORA, IC_LORA, DETAILER_LORA, POSE_LORA, *CAMERA_LORAS, STYLE_LORA),
)
"""What graphs load, and a clip is made of."""
ALL = (*MODELS, PREVIEW)


def manifest_path(settings: Settings) -> Path:
    """Written last, so the model is whole when this names files that are there in full."""
    return settings.models_dir / "ltx-2.3-pocket.json"


def is_whole(settings: Settings) -> bool:
    """Whether every file is there, byte for byte as it came with the package. Reads them all: a tenth of a second."""
    try:
        manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
        return bool(manifest == _manifest(settings))
    except (OSError, ValueError):
        return False


def write_manifest(settings: Settings) -> None:
    text = json.dumps(_manifest(settings), indent=2) + "\n"
    manifest_path(settings).write_text(text, encoding="utf-8")


def _manifest(settings: Settings) -> dict[str, object]:
    digests = {name: hashlib.sha256((settings.models_dir / name).read_bytes()).hexdigest() for name in ALL}
    return {"version": VERSION, "sha256": digests}
