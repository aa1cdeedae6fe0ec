"""`ltx-studio workflow check` lists everything that is wrong with a workflow, and each remedy can be followed."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Terminal
from tests.support import TEMPLATES

CASES = Path(__file__).parents[1] / "graph" / "cases"


def graph(**changes: Any) -> dict[str, Any]:
    image = {"width": 64, "height": 64, "batch_size": 1, "color": 0}
    scale = {"image": ["1", 0], "upscale_method": "lanczos", "width": 32, "height": 32, "crop": "disabled"}
    return {
        "1": {"class_type": "EmptyImage", "inputs": {**image, **changes}},
        "2": {"class_type": "ImageScale", "inputs": scale | {name: changes[name] for name in scale if name in changes}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }


def write(path: Path, data: Any) -> str:
    path.write_text(json.dumps(data))
    return str(path)


def test_lists_every_problem_and_each_remedy_works(terminal: Terminal, tmp_path: Path) -> None:
    file = write(tmp_path / "w.json", graph(width=0, batch_size="many", crop="round"))

    out = terminal("workflow", "check", file, rc=2)

    lines = out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{file}: ") for line in lines)
    assert f"{file}: 3 problems." in terminal.err
    advised = [shlex.split(found)[0] for found in re.findall(r"`--set ([^`]+)`", out)]
    assert len(advised) == 3
    made = terminal.json("workflow", "run", file, *(part for each in advised for part in ("--set", each)))
    assert Path(made["path"]).is_file()


def test_the_form_shows_what_is_wrong(terminal: Terminal, tmp_path: Path) -> None:
    file = write(tmp_path / "w.json", graph(crop="round"))

    (field,) = terminal.json("workflow", "form", file)

    assert (field["key"], field["value"], field["choices"]) == ("2.crop", "round", ["disabled", "center"])
    assert "crop is 'round'" in terminal.err


def test_checks_the_other_files_although_one_is_bad(terminal: Terminal, tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.json", graph()), write(tmp_path / "bad.json", graph(crop="round"))
    none = write(tmp_path / "none.json", {"a": 1})

    out = terminal("workflow", "check", none, bad, good, rc=2)

    assert f"{good}: ok, 3 nodes" in out
    assert "'round'" in out
    assert "none.json contains no workflow" in out
    assert f"{none}, {bad}: 2 problems." in terminal.err


def test_a_newer_workflow_is_ok_with_a_note(terminal: Terminal) -> None:
    ok, note = terminal("workflow", "check", str(CASES / "newer-create-video.json")).splitlines()

    assert ok.endswith("newer-create-video.json: ok, 3 nodes")
    assert note.startswith("  note: Create Video: bit_depth 'auto' needs ComfyUI 0.33")


def test_official_templates_are_ok_with_notes(terminal: Terminal) -> None:
    files = sorted(map(str, TEMPLATES.glob("video_ltx2_3_*.json")))

    out = terminal("workflow", "check", *files)
    mapped = terminal("workflow", "check", "--map-models", "pocket", *files)

    assert sum(": ok, " in line for line in out.splitlines()) == len(files) == 6
    assert "Set it with `--set 269.image=PATH`" in out
    assert "--map-models pocket" in out
    assert "missing model files" not in mapped
    assert terminal("workflow", "check", "--map-models", "nothing", *files, rc=2) == ""
    assert "There is no model set 'nothing'" in terminal.err


@pytest.mark.parametrize("name", ["C:\\Users\\me\\x.png", "clipspace/clipspace-mask-1.png [input]", "x.bmp", ""])
def test_a_picture_from_another_machine_is_asked_for(name: str, terminal: Terminal, tmp_path: Path) -> None:
    data = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }

    ok, note = terminal("workflow", "check", write(tmp_path / "w.json", data)).splitlines()

    assert ok.endswith("w.json: ok, 2 nodes")
    assert "Set it with `--set 1.image=PATH`" in note


def test_what_wants_trust_is_said(terminal: Terminal, tmp_path: Path) -> None:
    data = {
        "1": {"class_type": "RegexMatch", "inputs": {"string": "a", "regex_pattern": "a", "case_insensitive": True}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }

    assert "`--trust`" in terminal("workflow", "check", write(tmp_path / "w.json", data))


def test_lists_the_other_problems_of_a_drawn_workflow_whose_nodes_are_missing(
    terminal: Terminal, tmp_path: Path
) -> None:
    image = {
        "id": 1,
        "type": "EmptyImage",
        "widgets_values": [64, 64, 0, 0],
        "outputs": [{"type": "IMAGE", "links": [1]}],
    }
    other = {
        "id": 2,
        "type": "VendorSharpen",
        "inputs": [{"name": "image", "type": "IMAGE", "link": 1}],
        "outputs": [{"type": "IMAGE", "links": [2]}],
    }
    save = {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 2}]}
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]]
    file = write(tmp_path / "drawn.json", {"nodes": [image, other, save], "links": links})

    missing, wrong = terminal("workflow", "check", file, rc=2).splitlines()

    assert "lacks 1 node of this workflow: VendorSharpen" in missing
    assert "batch_size" in wrong
