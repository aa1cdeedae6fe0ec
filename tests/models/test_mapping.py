"""Workflows use the files of a model set when their loaders are mapped."""

from pathlib import Path
from typing import Any

import pytest

from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.model_inputs import model_inputs
from ltx_studio.graph.validate import problems
from ltx_studio.models.mapping import map_models
from ltx_studio.workflow_files.read import read_workflow
from tests.support import MODEL_SETS, TEMPLATES

POCKET = MODEL_SETS["pocket"]


@pytest.mark.parametrize("set_id", MODEL_SETS)
@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*ltx2_3*.json")), ids=lambda path: path.stem)
def test_every_set_fits_every_template(set_id: str, path: Path, definitions: Definitions) -> None:
    graph, _ = map_models(read_workflow(path, definitions), MODEL_SETS[set_id], definitions)

    assert [found.message for found in problems(graph, definitions) if "bit_depth" not in found.message] == []
    if set_id == "pocket":
        assert all("pocket" in item.file for item in model_inputs(graph))


def parts(definitions: Definitions, **changes: Any) -> dict[str, Any]:
    """Loaders as people have them for single files: a transformer, an encoder, two VAEs, and LoRAs."""
    return {
        "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "ltx-2.3-22b-distilled.safetensors"}},
        "2": {"class_type": "DualCLIPLoader", "inputs": {"clip_name1": "g.safetensors", "clip_name2": "p.safetensors"}},
        "3": {"class_type": "VAELoader", "inputs": {"vae_name": "LTX23_video_vae.safetensors"}},
        "4": {"class_type": "VAELoader", "inputs": {"vae_name": "LTX23_audio_vae.safetensors"}},
        "5": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "a.safetensors", "model": ["1", 0]}},
        "6": {"class_type": "ModelSamplingLTXV", "inputs": {"model": ["5", 0]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["2", 0], "text": "x"}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["0", 0], "vae": ["3", 0]}},
        "9": {"class_type": "LTXVAudioVAEDecode", "inputs": {"samples": ["0", 0], "audio_vae": ["4", 0]}},
    } | changes


def test_single_files_become_the_checkpoint(definitions: Definitions) -> None:
    graph, notes = map_models(parts(definitions), POCKET, definitions)

    def fed(node_id: str, name: str) -> tuple[str, int]:
        source, slot = graph[node_id]["inputs"][name]
        return graph[source]["class_type"], slot

    assert fed("6", "model") == ("LoraLoaderModelOnly", 0), "the distilled model has the set's LoRA"
    assert fed("7", "clip") == ("PocketTextEncoderLoader", 0)
    assert fed("8", "vae") == ("CheckpointLoaderSimple", 2)
    assert fed("9", "audio_vae") == ("LTXVAudioVAELoader", 0)
    assert not {"1", "2", "3", "4", "5"} & set(graph)
    (note,) = notes
    assert "'a.safetensors' is skipped" in note


@pytest.mark.parametrize(
    ("file", "is_other"),
    [
        ("ltx-2.3-22b-dev-fp8.safetensors", False),
        ("LTX/LTX23_distilled.safetensors", False),
        ("ltx_2.3_22b.gguf", False),
        ("ltx-video-2b-v0.9.5.safetensors", True),
        ("ltx-2-19b-dev.safetensors", True),
        ("wan2.2_t2v.safetensors", True),
    ],
)
def test_a_model_of_another_family_is_replaced_with_a_note(
    file: str, definitions: Definitions, *, is_other: bool
) -> None:
    loader = {"class_type": "UNETLoader", "inputs": {"unet_name": file}, "_meta": {"title": "Load it"}}
    _, notes = map_models(parts(definitions, **{"1": loader}), POCKET, definitions)

    said = [note for note in notes if "Load it" in note]
    assert bool(said) == is_other
    assert all(
        f"'{file}' is not named like a model of LTX-2.3; {POCKET.label} is used instead" in note for note in said
    )


@pytest.mark.parametrize(
    ("file", "used"),
    [
        ("ltx-2-19b-lora-camera-control-dolly-in.safetensors", "ltx-2.3-pocket-camera-dolly-in.safetensors"),
        ("ltx-2.3-22b-ic-lora-union-control-ref0.5.safetensors", "ltx-2.3-pocket-ic-lora-union-ref0.5.safetensors"),
        ("ltx-2.3-22b-ic-lora-ingredients-0.9.safetensors", "ltx-2.3-pocket-ic-lora-union-ref0.5.safetensors"),
        ("LTX\\ltx-2.3-22b-distilled-lora-384.safetensors", "ltx-2.3-pocket-distilled-lora.safetensors"),
    ],
)
def test_loras_become_those_of_the_set(file: str, used: str, definitions: Definitions) -> None:
    lora = {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": file, "model": ["1", 0]}}

    graph, _ = map_models(parts(definitions, **{"5": lora}), POCKET, definitions)

    assert graph["5"]["inputs"]["lora_name"] == used


def test_a_loader_stays_while_something_of_another_kind_is_read_from_it(definitions: Definitions) -> None:
    graph = {
        "1": {"class_type": "unCLIPCheckpointLoader", "inputs": {"ckpt_name": "a.safetensors"}},
        "2": {"class_type": "CLIPVisionEncode", "inputs": {"clip_vision": ["1", 3], "image": ["3", 0], "crop": "none"}},
        "3": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "4": {"class_type": "VAEDecode", "inputs": {"samples": ["0", 0], "vae": ["1", 2]}},
    }

    mapped, _ = map_models(graph, POCKET, definitions)

    assert mapped["2"]["inputs"]["clip_vision"] == ["1", 3]
    assert "1" in mapped
    assert mapped["4"]["inputs"]["vae"] != ["1", 2]


@pytest.mark.parametrize("given", [5, None, "x", ["9", 0], {"a": 1}])
def test_depth_that_comes_from_nowhere_is_left_as_it_is(given: Any, definitions: Definitions) -> None:
    graph = {"1": {"class_type": "MoGeRender", "inputs": {"moge_geometry": given}}}

    mapped, _ = map_models(graph, POCKET, definitions)

    assert mapped["1"]["class_type"] == "MoGeRender"
