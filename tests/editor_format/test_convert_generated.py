"""Workflows drawn at random, and templates changed and saved by the editor, held against the editor's own answers."""

import json
from typing import Any

from ltx_studio.editor_format.convert import to_api
from ltx_studio.graph.definitions import Definitions
from tests.editor_format import generated
from tests.editor_format.test_convert import meaning
from tests.rows import check_rows
from tests.support import GOLDEN_CHANGED, GOLDEN_GENERATED, load_golden_editor

GENERATED = load_golden_editor(GOLDEN_GENERATED)
CHANGED = load_golden_editor(GOLDEN_CHANGED)
"""Both made by `make golden`."""


def test_a_drawn_workflow_means_what_the_editor_says(definitions: Definitions) -> None:
    def check(number: str) -> None:
        assert meaning(to_api(generated.workflow(int(number)), definitions)) == meaning(GENERATED[number])

    check_rows([number for number, answer in GENERATED.items() if answer is not None], check)


def test_what_the_editor_takes_for_a_circle_is_read_all_the_same(definitions: Definitions) -> None:
    def check(number: str) -> None:
        assert to_api(generated.workflow(int(number)), definitions)

    check_rows([number for number, answer in GENERATED.items() if answer is None], check)


def test_the_drawn_workflows_have_what_they_are_drawn_for() -> None:
    files = [generated.workflow(int(number)) for number in GENERATED]
    texts = [json.dumps(file) for file in files]
    graphs = [[file, *file["definitions"]["subgraphs"]] for file in files]

    def count(holds: Any) -> int:
        return sum(map(holds, range(len(files))))

    def nodes(place: int) -> list[dict[str, Any]]:
        return [node for graph in graphs[place] for node in graph["nodes"]]

    def uses(place: int) -> list[str]:
        kinds = {graph["id"] for graph in graphs[place][1:]}
        return [node["type"] for node in nodes(place) if node["type"] in kinds]

    assert len([answer for answer in GENERATED.values() if answer is not None]) == 300
    assert count(lambda place: len(uses(place)) > len(set(uses(place)))) > 50
    assert count(lambda place: any(node["mode"] == 4 and node["type"] in uses(place) for node in nodes(place))) > 30
    assert count(lambda place: len({node["id"] for node in nodes(place)}) < len(nodes(place))) > 100
    for word in ("PrimitiveNode", "Reroute", "proxyWidgets", "Note", '"mode": 2', '"mode": 4'):
        assert count(lambda place, word=word: word in texts[place]) > 50, word


def test_a_template_that_the_editor_changed_and_saved_means_what_it_says(definitions: Definitions) -> None:
    def check(name: str) -> None:
        saved, answer = CHANGED[name]
        assert meaning(to_api(saved, definitions)) == meaning(answer)

    check_rows(sorted(CHANGED), check)


def test_the_changed_templates_are_all_that_this_comfyui_can_run() -> None:
    unchanged = load_golden_editor()

    assert len(CHANGED) >= 221
    assert sum(answer != unchanged.get(name) for name, (_, answer) in CHANGED.items()) > 200
