"""A second model family for tests: the pocket weights under other loaders, a template and a preset of its own.

Its clips have ``16k + 1`` frames, and it makes videos from text only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltx_studio.families import LTX_2_3, Family, Geometry, ModelSet, Preset, SetFiles
from ltx_studio.graph import Fragment, Graph

GEOMETRY = Geometry(
    frame_step=16,
    max_frames=97,
    min_seconds=0.5,
    max_seconds=4.0,
    size_step=128,
    control_size_step=128,
    min_size=128,
    max_size=512,
)

MODELS_TOML = """
[sets.tiny]
based_on = "pocket"
family = "tiny"
label = "Tiny"
width = 128
height = 128
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Preset):
    """Samples stage 1 in a few steps."""

    steps: int

    @property
    def guided(self) -> bool:
        return False

    def refusal(self, model_set: ModelSet) -> str:
        return ""

    def description(self, model_set: ModelSet, *, stages: int) -> str:
        return f"{self.steps} steps."

    def passes(self, model_set: ModelSet, *, stages: int) -> tuple[int, ...]:
        return (self.steps, 1)

    def apply(
        self, graph: Graph, model_set: ModelSet, *, sound_is_given: bool, keep_first_sound: bool, refuses: bool
    ) -> None:
        sigmas = [1 - step / self.steps for step in range(self.steps + 1)]
        graph["Stage 1 sigmas"].sigmas = ", ".join(f"{sigma:g}" for sigma in sigmas)
        graph["Stage 2 sigmas"].sigmas = "0.5, 0.0"


def loaders(files: SetFiles) -> Fragment:
    """Return the loader nodes: the weights are read twice, so that model and decoder have nodes of their own."""
    weights = {"ckpt_name": files.checkpoint}
    nodes: dict[str, Mapping[str, Any]] = {
        "Weights": {"class_type": "CheckpointLoaderSimple", "inputs": weights},
        "Picture decoder": {"class_type": "CheckpointLoaderSimple", "inputs": weights},
        "Sound decoder": {"class_type": "LTXVAudioVAELoader", "inputs": weights},
        "Reader": {"class_type": "PocketTextEncoderLoader", "inputs": {"text_encoder": files.text_encoder}},
        "Enlarger": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": files.upscaler}},
        "Speed": {
            "class_type": "LoraLoaderModelOnly",
            "inputs": {"lora_name": files.distilled_lora, "strength_model": 0.5, "model": ["Weights", 0]},
        },
    }
    outputs = {
        "base_model": ("Weights", 0),
        "model": ("Speed", 0),
        "clip": ("Reader", 0),
        "video_vae": ("Picture decoder", 2),
        "audio_vae": ("Sound decoder", 0),
        "upscaler": ("Enlarger", 0),
    }
    return Fragment(nodes, outputs)


TEMPLATE_LOADERS = loaders(
    SetFiles(
        checkpoint="",
        transformer="",
        text_projection="",
        video_vae="",
        audio_vae="",
        text_encoder="",
        text_encoder_loader="",
        distilled_lora="",
        distilled_strength=0.5,
        upscaler="",
    )
)


def template(mode_id: str) -> Graph:
    """Return LTX-2.3's template with this family's loaders in it, and without tiles when the picture is decoded."""
    graph = LTX_2_3.template(mode_id)
    graph.attach(TEMPLATE_LOADERS, instead_of=LTX_2_3.template_loaders)
    graph.replace("Decode video", {"class_type": "VAEDecode", "inputs": {"samples": None, "vae": None}})
    return graph


TINY = Family(
    id="tiny",
    label="Tiny",
    geometry=GEOMETRY,
    modes=frozenset({"t2v"}),
    presets={"swift": Steps(id="swift", label="Swift", steps=2), "calm": Steps(id="calm", label="Calm", steps=4)},
    template=template,
    loaders=loaders,
    template_loaders=TEMPLATE_LOADERS,
)
