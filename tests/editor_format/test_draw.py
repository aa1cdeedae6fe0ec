"""Graphs in API format, drawn for the editor, mean the same again."""

from typing import Any

import pytest

from ltx_studio.editor_format.convert import to_api
from ltx_studio.editor_format.draw import to_editor
from ltx_studio.errors import WorkflowError
from ltx_studio.families.ltx_2_3 import PRESETS
from ltx_studio.graph.definitions import Definitions
from ltx_studio.media import by_name
from ltx_studio.modes import MODES
from tests.support import MODEL_SETS

CASES = [(mode, preset, model_set) for mode in MODES for preset in PRESETS for model_set in ("pocket", "fp8")]


def graph_of(mode: str, preset: str = "fast", model_set: str = "pocket", **changes: Any) -> dict[str, Any]:
    used = MODEL_SETS[model_set]
    params = MODES[mode].example(used, everything=MODES[mode].is_possible(used, PRESETS[preset], everything=True))
    graph = MODES[mode].build(params.model_copy(update=changes), used, PRESETS[preset], by_name).graph
    return {node_id: dict(node) for node_id, node in graph.items()}


@pytest.mark.parametrize(("mode", "preset", "model_set"), CASES)
def test_a_drawn_graph_means_the_same_again(mode: str, preset: str, model_set: str, definitions: Definitions) -> None:
    graph = graph_of(mode, preset, model_set)

    assert to_api(to_editor(graph, definitions), definitions) == graph


@pytest.mark.parametrize("prompt", ["{red|blue} ball", "a|b", "}{", "plain"])
def test_a_prompt_with_braces_stays_what_it_is(prompt: str, definitions: Definitions) -> None:
    graph = graph_of("t2v", prompt=prompt)

    assert to_api(to_editor(graph, definitions), definitions) == graph


@pytest.mark.parametrize("prompt", ["see http://example.com", "/* a */ ball", "back\\slash {a|b}", "\\"])
def test_what_the_editor_would_change_in_a_prompt_gets_a_node_of_its_own(prompt: str, definitions: Definitions) -> None:
    graph = graph_of("t2v", prompt=prompt)

    meant = to_api(to_editor(graph, definitions), definitions)

    (own,) = set(meant) - set(graph)
    (reader,) = (node for node in meant.values() if node["inputs"].get("text") == [own, 0])
    assert meant[own]["inputs"] == {"value": prompt}
    assert reader["_meta"]["title"] == "Prompt"


def test_no_node_lies_on_another_and_links_lead_to_the_right(definitions: Definitions) -> None:
    drawn = to_editor(graph_of("lipsync"), definitions, "a note")
    boxes = {node["id"]: (*node["pos"], *node["size"]) for node in drawn["nodes"]}

    for one, (x, y, width, height) in boxes.items():
        for other, (left, top, wide, high) in boxes.items():
            apart = x + width <= left or left + wide <= x or y + height <= top or top + high <= y
            assert one == other or apart, (one, other)
    assert all(boxes[origin][0] < boxes[target][0] for _, origin, _, target, _, _ in drawn["links"])


def test_a_class_that_is_not_there_is_named(definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="NoSuchNode"):
        to_editor({"1": {"class_type": "NoSuchNode", "inputs": {}}}, definitions)


def test_nodes_of_subgraphs_get_numbers_of_their_own(definitions: Definitions) -> None:
    graph = graph_of("t2v")
    named = {f"267:{node_id}": {**node, "inputs": dict(node["inputs"])} for node_id, node in graph.items()}
    for node in named.values():
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                node["inputs"][name] = [f"267:{value[0]}", value[1]]

    meant = to_api(to_editor(named, definitions), definitions)

    def titled(graph: dict[str, Any]) -> dict[str, Any]:
        titles = {node_id: node["_meta"]["title"] for node_id, node in graph.items()}
        return {
            titles[node_id]: {
                name: (titles[value[0]], value[1]) if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            }
            for node_id, node in graph.items()
        }

    assert titled(meant) == titled(graph)
