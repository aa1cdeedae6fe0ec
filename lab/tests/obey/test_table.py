"""The table says of which files it is."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.obey import table
from lab.obey.__main__ import CARD, OUT
from lab.obey.measure import Clip
from lab.obey.renderer import build
from lab.obey.table import BEGIN, CASES, END, FAMILIES
from lab.obey.trials import Family
from ltx_studio.pocket import files
from ltx_studio.settings import Settings

CLIP = Clip(np.zeros((25, 192, 256, 3)), 24.0, np.zeros(16_000), 16_000)
DRAFT = replace(CLIP, frames=CLIP.frames[:, ::2, ::2])


def _lines(family: Family, cases: int = CASES) -> dict[str, dict[str, Any]]:
    row = {"cases": cases, "reached": 0.5, "share": 0.0, "met": False}
    return {line.name: {**row, "at_least": line.at_least} for line in family.lines}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_names_the_loras_that_its_graphs_load(name: str, settings: Settings, tmp_path: Path) -> None:
    loaded: set[str] = set()

    def render(
        mode: str, values: Mapping[str, Any], *, preset: str = "fast", strengths: Mapping[str, float] = {}
    ) -> Clip:
        graph = build(settings, mode, values, preset, strengths).graph
        loaded.update(node["inputs"]["lora_name"] for node in graph.values() if "lora_name" in node["inputs"])
        return DRAFT if preset == "draft" else CLIP

    FAMILIES[name].ask(render, 0, 1, tmp_path)

    own = {} if name != "LoRA: sketch" else {each: files.STYLE_LORA for each in loaded if "studio-" in each}
    by_name = {Path(each).name: each for each in files.ALL} | own  # a user's own is renamed
    assert {by_name[each] for each in loaded} == set(FAMILIES[name].loras)


def test_another_lora_leaves_the_families_that_do_not_load_it(tmp_path: Path) -> None:
    for name in files.ALL:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    path = tmp_path / "table.json"
    for name in ("i2v", "style"):
        table.put(path, FAMILIES[name], _lines(FAMILIES[name]), table.digest_of(FAMILIES[name], tmp_path))
    before = set(table.missing(table.read(path), tmp_path))

    (tmp_path / files.IC_LORA).write_bytes(b"trained further")

    assert {"i2v", "style"}.isdisjoint(before)
    assert set(table.missing(table.read(path), tmp_path)) - before == {"style"}


def test_what_was_asked_for_less_is_not_of_the_table(tmp_path: Path) -> None:
    family = FAMILIES["i2v"]
    for name in files.ALL:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    lines = _lines(family)
    found = {"i2v": {"weights": table.digest_of(family, tmp_path), "lines": lines}}

    assert "i2v" not in table.missing(found, tmp_path)
    found["i2v"]["lines"] = _lines(family, cases=2)
    assert "i2v" in table.missing(found, tmp_path)
    found["i2v"]["lines"] = lines
    lines["motion"]["at_least"] = 0.1
    assert "i2v" in table.missing(found, tmp_path)


def test_a_card_without_marks_is_left_alone(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"before\n{BEGIN}\nafter\n", encoding="utf-8")

    with pytest.raises(ValueError, match="marks"):
        table.write_card(card, {})

    assert "after" in card.read_text(encoding="utf-8")


def test_what_is_around_the_cards_table_stays(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")

    table.write_card(card, {"i2v": {"weights": "", "lines": _lines(FAMILIES["i2v"])}})

    text = card.read_text(encoding="utf-8")
    assert text.startswith(f"before\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\nafter\n")
    assert "old" not in text
    assert "| i2v | motion | **50%** | 90% | 100 |" in text


def test_a_line_that_was_not_asked_yet_is_missing_and_keeps_no_other_from_the_card(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    for name in files.ALL:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    family, lines = FAMILIES["i2v"], _lines(FAMILIES["i2v"])
    lines.pop("motion")
    asked = {"i2v": {"weights": table.digest_of(family, tmp_path), "lines": lines}}

    table.write_card(card, asked)

    assert "| i2v | frame 0 |" in card.read_text(encoding="utf-8")
    assert "i2v" in table.missing(asked, tmp_path)


def test_the_published_table_is_of_the_shipped_files() -> None:
    assert table.missing(table.read(OUT), files.SHIPPED) == []


def test_the_card_says_what_the_table_says(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(CARD.read_text(encoding="utf-8"), encoding="utf-8")

    table.write_card(card, table.read(OUT))

    assert card.read_text(encoding="utf-8") == CARD.read_text(encoding="utf-8")
