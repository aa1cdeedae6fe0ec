"""A model set: files that belong together, how a graph loads them, and what they support."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ltx_studio.graph import Fragment

if TYPE_CHECKING:
    from ltx_studio.families.family import Family

CAMERA_MOVES = ("static", "dolly-in", "dolly-out", "dolly-left", "dolly-right", "jib-up", "jib-down")
UNION, DETAILER, POSE = "union", "detailer", "pose"


@dataclass(frozen=True, slots=True)
class SetFiles:
    """The file for each part of a set; empty if there is none.

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


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA of a model set: its file, and a caution before relying on it (empty if there is none)."""

    file: str
    caution: str = ""


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A set of files that belong together.

    Attributes:
        id: The id that users refer to it by.
        label: The name that users see.
        family: Its architecture: templates, presets and geometry.
        notice: One line that every interface shows while the set is in use; may be empty.
        loaders: Loader nodes with the outputs base_model, model (distilled), clip, video_vae, audio_vae, upscaler.
        width: Default width in pixels.
        height: Default height in pixels.
        token_width: Width of the transformer's picture tokens; a LoRA must match it.
        guidance_blocks: The transformer blocks that STG perturbs; empty if none are known for the set's model.
        negative_guidance: Classifier-free guidance of the picture if the user gave a negative prompt; None is that
            of the presets' recipes.
        preview: Its file in ``vae_approx`` with the factors for previews of its VAE's latents; empty for
            those that ComfyUI has for LTX.
        camera: Camera LoRAs by move.
        control: IC-LoRAs by purpose: union, detailer, pose.
        control_models: The controls whose models it has: see `CONTROL_MODELS`.
        is_preview: Whether it only lets users try the studio: it needs prompts of its own.
    """

    id: str
    label: str
    family: "Family"
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
    is_preview: bool = False

    @property
    def is_distilled(self) -> bool:
        """Return whether the set has only the distilled model, which does not support guidance."""
        return self.loaders.outputs["base_model"] == self.loaders.outputs["model"]
