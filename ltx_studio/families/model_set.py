"""A model set: files that belong together, how a graph loads them, and what they can do."""

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
    """The file for each part of a set; empty where there is none.

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
    """A LoRA of a model set: its file, and what to know before relying on it (empty when there is nothing)."""

    file: str
    caution: str = ""


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Files that belong together.

    Attributes:
        id: What a user names it by.
        label: What a user reads.
        family: Its architecture: templates, presets and geometry.
        notice: One line that every interface shows while the set is in use; empty when there is nothing to say.
        loaders: Loader nodes with the outputs base_model, model (distilled), clip, video_vae, audio_vae, upscaler.
        width: Default width in pixels.
        height: Default height in pixels.
        token_width: Width of the transformer's picture tokens; LoRAs are made for it.
        guidance_blocks: The transformer blocks that STG perturbs; empty when the set's model has no known ones.
        negative_guidance: Classifier-free guidance of the picture where the user names what is not wanted; None is that
            of the presets' recipes.
        preview: Its file in ``vae_approx`` with the factors that make small pictures of its VAE's latents; empty for
            those that ComfyUI has for LTX.
        camera: Camera LoRAs by move.
        control: IC-LoRAs by what they are for: union, detailer, pose.
        control_models: Which controls have their models: see `CONTROL_MODELS`.
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

    @property
    def is_distilled(self) -> bool:
        """Whether there is only the distilled model, which knows no guidance."""
        return self.loaders.outputs["base_model"] == self.loaders.outputs["model"]
