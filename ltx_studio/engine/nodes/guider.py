"""Guidance of picture and sound apart, as Lightricks' own pipelines do it and ComfyUI's core before 0.32 cannot.

At each step the model is asked up to four times: as it is, with the negative prompt, with the self-attention of some
blocks bypassed (STG), and with picture and sound deaf to each other. The result moves away from the last three, for
picture and sound with strengths of their own. `combine` is `MultiModalGuider.calculate` of ltx-core, and the bypass is
its `Attention` with `all_perturbed`; tests hold both against that package.
"""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

STRENGTHS = ("cfg", "stg", "rescale", "modality")


@dataclass(frozen=True)
class Strengths:
    """Of one modality. Off: cfg 1, stg 0, rescale 0, modality 1."""

    cfg: float = 1.0
    stg: float = 0.0
    rescale: float = 0.0
    modality: float = 1.0


def combine(cond: Any, negative: Any, perturbed: Any, isolated: Any, strengths: Strengths) -> Any:
    """The guided prediction of one modality, from predictions of one shape; those that are off may be 0."""
    guided = (
        cond
        + (strengths.cfg - 1) * (cond - negative)
        + strengths.stg * (cond - perturbed)
        + (strengths.modality - 1) * (cond - isolated)
    )
    if strengths.rescale:
        spread = cond.std() / guided.std()
        guided = guided * (strengths.rescale * spread + (1 - strengths.rescale))
    return guided


def values_only(attention: Any, x: Any) -> Any:
    """What is left of a `CrossAttention` when every token attends to itself alone: (batch, tokens, width) → same."""
    import torch

    out = attention.to_v(x)
    if attention.to_gate_logits is not None:
        gates = 2.0 * torch.sigmoid(attention.to_gate_logits(x))
        out = (out.unflatten(-1, (attention.heads, attention.dim_head)) * gates.unsqueeze(-1)).flatten(-2)
    return attention.to_out(out)


@contextmanager
def bypassed(attentions: Sequence[Any]) -> Iterator[None]:
    """Let `attentions` pass their values through for a while."""
    for attention in attentions:

        def forward(x: Any, *_: Any, module: Any = attention, **__: Any) -> Any:
            return values_only(module, x)

        attention.forward = forward
    try:
        yield
    finally:
        for attention in attentions:
            del attention.forward  # the class's own comes back into sight


@cache
def _guider_class() -> Any:
    """A subclass of ComfyUI's guider; made late, because ComfyUI is not imported before it boots."""
    import comfy.samplers

    class MultimodalGuider(comfy.samplers.CFGGuider):  # type: ignore[misc]  # comfy is not followed
        video = audio = Strengths()
        blocks: tuple[int, ...] = ()
        pictures = 0
        """Numbers of the packed latent that belong to the picture; the others are the sound's. 0: there is no sound."""

        def set_guidance(self, video: Strengths, audio: Strengths, blocks: tuple[int, ...]) -> None:
            self.video, self.audio, self.blocks = video, audio, blocks
            self.cfg = video.cfg if not math.isclose(video.cfg, 1) else audio.cfg

        def sample(self, noise: Any, latent_image: Any, *args: Any, **kwargs: Any) -> Any:
            parts: Sequence[Any] = latent_image.unbind() if latent_image.is_nested else ()
            self.pictures = math.prod(parts[0].shape[1:]) if len(parts) > 1 else 0
            return super().sample(noise, latent_image, *args, **kwargs)

        def predict_noise(self, x: Any, timestep: Any, model_options: Any = None, seed: Any = None) -> Any:
            options = {**(model_options or {}), "sampler_cfg_function": self._guide}
            return super().predict_noise(x, timestep, options, seed)

        def _guide(self, asked: dict[str, Any]) -> Any:
            """ComfyUI subtracts what this gives from the input."""
            cond, negative = asked["cond_denoised"], asked["uncond_denoised"]
            perturbed = self._ask(asked, self._self_attentions(), {}) if self._any("stg", off=0) else 0.0
            deaf = {"a2v_cross_attn": False, "v2a_cross_attn": False}
            isolated = self._ask(asked, [], deaf) if self._any("modality", off=1) else 0.0
            guided = cond.clone()
            cut = self.pictures or cond.shape[-1]
            for part, strengths in ((slice(None, cut), self.video), (slice(cut, None), self.audio)):
                if cond[..., part].numel():
                    guided[..., part] = combine(
                        cond[..., part], negative[..., part], _part(perturbed, part), _part(isolated, part), strengths
                    )
            return asked["input"] - guided

        def _any(self, what: str, off: float) -> bool:
            return any(not math.isclose(getattr(modality, what), off) for modality in (self.video, self.audio))

        def _self_attentions(self) -> list[Any]:
            """Those that STG bypasses: of picture and sound each, when its STG is on."""
            blocks = self.inner_model.diffusion_model.transformer_blocks
            chosen = [blocks[number] for number in self.blocks]
            video = [block.attn1 for block in chosen] if self.video.stg else []
            audio = [block.audio_attn1 for block in chosen] if self.audio.stg else []
            return video + audio

        def _ask(self, asked: dict[str, Any], attentions: list[Any], options: dict[str, Any]) -> Any:
            """One more prediction for the positive prompt."""
            model_options = {**asked["model_options"]}
            model_options["transformer_options"] = {**model_options.get("transformer_options", {}), **options}
            positive = [asked["input_cond"]]
            with bypassed(attentions):
                (prediction,) = comfy.samplers.calc_cond_batch(
                    asked["model"], positive, asked["input"], asked["sigma"], model_options
                )
            return prediction

    return MultimodalGuider


def _part(prediction: Any, part: slice) -> Any:
    return prediction if isinstance(prediction, float) else prediction[..., part]


class LTXStudioGuider:
    """CFG, STG, modality guidance and rescale, for picture and sound apart."""

    RETURN_TYPES = ("GUIDER",)
    FUNCTION = "make"
    CATEGORY = "LTX Studio"
    DESCRIPTION = "Guides picture and sound of LTX-2.3 apart: CFG, STG, modality guidance, rescale."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802  (ComfyUI's name)
        off = Strengths()
        ranges = {"cfg": 100.0, "stg": 100.0, "rescale": 1.0, "modality": 100.0}
        strengths = {
            f"{modality}_{what}": ("FLOAT", {"default": getattr(off, what), "min": 0.0, "max": top, "step": 0.01})
            for modality in ("video", "audio")
            for what, top in ranges.items()
        }
        links = {"model": ("MODEL",), "positive": ("CONDITIONING",), "negative": ("CONDITIONING",)}
        return {"required": {**links, **strengths, "stg_blocks": ("STRING", {"default": "28"})}}

    def make(self, model: Any, positive: Any, negative: Any, stg_blocks: str, **strengths: float) -> tuple[Any]:
        video, audio = (
            Strengths(**{what: strengths[f"{modality}_{what}"] for what in STRENGTHS})
            for modality in ("video", "audio")
        )
        blocks = tuple(int(number) for number in re.findall(r"\d+", stg_blocks))
        if video.stg or audio.stg:
            _check_blocks(blocks, len(model.model.diffusion_model.transformer_blocks))
        guider = _guider_class()(model)
        guider.set_conds(positive, negative)
        guider.set_guidance(video, audio, blocks)
        return (guider,)


def _check_blocks(blocks: tuple[int, ...], count: int) -> None:
    """STG without a block would silently do nothing."""
    if not blocks:
        raise ValueError("STG is on, but stg_blocks is empty")
    beyond = [block for block in blocks if block >= count]
    if beyond:
        raise ValueError(f"stg_blocks has block {beyond[0]}, but the model has {count}, from 0 to {count - 1}")
