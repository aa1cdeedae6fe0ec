"""The presets of LTX-2.3: how the model is sampled. Each changes the graph, and knows its cost in model passes.

The values are Lightricks' own: Fast from ComfyUI's LTX-2.3 templates, Balanced LTX_2_3_PARAMS and Quality
LTX_2_3_HQ_PARAMS of ltx-pipelines, with SEEDS-2 (phi_2, r ½) in place of its res_2s sampler: both are second-order
exponential steps with noise, and ComfyUI's core has no nearer one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from ltx_studio.errors import RequestError
from ltx_studio.families.model_set import ModelSet
from ltx_studio.families.preset import Preset, Tuning
from ltx_studio.graph import Graph

REFINE_SIGMAS = "0.909375, 0.725, 0.421875, 0.0"
"""Stage 2 in ltx-pipelines, after a stage 1 without distillation."""

STAGE_2_STEPS = 3

EULER, SEEDS_2, LTXV = "euler", "seeds_2", "ltxv"
"""Sampler names in ComfyUI (SEEDS-2 runs the model twice per step except the last), and LTX's own noise schedule."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """Guidance of one modality; off by default. After `MultiModalGuiderParams` of ltx-core.

    Attributes:
        cfg: Strength away from the negative prompt; 1 is off.
        stg: Strength away from a model with self-attention bypassed in some blocks; 0 is off.
        rescale: How far the result's standard deviation is restored to the unguided one's, 0 to 1.
        modality: Strength away from a model without attention between picture and sound; 1 is off.
    """

    cfg: float = 1.0
    stg: float = 0.0
    rescale: float = 0.0
    modality: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LtxPreset(Preset):
    """A way to sample LTX-2.3.

    Attributes:
        about: One sentence that describes it in two stages.
        about_one: The same for one stage.
        steps: Steps of stage 1.
        sampler: ComfyUI's name of the sampler, for every stage; empty for those of the mode's template.
        schedule: The noise schedule of stage 1 if the preset is guided: the model's own, or ComfyUI's name of another.
        distilled: Strength of the distilled LoRA in stage 1 and in stage 2.
        video: Guidance of the picture in stage 1; None disables guidance of both.
        audio: Guidance of the sound in stage 1.
        scheduled_by_size: Whether the model's own noise schedule follows the latent's size.
        has_own_guidance: Whether the user chose the guidance of the picture.
    """

    about: str
    about_one: str
    steps: int = 8
    sampler: str = ""
    schedule: str = LTXV
    distilled: tuple[float, float] = (0.5, 0.5)
    video: Guidance | None = None
    audio: Guidance = Guidance()
    scheduled_by_size: bool = False
    has_own_guidance: bool = False

    @property
    def guided(self) -> bool:
        """Return whether the negative prompt and the other guidance have an effect."""
        return self.video is not None

    def tunable(self) -> Mapping[str, int | float | str]:
        """Return its values of what `Tuning` can change, by name; what is not named has no effect in it."""
        if self.video is None:
            return {"sampler": self.sampler}
        return {
            "steps": self.steps,
            "guidance": self.video.cfg,
            "sound_guidance": self.audio.cfg,
            "stg": self.video.stg,
            "sampler": self.sampler,
            "schedule": self.schedule,
        }

    def tuned(self, tuning: Tuning) -> Self:
        """Return the preset with these changes; those that have no effect in it are ignored."""
        changed = replace(self, sampler=tuning.sampler or self.sampler)
        if self.video is None:
            return changed
        picture, sound, stg = tuning.guidance, tuning.sound_guidance, tuning.stg
        perturbed = {} if stg is None else {"stg": stg}
        return replace(
            changed,
            steps=tuning.steps or self.steps,
            schedule=tuning.schedule or self.schedule,
            video=replace(self.video, cfg=self.video.cfg if picture is None else picture, **perturbed),
            audio=replace(self.audio, cfg=self.audio.cfg if sound is None else sound, **perturbed),
            has_own_guidance=picture is not None,
        )

    def refusal(self, model_set: ModelSet) -> str:
        """Return why it cannot be used with `model_set`; empty if it can."""
        if self.guided and model_set.is_distilled:
            return f"{model_set.label} only has the distilled model; {self.label} needs the dev model."
        return ""

    def description(self, model_set: ModelSet, *, stages: int) -> str:
        """Return its description in a mode with `stages` sampling stages, and how it differs with `model_set`."""
        about = self.about if stages > 1 else self.about_one
        if self.video is not None and not model_set.guidance_blocks:
            return f"{about} With {model_set.label}: plain CFG {self.video.cfg:g} for both picture and sound."
        return about

    def passes(self, model_set: ModelSet, *, stages: int) -> tuple[int, ...]:
        """Return the rows through the model for each stage of a mode that has `stages` of them."""
        rows = 1
        if self.video is not None and model_set.guidance_blocks:
            rows += _acts(self.video.cfg, self.audio.cfg, off=1) + _acts(self.video.stg, self.audio.stg, off=0)
            rows += _acts(self.video.modality, self.audio.modality, off=1)
        elif self.guided:
            rows += 1
        first = self._evaluations(self.steps) * rows
        return (first,) if self.draft or stages == 1 else (first, self._evaluations(STAGE_2_STEPS))

    def _evaluations(self, steps: int) -> int:
        return 2 * steps - 1 if self.sampler == SEEDS_2 else steps

    def apply(
        self, graph: Graph, model_set: ModelSet, *, sound_is_given: bool, keep_first_sound: bool, refuses: bool
    ) -> None:
        """Modify `graph`, a mode's template made for Fast, with the loaders of `model_set`.

        Args:
            graph: The graph to modify.
            model_set: The model set whose loaders it has.
            sound_is_given: Whether the mode generates no sound.
            keep_first_sound: Whether the sound of stage 1 is final.
            refuses: Whether the user gave a negative prompt.

        Raises:
            RequestError: The model set does not support it.
        """
        refusal = self.refusal(model_set)
        if refusal:
            raise RequestError(refusal, "Choose the preset Fast or Draft, or another model set.")
        self._distil(graph, model_set)
        if self.video is not None:
            stronger = model_set.negative_guidance if refuses and not self.has_own_guidance else None
            cfg = stronger or self.video.cfg
            self._guide(graph, replace(self.video, cfg=cfg), Guidance() if sound_is_given else self.audio, model_set)
        if self.sampler:
            for title in ("Stage 1 sampler", "Stage 2 sampler"):
                if title in graph:
                    graph.replace(title, self._sampler())
        if self.draft and "Stage 2" in graph:
            graph.connect("Decode video", "samples", graph.source("Upscale", "samples"))
        if (self.draft or (self.guided and keep_first_sound)) and "Decode audio" in graph:
            graph.connect("Decode audio", "samples", ("Stage 1 split", 1))

    def _distil(self, graph: Graph, model_set: ModelSet) -> None:
        if model_set.is_distilled:
            return
        first, second = self.distilled
        shared = model_set.loaders.outputs["model"][0]
        graph[shared].strength_model = second
        if first == second:
            return
        chain = ("IC-LoRA", "model") if "IC-LoRA" in graph else ("Stage 1 guidance", "model")
        graph.connect(*chain, model_set.loaders.outputs["base_model"])
        if first:
            inputs = {"lora_name": graph[shared].lora_name, "strength_model": first}
            node = {"class_type": "LoraLoaderModelOnly", "inputs": inputs}
            graph.insert("Stage 1 distilled LoRA", node, on=chain, through="model")

    def _guide(self, graph: Graph, video: Guidance, audio: Guidance, model_set: ModelSet) -> None:
        graph.replace("Stage 1 guidance", _guider(video, audio, model_set.guidance_blocks))
        if self.schedule == LTXV:
            graph.replace("Stage 1 sigmas", _scheduler(self.steps, by_size=self.scheduled_by_size))
        else:
            inputs = {"scheduler": self.schedule, "steps": self.steps, "denoise": 1.0}
            graph.replace("Stage 1 sigmas", {"class_type": "BasicScheduler", "inputs": inputs})
            graph.connect("Stage 1 sigmas", "model", graph.source("Stage 1 guidance", "model"))
        if "Stage 2" in graph:
            graph["Stage 2 sigmas"].sigmas = REFINE_SIGMAS

    def _sampler(self) -> Mapping[str, Any]:
        if self.sampler == SEEDS_2:
            inputs = {"solver_type": "phi_2", "eta": 0.5, "s_noise": 1.0, "r": 0.5}
            return {"class_type": "SamplerSEEDS2", "inputs": inputs}
        return {"class_type": "KSamplerSelect", "inputs": {"sampler_name": self.sampler}}


def _acts(*strengths: float, off: float) -> int:
    return int(any(not math.isclose(strength, off) for strength in strengths))


def _guider(video: Guidance, audio: Guidance, blocks: tuple[int, ...]) -> Mapping[str, Any]:
    links = {"model": None, "positive": None, "negative": None}
    if not blocks:
        return {"class_type": "CFGGuider", "inputs": {**links, "cfg": video.cfg}}
    strengths = {
        f"{name}_{what}": getattr(guidance, what)
        for name, guidance in (("video", video), ("audio", audio))
        for what in ("cfg", "stg", "rescale", "modality")
    }
    stg_blocks = ", ".join(str(block) for block in blocks)
    return {"class_type": "LTXStudioGuider", "inputs": {**links, **strengths, "stg_blocks": stg_blocks}}


def _scheduler(steps: int, *, by_size: bool) -> Mapping[str, Any]:
    inputs: dict[str, Any] = {"steps": steps, "max_shift": 2.05, "base_shift": 0.95, "stretch": True, "terminal": 0.1}
    if by_size:
        inputs["latent"] = ["Empty video", 0]
    return {"class_type": "LTXVScheduler", "inputs": inputs}


FAST = LtxPreset(
    id="fast",
    label="Fast",
    about="Good for most clips. The distilled model: 8 steps at half size, then 3 at full size; no guidance.",
    about_one="Good for most clips. The distilled model in 8 steps; no guidance.",
)
BALANCED = LtxPreset(
    id="balanced",
    label="Balanced",
    about="The slowest preset. The dev model: 30 guided steps at half size, then 3 distilled steps at full size.",
    about_one="The slowest preset. The dev model in 30 guided steps.",
    steps=30,
    sampler=EULER,
    distilled=(0.0, 1.0),
    video=Guidance(cfg=3.0, stg=1.0, rescale=0.7, modality=3.0),
    audio=Guidance(cfg=7.0, stg=1.0, rescale=0.7, modality=3.0),
)
QUALITY = LtxPreset(
    id="quality",
    label="Quality",
    about="Best quality. Lightricks' HQ recipe with SEEDS-2: 15 guided steps at half size, then 3 at full size.",
    about_one="Best quality. Lightricks' HQ recipe with SEEDS-2: 15 guided steps.",
    steps=15,
    sampler=SEEDS_2,
    distilled=(0.25, 0.5),
    video=Guidance(cfg=3.0, stg=0.0, rescale=0.45, modality=3.0),
    audio=Guidance(cfg=7.0, stg=0.0, rescale=1.0, modality=3.0),
    scheduled_by_size=True,
)
DRAFT = LtxPreset(
    id="draft",
    label="Draft",
    about="Half-size preview, for trying ideas: stage 1 of Fast.",
    about_one="Half-size preview, for trying ideas: Fast at half width and height.",
    draft=True,
)

PRESETS: Mapping[str, Preset] = {preset.id: preset for preset in (FAST, BALANCED, QUALITY, DRAFT)}
