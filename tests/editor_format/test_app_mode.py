"""The inputs that a workflow's author has chosen for app mode, however the editor has written them."""

from typing import Any

import pytest

from ltx_studio.editor_format.app_mode import Chosen, chosen_inputs

GRAPH_ID = "e13112f7-3d09-4ae1-9e84-633a0627d945"


def subgraph(name: str, nodes: list[Any], inputs: list[Any], links: list[tuple[int, int, int]]) -> dict[str, Any]:
    """One whose inputs lead to inputs of its nodes: slot, node, slot of the node."""
    made = [{"origin_id": -10, "origin_slot": slot, "target_id": to, "target_slot": at} for slot, to, at in links]
    return {"id": name, "nodes": nodes, "inputs": inputs, "links": made}


def workflow(*chosen: Any) -> dict[str, Any]:
    """Two subgraphs, one in the other, in node 12; a picture in node 41."""
    encoder = {"id": 5, "type": "CLIPTextEncode", "inputs": [{"name": "clip"}, {"name": "text"}]}
    inner = subgraph("inner", [encoder], [{"name": "words", "label": "What you see"}], [(0, 5, 1)])
    within = {"id": 7, "type": "inner", "inputs": [{"name": "words"}]}
    sampler = {"id": 6, "type": "KSampler", "inputs": [{"name": "steps"}]}
    outer = subgraph("outer", [within, sampler], [{"name": "prompt"}, {"name": "steps"}], [(0, 7, 0), (1, 6, 0)])
    return {
        "nodes": [
            {"id": 41, "type": "LoadImage", "inputs": []},
            {"id": 12, "type": "outer", "properties": {"proxyWidgets": [["6", "cfg"]]}},
        ],
        "definitions": {"subgraphs": [outer, inner]},
        "extra": {"linearData": {"inputs": list(chosen), "outputs": ["46"]}},
    }


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (["41", "image"], Chosen("41", "image")),
        ([41, "image", {"height": 200}], Chosen("41", "image")),
        (["12:7:5", "text"], Chosen("12:7:5", "text")),
        (["12", "prompt"], Chosen("12:7:5", "text", "prompt")),
        ([f"{GRAPH_ID}:12:prompt", "prompt"], Chosen("12:7:5", "text", "prompt")),
        ([f"{GRAPH_ID}:41:image", "image"], Chosen("41", "image")),
        (["12", "steps"], Chosen("12:6", "steps", "steps")),
        (["12", "cfg"], Chosen("12:6", "cfg")),
        (["5", "text"], Chosen("12:7:5", "text")),
    ],
)
def test_an_input_is_found_by_every_name_it_has(entry: list[Any], found: Chosen) -> None:
    assert chosen_inputs(workflow(entry)) == [found]


@pytest.mark.parametrize(
    "entry", [["99", "text"], ["12", "unknown"], [{}, "text"], ["41"], [], None, "41", 7, ["41", 5], [[], []]]
)
def test_what_names_no_input_is_left_out(entry: Any) -> None:
    assert chosen_inputs(workflow(entry, ["41", "image"])) == [Chosen("41", "image")]


@pytest.mark.parametrize(
    "extra", [None, [], {}, {"linearData": None}, {"linearData": []}, {"linearData": {"inputs": 5}}]
)
def test_a_workflow_without_app_mode_has_none(extra: Any) -> None:
    assert chosen_inputs({**workflow(), "extra": extra}) == []


def test_subgraphs_that_hold_themselves_end() -> None:
    loop = subgraph("loop", [{"id": 1, "type": "loop"}] * 3, [{"name": "x"}], [(0, 1, 0)])
    loop["nodes"] = [{"id": 1, "type": "loop", "inputs": [{"name": "x"}]}]
    told = {
        "nodes": [{"id": 1, "type": "loop"}],
        "definitions": {"subgraphs": [loop]},
        "extra": {"linearData": {"inputs": [["1", "x"], ["2", "x"]]}},
    }

    assert chosen_inputs(told) == []
