"""What any workflow does is told in phases."""

from typing import Any

import pytest

from ltx_studio.graph.phases import phases_of
from ltx_studio.media import by_name
from tests.graph.test_form import node
from tests.support import load_golden_editor, small_spec


def test_a_graph_of_two_samplers_has_the_stages_that_its_mode_has() -> None:
    graph = {node_id: dict(each) for node_id, each in small_spec().build(by_name).graph.items()}

    told = [(phase.id, phase.label) for phase in phases_of(graph)]

    assert told == [
        ("load", "Load models"),
        ("prompt", "Read prompt"),
        ("stage1", "Sample 1"),
        ("upscale1", "Upscale"),
        ("stage2", "Sample 2"),
        ("decode2", "Decode"),
        ("save", "Save"),
    ]


def test_one_sampler_is_not_counted_and_two_nodes_of_one_title_are_told_apart() -> None:
    graph: dict[str, Any] = {
        "1": node("KSampler", "Same"),
        "2": node("VAEDecode", "Same", samples=["1", 0]),
        "3": node("SaveImage", images=["2", 0]),
    }

    assert [(phase.label, phase.nodes) for phase in phases_of(graph)] == [
        ("Sample", ("1",)),
        ("Decode", ("2",)),
        ("Save", ("3",)),
    ]


@pytest.mark.parametrize("name", [name for name in load_golden_editor() if name.startswith("video_")])
def test_each_stage_of_comfyuis_templates_is_named_once_and_saving_is_the_last(name: str) -> None:
    phases = [phase.id for phase in phases_of(load_golden_editor()[name])]

    assert len(set(phases)) == len(phases)
    assert phases[-1:] in ([], ["save"])
