"""The pocket model's files: where they are, and whether they are complete."""

import hashlib
import json
from pathlib import Path

from ltx_studio.settings import Settings

VERSION = 10
"""Increase it with every change to the files: those of another version are stored again."""

SHIPPED = Path(__file__).resolve().parent / "weights"
"""The folder in which they come with the package."""

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
"""A LoRA as a user could have made it: no set names it, it is chosen like any other."""
REST = "rest.safetensors"
"""Used in training only: what the transformer leaves out of the latents."""
PREVIEW = "vae_approx/ltx-2.3-pocket-preview.safetensors"
"""Factors for live previews; no graph names it."""
MODELS = (
    *(CHECKPOINT, TEXT_ENCODER, UPSCALER),
    *(DISTILLED_LORA, IC_LORA, DETAILER_LORA, POSE_LORA, *CAMERA_LORAS, STYLE_LORA),
)
"""The files that graphs load to make a clip."""
ALL = (*MODELS, PREVIEW)


def manifest_path(settings: Settings) -> Path:
    """Return the path of the manifest, which is written last: the model is complete if its files match the manifest."""
    return settings.models_dir / "ltx-2.3-pocket.json"


def is_whole(settings: Settings) -> bool:
    """Return whether every file matches the package byte for byte. Reads them all, which takes a tenth of a second."""
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
