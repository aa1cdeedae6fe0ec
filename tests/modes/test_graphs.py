"""The patched graphs as they are: their golden files, ComfyUI's own word on them, and what presets and LoRAs change."""

import asyncio
import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import Comfy, boot, use_folders
from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet, Preset, Tuning
from ltx_studio.families.ltx_2_3 import BALANCED, FAST, PRESETS, QUALITY
from ltx_studio.families.ltx_2_3.presets import LtxPreset
from ltx_studio.graph import Graph
from ltx_studio.media import by_name
from ltx_studio.modes import MODES, Mode, Params
from ltx_studio.modes.fields import NEGATIVE_PROMPT
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from tests.support import GOLDEN_GRAPHS, MODEL_SETS, graph_as_text
from tools.golden_graphs import graphs

FP8, POCKET, DISTILLED = (MODEL_SETS[name] for name in ("fp8", "pocket", "distilled-fp8"))


def example(mode: Mode, model_set: ModelSet, **changes: Any) -> Params:
    return mode.example(model_set).model_copy(update=changes)


def build(mode: str, preset: Preset = FAST, model_set: ModelSet = FP8, **changes: Any) -> Graph:
    built = MODES[mode].build(example(MODES[mode], model_set, **changes), model_set, preset, by_name)
    return Graph(built.graph)


@pytest.mark.parametrize("name", dict(graphs()))
def test_the_patched_graphs_are_as_they_were(name: str) -> None:
    """When they are meant to change: `make golden`, and look at the difference."""
    assert graph_as_text(dict(graphs())[name]) == (GOLDEN_GRAPHS / f"{name}.txt").read_text(encoding="utf-8")


def test_no_golden_graph_is_left_over() -> None:
    assert {path.stem for path in GOLDEN_GRAPHS.glob("*.txt")} == set(dict(graphs()))


@pytest.mark.parametrize("model_set", MODEL_SETS.values(), ids=lambda item: item.id)
@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda item: item.id)
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda item: item.id)
def test_every_stage_names_nodes_of_the_graph_and_the_output_comes_last(
    mode: Mode, preset: Preset, model_set: ModelSet
) -> None:
    if preset.refusal(model_set):
        with pytest.raises(RequestError, match="only has the distilled model"):
            mode.build(example(mode, model_set), model_set, preset, by_name)
        return
    params = example(mode, model_set)
    workflow = mode.build(params, model_set, preset, by_name)
    titles = {node["_meta"]["title"] for node in workflow.graph.values()}

    assert {title for phase in workflow.phases for title in phase.nodes} <= titles
    assert mode.work(params, preset, model_set).keys() == {phase.id for phase in workflow.phases}
    if preset.draft:
        assert not {"upscale", "stage2"} & {phase.id for phase in workflow.phases}
    assert [phase.id for phase in workflow.phases][:: len(workflow.phases) - 1] == ["load", "save"]


@pytest.fixture
def pretending(engine: Engine, settings: Settings, tmp_path: Path) -> Iterator[Any]:
    """``pretending(graph)`` → what ComfyUI's `validate_prompt` says when every file that the graph names is there."""
    comfy: Comfy = boot(settings)
    folders = {
        "ckpt_name": "checkpoints",
        "text_encoder": "text_encoders",
        "lora_name": "loras",
        "unet_name": "diffusion_models",
    }
    home = Settings(home=tmp_path, comfy_dir=settings.comfy_dir)
    inputs = {"image", "audio", "file"}

    def validate(graph: Graph) -> Any:
        api = graph.to_api()
        for node in api.values():
            for name, value in node["inputs"].items():
                if name == "model_name":
                    kind = "latent_upscale_models" if "Upscale" in node["class_type"] else "geometry_estimation"
                    touch(home.models_dir / kind / value)
                elif name in folders and isinstance(value, str):
                    touch(home.models_dir / folders[name] / value)
                elif name in inputs and isinstance(value, str):
                    touch(home.inputs_dir / value)
        use_folders(comfy, home)
        return asyncio.run(comfy.execution.validate_prompt("test", api, None))

    known = copy.deepcopy(comfy.folder_paths.folder_names_and_paths)
    yield validate
    comfy.folder_paths.folder_names_and_paths.clear()  # ComfyUI would go on looking in the home of this test
    comfy.folder_paths.folder_names_and_paths.update(known)
    comfy.folder_paths.filename_list_cache.clear()
    use_folders(comfy, settings)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


CONTROLS = [
    ("style", {"control": "depth"}),
    ("style", {"control": "pose"}),
    ("style", {"control": "pose", "ic_lora": "pose"}),
    ("i2v", {"control_clip": Path("a.mp4"), "control": "depth"}),
    ("lipsync", {"control_clip": Path("a.mp4"), "control": "pose"}),
    ("keyframe", {"control_clip": Path("a.mp4"), "control": "ready", "ic_lora": "detailer"}),
]
"""What the pocket model has no files for is validated, not run."""


@pytest.mark.parametrize("model_set", [FP8, DISTILLED], ids=lambda item: item.id)
@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda item: item.id)
@pytest.mark.parametrize("mode", MODES)
def test_comfyui_takes_the_graphs_of_the_real_models(
    mode: str, preset: Preset, model_set: ModelSet, pretending: Any
) -> None:
    if not preset.refusal(model_set):
        valid, error, _, node_errors = pretending(build(mode, preset, model_set, camera="jib-up"))
        assert valid, (error, node_errors)


@pytest.mark.parametrize(("mode", "changes"), CONTROLS, ids=str)
def test_comfyui_takes_the_graphs_of_every_control(mode: str, changes: dict[str, Any], pretending: Any) -> None:
    valid, error, _, node_errors = pretending(build(mode, **changes))

    assert valid, (error, node_errors)


TWO_STAGES = [mode for mode in MODES if mode != "style"]


@pytest.mark.parametrize("mode", TWO_STAGES)
def test_balanced_distils_only_the_second_stage(mode: str) -> None:
    graph = build(mode, BALANCED)

    assert graph.source("Stage 1 guidance", "model") == ("Model", 0)
    assert graph.source("Stage 2 guidance", "model") == ("Distilled LoRA", 0)
    assert graph["Distilled LoRA"].strength_model == 1.0
    assert graph["Stage 1 sigmas"].steps == 30
    assert graph["Stage 2 sigmas"].sigmas == "0.909375, 0.725, 0.421875, 0.0"


@pytest.mark.parametrize("mode", TWO_STAGES)
def test_quality_distils_both_stages_a_little(mode: str) -> None:
    graph = build(mode, QUALITY)

    assert graph.source("Stage 1 guidance", "model") == ("Stage 1 distilled LoRA", 0)
    assert graph["Stage 1 distilled LoRA"].strength_model == 0.25
    assert graph["Distilled LoRA"].strength_model == 0.5
    assert graph.source("Stage 1 sigmas", "latent") == ("Empty video", 0)
    assert {graph.class_type(f"Stage {stage} sampler") for stage in (1, 2)} == {"SamplerSEEDS2"}


@pytest.mark.parametrize("preset", [BALANCED, QUALITY], ids=lambda item: item.id)
@pytest.mark.parametrize("mode", MODES)
def test_guidance_is_the_recipes_and_leaves_a_given_sound_alone(mode: str, preset: LtxPreset) -> None:
    guider = build(mode, preset)["Stage 1 guidance"]

    assert preset.video is not None
    given = MODES[mode].sound_is_given
    for what in ("cfg", "stg", "rescale", "modality"):
        assert guider[f"video_{what}"] == getattr(preset.video, what)
        assert guider[f"audio_{what}"] == (getattr(FAST.audio, what) if given else getattr(preset.audio, what))
    assert guider.stg_blocks == "28"


@pytest.mark.parametrize("mode", MODES)
def test_a_request_changes_of_its_preset_what_it_names_and_nothing_else(mode: str) -> None:
    graph, own = build(mode, QUALITY.tuned(Tuning(steps=20, guidance=5.0, stg=2.0))), build(mode, QUALITY)
    guider, before = graph["Stage 1 guidance"], own["Stage 1 guidance"]

    assert (graph["Stage 1 sigmas"].steps, guider.video_cfg, guider.video_stg) == (20, 5.0, 2.0)
    assert graph.class_type("Stage 1 sampler") == "SamplerSEEDS2"
    for what in ("audio_cfg", "video_rescale", "audio_rescale", "video_modality", "audio_modality", "stg_blocks"):
        assert guider[what] == before[what], what
    assert QUALITY.tuned(Tuning()) == QUALITY


@pytest.mark.parametrize("mode", MODES)
def test_another_sampler_and_schedule_take_the_place_of_the_presets(mode: str) -> None:
    graph = build(mode, BALANCED.tuned(Tuning(sampler="dpmpp_2m", schedule="beta", steps=12)))

    stages = [title for title in ("Stage 1 sampler", "Stage 2 sampler") if title in graph]
    assert {graph[title].sampler_name for title in stages} == {"dpmpp_2m"}
    sigmas = graph["Stage 1 sigmas"]
    assert (graph.class_type("Stage 1 sigmas"), sigmas.scheduler, sigmas.steps) == ("BasicScheduler", "beta", 12)
    assert graph.source("Stage 1 sigmas", "model")
    fast = build(mode, FAST.tuned(Tuning(sampler="euler", schedule="beta", steps=12)))
    assert fast["Stage 1 sampler"].sampler_name == "euler"
    assert fast.class_type("Stage 1 sigmas") == "ManualSigmas", "its steps are fixed"


def test_the_passes_are_those_of_the_changed_preset() -> None:
    assert BALANCED.tuned(Tuning(steps=10)).passes(FP8, stages=2) == (40, 3)
    assert BALANCED.tuned(Tuning(steps=10, sampler="seeds_2", stg=0.0)).passes(FP8, stages=2) == (19 * 3, 5)
    assert FAST.tuned(Tuning(steps=10)).passes(FP8, stages=2) == FAST.passes(FP8, stages=2)


def test_nothing_guides_a_sound_of_ones_own() -> None:
    params = MODES["a2v"].example(FP8).model_copy(update={"guidance": 1.0})

    assert JobSpec("a2v", params, FP8, "balanced").sampling.passes(FP8, stages=2) == (30 * 3, 3)


def test_a_guidance_that_the_user_chose_is_used_also_with_a_negative_prompt() -> None:
    eager = replace(FP8, negative_guidance=5.0)

    guider = build("t2v", BALANCED.tuned(Tuning(guidance=2.0)), eager, negative_prompt="a red ball")["Stage 1 guidance"]

    assert guider.video_cfg == 2.0


@pytest.mark.parametrize(("mode", "stage"), [("t2v", 1), ("i2v", 1), ("keyframe", 2)])
def test_guided_presets_keep_the_sound_of_the_stage_that_ltx_pipelines_keeps(mode: str, stage: int) -> None:
    assert build(mode, FAST).source("Decode audio", "samples") == ("Stage 2 split", 1)
    assert build(mode, BALANCED).source("Decode audio", "samples") == (f"Stage {stage} split", 1)


def test_the_presets_of_a_mode_with_one_stage_do_not_speak_of_a_second() -> None:
    for preset in PRESETS.values():
        assert "full size" not in preset.description(FP8, stages=1)


def test_a_set_without_known_blocks_falls_back_to_plain_cfg_and_says_so() -> None:
    plain = replace(FP8, guidance_blocks=())
    graph = build("t2v", BALANCED, plain)

    assert graph.class_type("Stage 1 guidance") == "CFGGuider"
    assert graph["Stage 1 guidance"].cfg == 3.0
    assert BALANCED.passes(plain, stages=2) == (60, 3)
    assert "plain CFG 3" in BALANCED.description(plain, stages=2)
    assert "plain CFG" not in BALANCED.description(FP8, stages=2)


@pytest.mark.parametrize("blocks", [(28,), ()])
@pytest.mark.parametrize(("negative", "cfg"), [("a red ball", 5.0), ("", 3.0), (" ", 3.0), (NEGATIVE_PROMPT, 3.0)])
def test_a_set_may_want_its_picture_guided_more_where_the_user_names_what_is_not_wanted(
    blocks: tuple[int, ...], negative: str, cfg: float
) -> None:
    eager = replace(FP8, negative_guidance=5.0, guidance_blocks=blocks)

    guider = build("t2v", BALANCED, eager, negative_prompt=negative)["Stage 1 guidance"]

    assert (guider.video_cfg if blocks else guider.cfg) == cfg
    assert build("t2v", BALANCED, negative_prompt=negative)["Stage 1 guidance"].video_cfg == 3.0


def test_a_given_sound_is_frozen_in_both_stages_and_comes_out_itself() -> None:
    for mode in ("a2v", "lipsync"):
        graph = build(mode)
        assert graph.source("Stage 1 latent", "audio_latent") == ("Frozen sound", 0)
        assert graph.source("Stage 2 latent", "audio_latent") == ("Stage 1 split", 1)
        assert graph.source("Video", "audio") == ("Trimmed sound", 0)
        assert graph["Keep the sound"].value == 0


def test_keyframes_are_pinned_again_after_the_upscale() -> None:
    graph = build("keyframe")

    assert graph.source("Upscale", "samples") == ("Stage 1 crop", 2)
    assert graph.source("Stage 2 first frame", "latent") == ("Upscale", 0)
    assert graph.source("Stage 2 latent", "video_latent") == ("Stage 2 last frame", 2)
    assert (graph["Stage 2 first frame"].frame_idx, graph["Stage 2 last frame"].frame_idx) == (0, -1)


def test_one_number_of_frames_feeds_picture_sound_and_trim() -> None:
    for mode in MODES:
        graph = build(mode, fps=25.0, seconds=3.0)
        assert graph["Frames"].value == 73
        assert graph.source("Empty video", "length") == ("Frames", 0)
        if "Empty audio" in graph:
            assert graph.source("Empty audio", "frames_number") == ("Frames", 0)
        for title, name in (("Frame rate", "frame_rate"), ("Video", "fps")):
            assert graph.source(title, name) == ("Frames per second", 0)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda item: item.id)
@pytest.mark.parametrize("mode", MODES)
def test_loras_reach_every_stage(mode: str, preset: Preset) -> None:
    loras = [{"file": "one.safetensors", "strength": 0.5}, {"file": "two.safetensors"}]
    params = MODES[mode].params.model_validate({**MODES[mode].example(FP8).model_dump(), "loras": loras})
    built = MODES[mode].build(params.model_copy(update={"camera": "static"}), FP8, preset, by_name)
    graph = Graph(built.graph)

    for stage in (stage for stage in (1, 2) if f"Stage {stage} guidance" in graph):
        chain = [title for title in model_chain(graph, f"Stage {stage} guidance") if "LoRA" in title]
        assert {"Camera LoRA", "LoRA 1", "LoRA 2"} <= set(chain)
    assert (graph["LoRA 1"].lora_name, graph["LoRA 1"].strength_model) == ("one.safetensors", 0.5)


def model_chain(graph: Graph, title: str) -> Iterator[str]:
    while graph.class_type(title) != "CheckpointLoaderSimple":
        title, _ = graph.source(title, "model")
        yield title


def test_the_ic_lora_acts_in_the_first_stage_only_and_reads_its_own_file() -> None:
    graph = build("i2v", control_clip=Path("a.mp4"))

    assert "IC-LoRA" in list(model_chain(graph, "Stage 1 guidance"))
    assert "IC-LoRA" not in list(model_chain(graph, "Stage 2 guidance"))
    assert graph.source("IC-LoRA parameters", "iclora_model") == ("IC-LoRA", 0)
    assert graph.source("Upscale", "samples") == ("Stage 1 crop", 2)
    assert graph.source("Stage 2 guidance", "positive") == ("Frame rate", 0)


def test_without_a_control_clip_there_is_no_trace_of_it() -> None:
    assert not [title for title in build("i2v") if re.search("Control|IC-LoRA|Clip", title)]
