"""Workflows of newer and older ComfyUI: defaults where that is harmless, and remedies that can be followed."""

import copy
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.advice import Advice, Do, texts_of
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.compatibility import fit_to
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import form_of
from ltx_studio.graph.node_versions import value_since
from ltx_studio.graph.validate import problems, validate
from ltx_studio.queue import WorkflowSpec
from ltx_studio.workflow_files.read import read_workflow
from tests.support import TEMPLATES, small_workflow

CASE = Path(__file__).parent / "cases" / "newer-create-video.json"
OFFICIAL = sorted(path.name for path in TEMPLATES.glob("video_ltx2_3_*.json"))


def changed(title: str, **inputs: Any) -> dict[str, Any]:
    """The studio's small workflow with other inputs of one node."""
    graph = copy.deepcopy(dict(small_workflow().graph))
    node = next(node for node in graph.values() if node["_meta"]["title"] == title)
    node["inputs"].update(inputs)
    return graph


def test_a_newer_create_video_gets_the_default_with_a_word(definitions: Definitions) -> None:
    graph, (note,) = fit_to(read_workflow(CASE, definitions), definitions)

    validate(graph, definitions)
    assert graph["2"]["inputs"]["bit_depth"] == 8
    assert "Create Video: bit_depth 'auto' needs ComfyUI 0.33" in note.text
    assert note.advice == Advice.to(Do.CHANGE_VALUE, key="2.bit_depth")


def test_what_the_note_advises_can_be_done(definitions: Definitions) -> None:
    spec = WorkflowSpec.from_file(CASE, {"2.bit_depth": "10"}, definitions, trusted=False)

    assert spec.graph["2"]["inputs"]["bit_depth"] == 10
    assert spec.notes() == []
    assert WorkflowSpec.from_file(CASE, {}, definitions, trusted=False).notes()


@pytest.mark.parametrize("name", OFFICIAL)
def test_todays_official_templates_fit(name: str, definitions: Definitions) -> None:
    graph, notes = fit_to(read_workflow(TEMPLATES / name, definitions), definitions)

    assert list(problems(graph, definitions)) == []
    is_newer = any(node["inputs"].get("bit_depth") == "auto" for node in read_workflow(
        TEMPLATES / name, definitions).values())  # fmt: skip
    assert bool(notes) is is_newer


def test_the_official_templates_are_there() -> None:
    assert len(OFFICIAL) == 6


@pytest.mark.parametrize(
    ("class_type", "inputs", "name", "default"),
    [
        ("UNETLoader", {"unet_name": "a.safetensors", "weight_dtype": "nvfp4_new"}, "weight_dtype", "default"),
        ("CLIPLoader", {"clip_name": "a.safetensors", "type": "ltxv", "device": "cuda:1"}, "device", "default"),
        ("SaveVideo", {"video": ["9", 0], "filename_prefix": "a", "format": "mkv9", "codec": "auto"}, "format", "auto"),
    ],
)
def test_how_a_thing_is_stored_or_computed_falls_back(
    class_type: str, inputs: dict[str, Any], name: str, default: str, definitions: Definitions
) -> None:
    graph, notes = fit_to({"1": {"class_type": class_type, "inputs": inputs}}, definitions)

    assert graph["1"]["inputs"][name] == default
    assert any(name in text and str(inputs[name]) in text and default in text for text in texts_of(notes))


@pytest.mark.parametrize(
    ("title", "inputs"),
    [
        ("Stage 1 sampler", {"sampler_name": "res_9s"}),
        ("Empty video", {"width": 0}),
        ("Empty video", {"length": "long"}),
        ("Save t2v", {"codec.encoding.crf": 99}),
        ("Save t2v", {"codec.encoding": "magic"}),
    ],
)
def test_what_changes_the_picture_is_a_problem_whose_remedy_works(
    title: str, inputs: dict[str, Any], definitions: Definitions
) -> None:
    broken = changed(title, **inputs)

    graph, notes = fit_to(broken, definitions)
    (problem,) = problems(graph, definitions)

    assert notes == []
    key, _, value = set_option(problem).partition("=")
    assert key in {field.key for field in form_of(broken, definitions)}, "the page has a field for it"
    spec = WorkflowSpec.from_request("w", broken, {key: value}, definitions, trusted=True)
    validate(spec.graph, definitions)
    with pytest.raises(WorkflowError):
        WorkflowSpec.from_request("w", broken, {}, definitions, trusted=True)


def set_option(problem: WorkflowError) -> str:
    assert problem.advice is not None
    assert problem.advice.do is Do.SET_VALUE
    return dict(problem.advice.given)["given"]


def test_an_older_graph_gets_what_its_nodes_did_not_have_yet(definitions: Definitions) -> None:
    graph = copy.deepcopy(dict(small_workflow().graph))
    node = next(node for node in graph.values() if node["class_type"] == "EmptyLTXVLatentVideo")
    del node["inputs"]["batch_size"]

    fitted, (note,) = fit_to(graph, definitions)

    validate(fitted, definitions)
    assert "batch_size is not set; its default 1 is used" in note.text


def test_every_problem_is_listed(definitions: Definitions) -> None:
    graph = changed("Empty video", width=0, height=0)
    sampler = next(node for node in graph.values() if node["_meta"]["title"] == "Stage 1 sampler")
    sampler["inputs"]["sampler_name"] = "warp"
    prompt = next(node for node in graph.values() if node["_meta"]["title"] == "Prompt")
    del prompt["inputs"]["text"]
    graph["far"] = {"class_type": "NobodyHasThis", "inputs": {}}

    found = [problem.message for problem in problems(graph, definitions)]

    assert len(found) == 5
    for said in ("NobodyHasThis", "width is 0", "height is 0", "'warp'", "text is missing"):
        assert any(said in message for message in found), said


def test_a_value_that_is_newer_but_not_harmless_names_the_version(definitions: Definitions) -> None:
    graph = {
        "1": {"class_type": "CLIPLoader", "inputs": {"clip_name": "a.safetensors", "type": "flux3"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 0], "text": "a"}},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }

    (problem,) = problems(graph, definitions)

    assert value_since("CLIPLoader", "type", "flux3") in problem.message
    assert "which needs ComfyUI 0.4" in problem.message
    assert set_option(problem).startswith("1.type=")


def test_a_model_file_and_an_output_can_be_set_although_they_are_no_fields(definitions: Definitions) -> None:
    graph = dict(small_workflow().graph)
    loader = next(key for key, node in graph.items() if node["class_type"] == "CheckpointLoaderSimple")
    saver = next(key for key, node in graph.items() if node["_meta"]["title"] == "Save t2v")
    values = {f"{loader}.ckpt_name": "other.safetensors", f"{saver}.filename_prefix": "mine"}

    spec = WorkflowSpec.from_request("w", graph, values, definitions, trusted=True)

    assert spec.graph[loader]["inputs"]["ckpt_name"] == "other.safetensors"
    assert spec.graph[saver]["inputs"]["filename_prefix"] == "mine"
    with pytest.raises(RequestError, match="outside the studio's folders"):
        WorkflowSpec.from_request("w", graph, {f"{saver}.filename_prefix": "../../x"}, definitions, trusted=True)


@pytest.mark.parametrize("written", ["LTX\\base.safetensors", "a\\b/base.safetensors"])
def test_a_model_file_named_on_windows_is_named_with_forward_slashes(written: str, definitions: Definitions) -> None:
    graph = {"1": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": written}, "_meta": {"title": "LoRA"}}}

    fitted, notes = fit_to(graph, definitions)

    assert fitted["1"]["inputs"]["lora_name"] == written.replace("\\", "/")
    assert not any("lora_name" in text for text in texts_of(notes))


def test_a_prompt_keeps_its_backslashes(definitions: Definitions) -> None:
    text = "a \\(b\\)"
    graph = {"1": {"class_type": "CLIPTextEncode", "inputs": {"text": text}, "_meta": {"title": "Prompt"}}}

    fitted, _ = fit_to(graph, definitions)

    assert fitted["1"]["inputs"]["text"] == text
