"""Our guider against Lightricks' own, `ltx-core` from PyPI."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ltx_core.components.guiders import MultiModalGuider, MultiModalGuiderParams
from ltx_core.model.transformer.attention import Attention

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot, use_folders
from ltx_studio.engine.nodes.guider import LTXStudioGuider, Strengths, bypassed, combine, values_only
from ltx_studio.engine.nodes.pocket_text_encoder import PocketTextEncoderLoader
from ltx_studio.pocket import files
from ltx_studio.settings import Settings

OFF = {f"{modality}_{what}": value for modality in ("video", "audio") for what, value in vars(Strengths()).items()}
RECIPES = {
    "nothing": Strengths(),
    "balanced video": Strengths(3.0, 1.0, 0.7, 3.0),
    "balanced audio": Strengths(7.0, 1.0, 0.7, 3.0),
    "quality video": Strengths(3.0, 0.0, 0.45, 3.0),
    "quality audio": Strengths(7.0, 0.0, 1.0, 3.0),
}


def theirs(strengths: Strengths) -> MultiModalGuider:
    return MultiModalGuider(
        MultiModalGuiderParams(
            cfg_scale=strengths.cfg,
            stg_scale=strengths.stg,
            rescale_scale=strengths.rescale,
            modality_scale=strengths.modality,
        )
    )


@pytest.mark.parametrize("strengths", RECIPES.values(), ids=RECIPES)
def test_combines_predictions_as_ltx_core_does(strengths: Strengths) -> None:
    generator = torch.Generator().manual_seed(1)
    cond, negative, perturbed, isolated = torch.randn(4, 1, 128, 3, 5, 7, generator=generator)

    ours = combine(cond, negative, perturbed, isolated, strengths)

    assert torch.equal(ours, theirs(strengths).calculate(cond, negative, perturbed, isolated))


def attention_pair(*, gated: bool) -> tuple[Any, Any]:
    """ComfyUI's attention and ltx-core's, with the same weights."""
    from comfy.ldm.lightricks.model import CrossAttention

    ours = CrossAttention(64, heads=4, dim_head=16, apply_gated_attention=gated, operations=torch.nn)
    other = Attention(64, heads=4, dim_head=16, apply_gated_attention=gated)
    for value in ours.state_dict().values():
        torch.nn.init.normal_(value, generator=torch.Generator().manual_seed(2))
    other.load_state_dict(ours.state_dict())
    return ours, other


@pytest.mark.parametrize("gated", [True, False])
def test_bypasses_self_attention_as_ltx_core_does(gated: bool, engine: Engine) -> None:
    ours, other = attention_pair(gated=gated)
    x = torch.randn(2, 12, 64)

    with torch.no_grad():
        expected = other(x, all_perturbed=True)
        assert torch.allclose(values_only(ours, x), expected, atol=1e-6)
        with bypassed([ours]):
            assert torch.allclose(ours(x, pe=None, mask=None, transformer_options={}), expected, atol=1e-6)


def test_the_attention_is_itself_again_after_a_bypass_that_failed(engine: Engine) -> None:
    ours, _ = attention_pair(gated=True)

    with pytest.raises(RuntimeError, match="in the middle"), bypassed([ours]):
        raise RuntimeError("in the middle")

    assert "forward" not in vars(ours)


Predict = Callable[..., tuple[Any, Any]]


@pytest.fixture(scope="module")
def predict(engine: Engine, settings: Settings) -> Predict:
    """``predict(video_cfg=3, …)`` → what the guided pocket model makes of noise in one step: (picture, sound)."""
    booted = boot(settings)
    use_folders(booted, settings)
    from comfy.nested_tensor import NestedTensor
    from comfy.samplers import sampler_object

    classes = booted.nodes.NODE_CLASS_MAPPINGS
    model, *_ = classes["CheckpointLoaderSimple"]().load_checkpoint(Path(files.CHECKPOINT).name)
    (clip,) = PocketTextEncoderLoader().load(Path(files.TEXT_ENCODER).name)
    positive, negative = (
        [[*condition, {**extra, "frame_rate": 24.0}]]
        for text in ("a red ball", "blurry")
        for *condition, extra in clip.encode_from_tokens_scheduled(clip.tokenize(text))
    )
    shapes = (1, 128, 3, 4, 4), (1, 8, 17, 16)
    generator = torch.Generator().manual_seed(3)
    noise = NestedTensor(tuple(torch.randn(shape, generator=generator) for shape in shapes))
    latent = NestedTensor(tuple(torch.zeros(shape) for shape in shapes))

    def predict(stg_blocks: str = "2", **strengths: float) -> tuple[Any, Any]:
        (guider,) = LTXStudioGuider().make(model, positive, negative, stg_blocks, **OFF | strengths)
        sampler = sampler_object("euler")
        made = guider.sample(noise, latent, sampler, torch.tensor([0.9, 0.0]), disable_pbar=True, seed=1)
        picture, sound = made.unbind()
        return picture, sound

    return predict


@pytest.mark.parametrize("modality", ["video", "audio"])
@pytest.mark.parametrize(("what", "value"), [("cfg", 3.0), ("stg", 1.0), ("modality", 3.0)])
def test_each_strength_acts_on_its_own_modality_alone(modality: str, what: str, value: float, predict: Predict) -> None:
    plain, guided = predict(), predict(**{f"{modality}_{what}": value})

    changed = [not torch.allclose(before, after, atol=1e-4) for before, after in zip(plain, guided, strict=True)]
    assert changed == [modality == "video", modality == "audio"]


@pytest.mark.parametrize("name", ["balanced", "quality"])
def test_the_model_is_guided_as_ltx_core_would_guide_it(name: str, predict: Predict) -> None:
    strengths = {modality: RECIPES[f"{name} {modality}"] for modality in ("video", "audio")}
    together = {
        f"{modality}_{what}": value for modality, all_ in strengths.items() for what, value in vars(all_).items()
    }
    made = predict(**together)

    plain = predict()
    alone = {
        what: predict(**{f"{modality}_{what}": 1.0 + off for modality in strengths})
        for what, off in (("cfg", 1), ("stg", 0), ("modality", 1))
    }
    for index, modality in enumerate(strengths):
        cond = plain[index]
        # with a strength of one beyond off, the result is 2·cond − other
        others = [2 * cond - alone[what][index] for what in ("cfg", "stg", "modality")]
        expected = theirs(strengths[modality]).calculate(cond, *others)
        assert torch.allclose(made[index], expected, atol=1e-3, rtol=1e-3)


def test_the_chosen_block_counts(predict: Predict) -> None:
    one, other = (predict(blocks, video_stg=1.0)[0] for blocks in ("1", "2"))

    assert not torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(("blocks", "said"), [("28", "the model has 6, from 0 to 5"), ("", "stg_blocks is empty")])
def test_a_block_that_the_model_lacks_is_refused(blocks: str, said: str, predict: Predict) -> None:
    with pytest.raises(ValueError, match=said):
        predict(blocks, video_stg=1.0)


def test_blocks_do_not_matter_without_stg(predict: Predict) -> None:
    assert torch.equal(predict("28")[0], predict("2")[0])
