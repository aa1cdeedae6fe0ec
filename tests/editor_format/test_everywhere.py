"""Links without a wire, as the pack Use Everywhere notes them in a file."""

from typing import Any

import pytest

from ltx_studio.editor_format.convert import BYPASSED, to_api
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from tests.editor_format.test_editor_nodes import UUID, Canvas, Json

EVERYWHERE = ["Anything Everywhere", "Anything Everywhere?", "Anything Everywhere3", "Prompts Everywhere"]


def noted(upstream: Any, downstream: Any, slot: int = 0) -> Json:
    return {
        "downstream": downstream,
        "downstream_slot": slot,
        "upstream": upstream,
        "upstream_slot": 0,
        "controller": 2,
        "type": "IMAGE",
    }


def with_notes(file: Json, *notes: Json) -> Json:
    return {**file, "extra": {"ue_links": list(notes)}}


def spread(kind: str = EVERYWHERE[0], *saves: int, **more: Any) -> Canvas:
    canvas = Canvas()
    canvas.add(2, kind, (("anything", "*", canvas.image(1)),), **more)
    for number in saves:
        canvas.save(number, None)
    return canvas


@pytest.mark.parametrize("kind", EVERYWHERE)
@pytest.mark.parametrize("upstream", ["1", 1])
def test_what_goes_everywhere_arrives(kind: str, upstream: Any, definitions: Definitions) -> None:
    file = with_notes(spread(kind, 3, 4).file(), noted(upstream, 3), noted(upstream, 4))

    graph = to_api(file, definitions)

    assert set(graph) == {"1", "3", "4"}
    assert [graph[key]["inputs"]["images"] for key in ("3", "4")] == [["1", 0]] * 2


def test_a_node_that_goes_nowhere_leaves_no_trace(definitions: Definitions) -> None:
    canvas = spread()
    canvas.save(3, 1)

    assert set(to_api(with_notes(canvas.file()), definitions)) == {"1", "3"}


def test_a_wire_comes_before_what_is_noted(definitions: Definitions) -> None:
    canvas = spread()
    canvas.save(3, canvas.image(5))

    graph = to_api(with_notes(canvas.file(), noted("1", 3)), definitions)

    assert graph["3"]["inputs"]["images"] == ["5", 0]


@pytest.mark.parametrize("shared", [False, True], ids=["own ids", "ids of the workflow"])
def test_what_goes_everywhere_in_a_subgraph_arrives_there(shared: bool, definitions: Definitions) -> None:
    first = 1 if shared else 21
    inner, canvas = Canvas(), Canvas()
    inner.add(first + 1, EVERYWHERE[0], (("anything", "*", inner.image(first)),))
    inner.add(first + 2, "ImageInvert", (("image", "IMAGE", None),), "IMAGE")
    subgraph = with_notes(inner.subgraph(UUID.format(1), first + 2), noted(str(first), first + 2))
    canvas.image(1)
    canvas.image(2)
    canvas.save(4, canvas.add(3, UUID.format(1), out="IMAGE"))

    graph = to_api(canvas.file(subgraph), definitions)

    key = graph["4"]["inputs"]["images"][0]
    assert graph[key]["class_type"] == "ImageInvert"
    assert graph[graph[key]["inputs"]["image"][0]]["class_type"] == "EmptyImage"
    assert graph[key]["inputs"]["image"][0].startswith("3:")


def test_an_output_of_a_subgraph_may_be_fed_so(definitions: Definitions) -> None:
    inner, canvas = Canvas(), Canvas()
    inner.add(22, EVERYWHERE[0], (("anything", "*", inner.image(21)),))
    subgraph = inner.subgraph(UUID.format(1))
    subgraph["outputs"] = [{"id": "out", "name": "IMAGE", "type": "IMAGE", "linkIds": []}]
    canvas.save(4, canvas.add(3, UUID.format(1), out="IMAGE"))

    graph = to_api(canvas.file(with_notes(subgraph, noted("21", -20))), definitions)

    assert graph["4"]["inputs"]["images"] == ["3:21", 0]


@pytest.mark.parametrize(
    "notes",
    [
        [noted("1", 3), noted("1", 7)],
        [noted("8", 3)],
        [noted("1", 3, slot=4)],
        [noted("1", -20)],
        [{"downstream": 3}],
        ["something"],
        [{**noted("1", 3), "upstream_slot": "0"}],
    ],
)
def test_notes_that_do_not_fit_are_no_wires(notes: list[Any], definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="lacks 1 node of this workflow: Anything Everywhere"):
        to_api(with_notes(spread(EVERYWHERE[0], 3).file(), *notes), definitions)


def test_a_file_without_notes_misses_the_node(definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="Anything Everywhere"):
        to_api(spread(EVERYWHERE[0], 3).file(), definitions)


def test_a_node_that_makes_what_it_spreads_is_still_missing(definitions: Definitions) -> None:
    canvas = Canvas()
    canvas.add(1, "Seed Everywhere", out="INT")
    canvas.save(4, canvas.image(3))

    with pytest.raises(WorkflowError, match="Seed Everywhere"):
        to_api(with_notes(canvas.file()), definitions)


def test_a_bypassed_node_needs_no_notes(definitions: Definitions) -> None:
    canvas = spread(EVERYWHERE[0], mode=BYPASSED)
    canvas.save(3, 1)

    assert set(to_api(canvas.file(), definitions)) == {"1", "3"}


def test_many_notes_for_one_node_take_no_time(definitions: Definitions) -> None:
    canvas = spread(EVERYWHERE[0], 3)
    canvas.nodes[2]["inputs"] *= 3000

    graph = to_api(with_notes(canvas.file(), *[noted("1", 3, slot) for slot in range(3000)]), definitions)

    assert graph["3"]["inputs"]["images"] == ["1", 0]
