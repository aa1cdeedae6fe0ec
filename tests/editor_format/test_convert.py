"""Editor format → API format, held against the answers of ComfyUI's own editor."""

import json
from typing import Any

import pytest

from ltx_studio.editor_format.convert import BYPASSED, MUTED, to_api
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from tests.rows import check_rows
from tests.support import MASTER, OWN_WORKFLOWS, editor_workflows, load_golden_editor

ANSWERS = load_golden_editor()


def meaning(graph: dict[str, Any]) -> dict[str, Any]:
    """Ids, classes and inputs. Titles are for reading; the editor translates those that the user did not give."""
    return {node_id: (node["class_type"], node["inputs"]) for node_id, node in graph.items()}


def test_a_template_means_what_the_editor_says(definitions: Definitions) -> None:
    files = editor_workflows()

    def check(name: str) -> None:
        assert meaning(to_api(json.loads(files[name].read_text()), definitions)) == meaning(ANSWERS[name])

    check_rows(sorted(ANSWERS), check)


def test_the_answers_cover_every_ltx_template_that_this_comfyui_can_run() -> None:
    own = {path.name for path in OWN_WORKFLOWS.iterdir()} | {MASTER.name}

    assert own < set(ANSWERS)
    assert len(set(ANSWERS) - own) == 221
    assert {"video_ltx2_3_t2v.json", "video_ltx2_3_i2v.json", "video_ltx2_3_ia2v.json"} < set(ANSWERS)
    assert {"video_ltx2_3_flf2v.json", "video_ltx2_3_ic_lora.json", "video_ltx2_3_id_lora.json"} < set(ANSWERS)


def workflow(*nodes: dict[str, Any], links: list[list[Any]]) -> dict[str, Any]:
    return {"last_node_id": 9, "nodes": list(nodes), "links": links, "definitions": {}}


def loader(number: int, **changes: Any) -> dict[str, Any]:
    outputs = [{"name": "IMAGE", "type": "IMAGE"}, {"name": "MASK", "type": "MASK"}]
    return {"id": number, "type": "LoadImage", "widgets_values": ["a.png", "image"], "outputs": outputs, **changes}


def invert(number: int, link: int | None, **changes: Any) -> dict[str, Any]:
    inputs = [{"name": "image", "type": "IMAGE", "link": link}]
    return {"id": number, "type": "ImageInvert", "inputs": inputs, "outputs": [{"type": "IMAGE"}], **changes}


def preview(number: int, link: int) -> dict[str, Any]:
    return {"id": number, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": link}]}


CHAIN = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]]


def test_a_bypassed_node_passes_its_input_on(definitions: Definitions) -> None:
    graph = to_api(workflow(loader(1), invert(2, 1, mode=BYPASSED), preview(3, 2), links=CHAIN), definitions)

    assert set(graph) == {"1", "3"}
    assert graph["3"]["inputs"] == {"images": ["1", 0]}


def test_what_a_muted_node_would_have_fed_is_not_fed(definitions: Definitions) -> None:
    graph = to_api(workflow(loader(1), invert(2, 1, mode=MUTED), preview(3, 2), links=CHAIN), definitions)

    assert graph["3"]["inputs"] == {}


def test_reroutes_and_notes_leave_no_trace(definitions: Definitions) -> None:
    reroute = {"id": 2, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": 1}], "outputs": [{"type": "*"}]}
    note = {"id": 4, "type": "MarkdownNote", "widgets_values": ["hello"]}

    graph = to_api(workflow(loader(1), reroute, preview(3, 2), note, links=CHAIN), definitions)

    assert graph["3"]["inputs"] == {"images": ["1", 0]}
    assert set(graph) == {"1", "3"}


def test_a_title_of_the_users_own_is_kept(definitions: Definitions) -> None:
    graph = to_api(workflow(loader(1, title="Portrait"), loader(2), links=[]), definitions)

    assert [graph[key]["_meta"]["title"] for key in ("1", "2")] == ["Portrait", "Load Image"]


def test_an_unknown_node_is_named_with_where_it_comes_from(definitions: Definitions) -> None:
    pack = loader(1, type="VHS_LoadVideo", properties={"cnr_id": "comfyui-videohelpersuite"})
    newer = loader(2, type="LTXVDualCFGGuider", properties={"cnr_id": "comfy-core"})

    with pytest.raises(WorkflowError) as caught:
        to_api(workflow(pack, newer, links=[]), definitions)

    assert "VHS_LoadVideo (from comfyui-videohelpersuite)" in caught.value.message
    assert "LTXVDualCFGGuider (from ComfyUI 0.32)" in caught.value.message


def test_links_in_a_circle_are_refused(definitions: Definitions) -> None:
    circle = [[1, 2, 0, 1, 0, "IMAGE"], [2, 1, 0, 2, 0, "IMAGE"], [3, 2, 0, 3, 0, "IMAGE"]]
    nodes = (invert(1, 1, mode=BYPASSED), invert(2, 2, mode=BYPASSED), preview(3, 3))

    with pytest.raises(WorkflowError, match="loop"):
        to_api(workflow(*nodes, links=circle), definitions)


@pytest.mark.parametrize(
    "damage",
    [{"nodes": [{}]}, {"nodes": [{"id": 1}]}, {"links": [[1]]}, {"links": 5}, {"definitions": {"subgraphs": [{}]}}],
)
def test_a_damaged_workflow_is_refused_in_words(damage: dict[str, Any], definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="damaged"):
        to_api({**workflow(loader(1), preview(3, 1), links=CHAIN), **damage}, definitions)
