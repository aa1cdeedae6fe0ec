import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.editor_format.master import cut, write_modes
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.modes import MODES
from ltx_studio.settings import Settings
from tests.support import MASTER, ROOT, environment

COMMITTED = {path.stem: path for path in MASTER.parent.glob("*.json") if path != MASTER}


@pytest.fixture(scope="module")
def master() -> dict[str, Any]:
    workflow: dict[str, Any] = json.loads(MASTER.read_text(encoding="utf-8"))
    return workflow


def test_the_mode_files_are_cut_from_the_master_byte_for_byte(
    definitions: Definitions, settings: Settings, tmp_path: Path
) -> None:
    command = [sys.executable, "tools/extract_modes.py", "--master", str(MASTER), "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=environment(settings), check=True, capture_output=True)

    made = {path.stem: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {mode: path.read_bytes() for mode, path in COMMITTED.items()}
    assert set(made) == set(MODES)


def test_has_the_shared_groups_and_one_for_each_mode(master: dict[str, Any]) -> None:
    titles = {group["title"] for group in master["groups"]}

    shared = {"Models", "LoRA", "Settings", "Prompt", "Load audio", "Load images", "Load video", "Output"}
    assert shared < titles
    assert sorted(title[:2] for title in titles - shared) == ["01", "02", "03", "04", "05", "06"]


def test_what_is_muted_does_not_change_what_is_cut(
    master: dict[str, Any], definitions: Definitions, tmp_path: Path
) -> None:
    for node in master["nodes"]:
        node["mode"] = 4

    written = write_modes(cut(master, definitions), tmp_path)

    assert {path.stem: path.read_bytes() for path in written} == {
        mode: path.read_bytes() for mode, path in COMMITTED.items()
    }


def test_the_cut_follows_the_graph_and_not_where_nodes_lie(
    master: dict[str, Any], definitions: Definitions, tmp_path: Path
) -> None:
    for node in master["nodes"]:
        node["pos"] = [0, 0]

    assert set(cut({**master, "groups": []}, definitions)) == set(MODES)


@pytest.mark.parametrize(
    "broken", [{}, {"nodes": [], "links": []}, {"nodes": [5], "links": []}, {"1": {"class_type": "A", "inputs": {}}}]
)
def test_what_is_no_master_is_refused(broken: dict[str, Any], definitions: Definitions) -> None:
    with pytest.raises(WorkflowError, match="master"):
        cut(broken, definitions)
