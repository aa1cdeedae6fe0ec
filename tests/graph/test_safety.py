"""What a workflow from anywhere could do is known before anything of it runs."""

from typing import Any

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.graph import check_graph
from ltx_studio.graph.safety import check_safety, harmless
from tests.graph.test_form import node
from tests.support import editor_workflows, load_golden_editor


def test_the_list_names_only_nodes_that_there_are_and_the_studios_own(definitions: Definitions) -> None:
    assert [name for name in harmless() if name not in definitions] == []
    assert "LTXStudioGuider" in harmless()


@pytest.mark.parametrize("name", [name for name in editor_workflows() if name.startswith("video_ltx2_3")])
def test_comfyuis_own_ltx_templates_are_safe(name: str, definitions: Definitions) -> None:
    check_safety(load_golden_editor()[name], definitions, trusted=False)


@pytest.mark.parametrize(
    "bad",
    [
        node("LoadImage", image="/etc/passwd"),
        node("LoadImage", image="../../../etc/passwd"),
        node("LoadImage", image="..\\..\\secret.png"),
        node("LoadVideo", file="~/secret.mp4"),
        node("LoadAudio", audio="C:\\secret.wav"),
        node("SaveImage", filename_prefix="../outside", images=["1", 0]),
        node("SaveVideo", filename_prefix="/tmp/outside", video=["1", 0]),
        node("SaveImage", filename_prefix="a/../../outside", images=["1", 0]),
        node("SaveImage", filename_prefix=["1", 0], images=["1", 0]),
        node("VAELoader", vae_name=["1", 0]),
        node("LoadImage", image=["1", 0]),
        node("LoadImage", image="somebody's.png [output]"),
        node("LoadVideo", file="clip.mp4 [temp] "),
        node("SaveImage", filename_prefix={"__value__": ["1", 0]}, images=["1", 0]),
        node("SaveImage", filename_prefix="x" * 300, images=["1", 0]),
        node("SaveImage", filename_prefix="😀" * 60, images=["1", 0]),
        node("VAELoader", vae_name={"__value__": "x.safetensors"}),
    ],
)
@pytest.mark.parametrize("trusted", [False, True])
def test_a_path_that_leaves_the_studio_is_refused_always(
    bad: dict[str, Any], trusted: bool, definitions: Definitions
) -> None:
    graph = {"1": node("PrimitiveString", value="../x"), "2": bad}

    with pytest.raises(WorkflowError) as refused:
        check_safety(graph, definitions, trusted=trusted)

    assert refused.value.hint


@pytest.mark.parametrize(
    "bad",
    [
        node("CheckpointSave", filename_prefix="x"),
        node("LoadImageDataSetFromFolder", folder="x"),
        node("TrainLoraNode"),
        node("GLSLShader", fragment_shader="void main() {}"),
        node("LoadImageOutput", image="somebody's.png"),
        node("RegexMatch", string="aaaa", regex_pattern="(a+)+$"),
    ],
)
def test_a_node_that_may_do_more_asks_for_a_yes(bad: dict[str, Any], definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match=bad["class_type"]) as refused:
        check_safety({"1": bad}, definitions, trusted=False)

    assert refused.value.advice == Advice.to(Do.TRUST)
    check_safety({"1": bad}, definitions, trusted=True)


def test_an_unknown_node_is_refused_always(definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="ReadAnyFile"):
        check_safety({"1": node("ReadAnyFile", path="/etc/passwd")}, definitions, trusted=True)


def test_a_prompt_may_begin_with_a_slash(definitions: Definitions) -> None:
    check_safety({"1": node("CLIPTextEncode", text="/imagine .. ~ C:\\")}, definitions, trusted=False)


def test_a_value_that_is_nested_beyond_measure_is_refused() -> None:
    deep: list[object] = []
    for _ in range(900):
        deep = [deep]

    with pytest.raises(WorkflowError, match="levels of lists and objects"):
        check_graph({"1": node("CLIPTextEncode", text=deep)})
