"""Many requests on the page: what the preview says of lines and files, and what is added to the queue."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels.batch import BatchPanel
from ltx_studio.web.shared import Shared
from tests.support import MODEL_SETS

HOSTILE = "<img src=x onerror=alert(1)>"
REQUEST = gr.Request(cookies={}, session_hash="tab")


class Screen:
    """Stands for the run panel: notes what it is asked to follow."""

    def __init__(self) -> None:
        self.followed: list[str] = []

    def follow(self, jobs: Any, request: gr.Request, notes: Any) -> Iterator[Any]:
        self.followed += jobs
        yield notes


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(home=tmp_path, hub_cache=tmp_path / "hub"))


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def panel(studio: Studio, screen: Screen) -> BatchPanel:
    owners = Owners()
    owners.apart = False
    return BatchPanel(studio, owners, screen, MODEL_SETS["pocket"], Shared(MODEL_SETS["pocket"]))  # type: ignore[arg-type]


def preview(panel: BatchPanel, lines: str = "", file: Path | None = None) -> tuple[str, Mapping[str, Any]]:
    """The card, and the update of the button."""
    _, card, button = panel._preview(lines, None if file is None else str(file), "draft")
    return card, button


def test_pasted_lines_are_shown_counted_and_added(panel: BatchPanel, studio: Studio, screen: Screen) -> None:
    lines = "\n".join(["a red ball", "", HOSTILE, *(f"ball {number}" for number in range(5))])
    card, button = preview(panel, lines)

    assert "7 clips" in card
    assert card.count('<span class="prompt"') == 5
    assert "and 2 more" in card
    assert "Text to video · Draft" in card
    assert "<img" not in card
    assert (button["value"], button["interactive"]) == ("Add 7 clips to queue", True)

    said, _, _, text, _, jobs = panel._add(lines, None, "draft", REQUEST)
    assert "7 clips added to the queue." in said
    assert text == ""
    assert [studio.jobs.get(job, LOCAL).prompt for job in jobs][:2] == ["a red ball", HOSTILE]
    assert list(panel._follow(jobs, REQUEST)) == [["7 clips added to the queue."]]
    assert screen.followed == list(jobs)


@pytest.mark.parametrize(
    ("name", "text", "prompts", "told"),
    [
        ("ten.txt", "a red ball\na cube, blue\n", ["a red ball", "a cube, blue"], ""),
        ("ten.csv", "a red ball\na cube, blue\n", ["a red ball", "a cube, blue"], "no column headers"),
        (
            "ten.csv",
            '"a red ball, bouncing"\n"a ""blue"" cube"\n',
            ["a red ball, bouncing", 'a "blue" cube'],
            "no column",
        ),
        ("ten.csv", "prompt,seconds\na red ball,1\n", ["a red ball"], "1.0 s"),
        ("ten.tsv", "prompt\tseconds\na red ball\t1\n", ["a red ball"], "1.0 s"),
        ("ten.jsonl", '{"prompt": "a red ball"}\n', ["a red ball"], ""),
    ],
)
def test_files_of_every_kind_are_taken(
    name: str, text: str, prompts: list[str], told: str, panel: BatchPanel, studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    card, button = preview(panel, file=tmp_path / name)

    assert told in card
    assert button["interactive"]
    *_, jobs = panel._add("", str(tmp_path / name), "draft", REQUEST)
    assert [studio.jobs.get(job, LOCAL).prompt for job in jobs] == prompts


def test_each_wrong_line_is_named_and_nothing_is_added(panel: BatchPanel, studio: Studio, tmp_path: Path) -> None:
    table = tmp_path / "many.csv"
    table.write_text(f"prompt,seconds,mode,image\na,1,,\nb,long,,\n\nc,1,i2v,p.png\n{HOSTILE},90,,\n")
    card, button = preview(panel, file=table)

    assert "1 clip<" in card
    assert "Lines to fix: 3." in card
    for line in ("Line 3: Seconds is not a number", "Line 5: It names &#x27;p.png&#x27; for image", "Line 6: Seconds"):
        assert line in card
    assert button == {"value": "Add to queue", "interactive": False, "__type__": "update"}
    said, *unchanged = panel._add("", str(table), "draft", REQUEST)
    assert "Nothing was added. Fix these lines first." in said
    assert unchanged == [*[gr.skip()] * 4, ()]  # nothing is followed
    assert studio.jobs.of(LOCAL) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.jsonl",
            '{"prompt": "a"}\n{oops}\n7\n{"prompt": "b"}\n',
            ["Line 2: It is not valid JSON", "at column 2", "Line 3"],
        ),
        ("a.csv", "prompt,seconds\na,1\nb,1,2\nc,1\n", ["Line 3: It has 3 fields for 2 columns"]),
    ],
)
def test_a_line_that_cannot_be_read_does_not_hide_the_others(
    name: str, content: str, said: list[str], panel: BatchPanel, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)

    card, _ = preview(panel, file=tmp_path / name)

    assert "2 clips" in card
    for each in said:
        assert each in card


@pytest.mark.parametrize("name", ["photo.png", "words.csv", "empty.txt", "book.xlsx"])
def test_a_file_that_is_no_list_is_a_card(name: str, panel: BatchPanel, tmp_path: Path) -> None:
    content = {"photo.png": b"\x89PNG\0\xff\xfe", "words.csv": b"text;number\na;1\n", "empty.txt": b"\n \n"}
    (tmp_path / name).write_bytes(content.get(name, b"PK\3\4\0\xff"))

    card, button = preview(panel, file=tmp_path / name)

    assert 'role="alert"' in card
    assert name in card
    assert not button["interactive"]


def test_nothing_given_leaves_what_was_said(panel: BatchPanel) -> None:
    said, card, button = panel._preview(" \n", None, "draft")

    assert said == gr.skip()
    assert card == gr.skip()
    assert not button["interactive"]
