"""The verdict from the node definitions alone, held against that of ComfyUI's own validation."""

import asyncio
import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot, use_folders
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.validate import validate
from ltx_studio.settings import Settings
from tests.rows import check_rows
from tests.support import load_golden_editor, small_workflow

ANSWERS = load_golden_editor()
FILES = {"safetensors", "pth", "png", "jpg", "jpeg", "webp", "mp3", "wav", "mp4"}


def refused_by_comfyui(settings: Settings, graph: dict[str, Any]) -> bool:
    """Whether ComfyUI itself finds fault with anything but files that are not there."""
    comfy = boot(settings)
    use_folders(comfy, settings)
    _, error, _, node_errors = asyncio.run(comfy.execution.validate_prompt("check", copy.deepcopy(graph), None))
    problems = [problem for found in node_errors.values() for problem in found["errors"]]
    return (error is not None and error["type"] != "prompt_outputs_failed_validation") or any(
        problem["type"] != "custom_validation_failed"
        and str(problem["extra_info"].get("received_value")).rpartition(".")[2] not in FILES
        for problem in problems
    )


def test_agrees_with_comfyui(definitions: Definitions, engine: Engine, settings: Settings) -> None:
    def check(name: str) -> None:
        refused = refused_by_comfyui(settings, ANSWERS[name])

        with pytest.raises(WorkflowError) if refused else nullcontext():
            validate(ANSWERS[name], definitions)

    check_rows(sorted(ANSWERS), check)


def test_both_verdicts_occur() -> None:
    """Some official templates do not fit ComfyUI 0.30.0: Create Video's bit_depth was another kind of field."""
    bit_depths = [
        node["inputs"]["bit_depth"]
        for node in ANSWERS["video_ltx2_3_t2v.json"].values()
        if node["class_type"] == "CreateVideo"
    ]

    assert bit_depths == ["auto"]


def test_takes_the_studios_own_graph(definitions: Definitions) -> None:
    validate(small_workflow().graph, definitions)


@pytest.mark.parametrize(
    ("title", "change", "said"),
    [
        ("Prompt", lambda inputs: inputs.pop("text"), "Prompt: text is missing"),
        ("Empty video", lambda inputs: inputs.update(width=0), "Empty video: width is 0"),
        ("Empty video", lambda inputs: inputs.update(length="long"), "Empty video: length is 'long'"),
        ("Stage 1 sampler", lambda inputs: inputs.update(sampler_name="warp"), "sampler_name is 'warp'"),
        ("Prompt", lambda inputs: inputs.update(clip="gemma"), "Prompt: clip is 'gemma'"),
        ("Prompt", lambda inputs: inputs.update(text=["a", "b", "c"]), "Prompt: text is ['a', 'b', 'c']"),
        ("Video", lambda inputs: inputs.update(images=["3", 0]), "Video: images needs IMAGE, not"),
        ("Video", lambda inputs: inputs.update(images=["3", 7]), "comes from output 7"),
        ("Save t2v", lambda inputs: inputs.update({"codec.encoding": "magic"}), "codec.encoding is 'magic'"),
        ("Save t2v", lambda inputs: inputs.update({"codec.encoding.crf": 99}), "codec.encoding.crf is 99"),
    ],
)
def test_names_the_node_the_input_and_what_was_expected(
    title: str, change: Callable[[dict[str, Any]], object], said: str, definitions: Definitions
) -> None:
    graph = copy.deepcopy(dict(small_workflow().graph))
    change(next(node["inputs"] for node in graph.values() if node["_meta"]["title"] == title))

    with pytest.raises(WorkflowError) as caught:
        validate(graph, definitions)

    assert said in caught.value.message
    assert caught.value.where == title
    assert caught.value.hint


def test_what_no_output_needs_is_not_looked_at(definitions: Definitions) -> None:
    loose = {"class_type": "ImageInvert", "inputs": {}, "_meta": {"title": "Loose"}}

    validate({**small_workflow().graph, "99": loose}, definitions)


def test_a_node_that_waits_for_itself_is_refused(definitions: Definitions) -> None:
    graph = {
        "1": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}, "_meta": {"title": "There"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}, "_meta": {"title": "Back"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }

    with pytest.raises(WorkflowError, match="depends on its own output"):
        validate(graph, definitions)
