"""Links that other programs write in ways of their own mean what they mean to the editor."""

import json
from typing import Any

import pytest

from ltx_studio.editor_format.convert import to_api
from ltx_studio.graph.definitions import Definitions
from tests.editor_format.test_convert import meaning
from tests.editor_format.test_editor_nodes import CASES, SET_AND_GET, SHARED_IDS, Json


def other_number(value: Any) -> Any:
    """Return a file with every whole number but those of widgets as one with ``.0``."""
    if isinstance(value, dict):
        return {name: each if name == "widgets_values" else other_number(each) for name, each in value.items()}
    if isinstance(value, list):
        return [other_number(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def graphs_in(workflow: Json) -> list[Json]:
    """Return a file's graphs: the workflow, subgraphs, and what group nodes stand for."""
    subgraphs = (workflow.get("definitions") or {}).get("subgraphs") or []
    return [workflow, *subgraphs, *(workflow.get("extra") or {}).get("groupNodes", {}).values()]


ODDLY_WRITTEN = {
    **{name: workflow for name, (workflow, _) in (*SET_AND_GET.items(), *SHARED_IDS.items())},
    **{path.stem: json.loads(path.read_text()) for path in CASES.glob("*.json") if ".editor." not in path.name},
}


@pytest.mark.parametrize("name", ODDLY_WRITTEN)
def test_whole_numbers_may_be_written_with_a_point(name: str, definitions: Definitions) -> None:
    workflow = ODDLY_WRITTEN[name]

    graph = to_api(other_number(workflow), definitions)

    assert json.dumps(meaning(graph)) == json.dumps(meaning(to_api(workflow, definitions)))


@pytest.mark.parametrize("name", ODDLY_WRITTEN)
def test_a_link_that_is_null_is_skipped(name: str, definitions: Definitions) -> None:
    workflow = json.loads(json.dumps(ODDLY_WRITTEN[name]))
    for graph in graphs_in(workflow):
        graph["links"] = [None, *graph["links"], None]

    assert meaning(to_api(workflow, definitions)) == meaning(to_api(ODDLY_WRITTEN[name], definitions))
