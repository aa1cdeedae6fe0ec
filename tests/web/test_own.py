"""A workflow of one's own, and many requests at once, on the page."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, expect

from ltx_studio.media import by_name
from ltx_studio.web import words
from tests.support import small_spec
from tests.web.conftest import Watch
from tests.web.driver import PLAYS, RUN_SECONDS, expect_done, keep_seed, press, set_number, unfold, write


def drop(page: Page, panel: str, file: Path) -> None:
    unfold(page, page.locator(f"#{panel} > button").first)
    page.locator(f"#{panel.removeprefix('own-')}-file input[type=file]").set_input_files(str(file))


def test_a_workflow_becomes_a_form_and_a_clip(page: Page, page_url: str, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(small_spec().build(by_name).graph))
    page.goto(page_url)
    drop(page, "own-workflow", tmp_path / "mine.json")

    page.locator("#field-23-text textarea").fill("a blue ball <b>moves</b> left")
    press(page, "Run")

    expect(page.locator("#run")).to_contain_text("Workflow mine", timeout=RUN_SECONDS)
    expect_done(page)
    page.wait_for_function(PLAYS)
    assert watch.errors == []


def test_a_picture_brings_its_workflow_which_runs_on_the_pocket_files(
    page: Page, page_url: str, tmp_path: Path
) -> None:
    text = json.dumps(small_spec().build(by_name).graph)
    info = PngInfo()
    info.add_text("prompt", re.sub(r"[\w.-]*pocket[\w.-]*\.safetensors", "ltx-2.3-22b-dev-fp8.safetensors", text))
    Image.new("RGB", (16, 16)).save(tmp_path / "Mine.PNG", format="PNG", pnginfo=info)
    page.goto(page_url)
    drop(page, "own-workflow", tmp_path / "Mine.PNG")
    expect(page.locator("#field-23-text textarea")).to_be_visible()
    press(page, "Run")
    expect(page.get_by_role("alert").first).to_contain_text(words.MAP_POCKET)

    page.get_by_label(words.MAP_POCKET).check()
    press(page, "Run")

    expect(page.locator("#told").get_by_text("is skipped")).to_be_visible(timeout=RUN_SECONDS)
    expect(page.locator("#run")).to_contain_text("Workflow Mine", timeout=RUN_SECONDS)
    expect_done(page)


def test_a_hostile_workflow_is_a_card(page: Page, page_url: str, tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "/etc/passwd"}, "_meta": {"title": "Photo"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "/etc/passwd"}},
    }
    (tmp_path / "bad.json").write_text(json.dumps(graph))
    page.goto(page_url)
    drop(page, "own-workflow", tmp_path / "bad.json")
    expect(page.locator("#workflow-card")).to_contain_text("1 inputs")
    press(page, "Run")

    expect(page.get_by_role("alert").first).to_contain_text("is outside the studio's folders")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt,seconds\na ball,1\nnight,1\n", "Queued: 2"),
        ("prompt\na\n\nb,c\n", "line 4"),
        ("prompt,mode,image\na,i2v,p.png\n", "line 2: it names 'p.png' for image"),
    ],
)
def test_many_requests_are_handed_in_or_the_wrong_line_is_named(
    text: str, said: str, page: Page, page_url: str, tmp_path: Path
) -> None:
    (tmp_path / "many.csv").write_text(text)
    page.goto(page_url)
    drop(page, "batch", tmp_path / "many.csv")
    press(page, "Add to the queue")

    expect(page.locator("#batch-card")).to_contain_text(said)


def test_several_takes_come_one_after_another(page: Page, page_url: str) -> None:
    write(page, page_url, "night")
    keep_seed(page, 41)
    set_number(page, "t2v", "takes", 2)
    press(page, "Generate")

    expect(page.locator("#run")).to_contain_text("seed 41", timeout=RUN_SECONDS)
    expect(page.locator("#recipe")).to_contain_text("seed 42", timeout=RUN_SECONDS)
    expect_done(page)


def test_values_that_fit_no_field_leave_a_form_and_a_word(page: Page, page_url: str, tmp_path: Path) -> None:
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": [1, 2, 3], "height": 512}, "_meta": {"title": "Canvas"}},
        "2": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": {}}, "_meta": {"title": "Sampler"}},
    } | {f"{i}": {"class_type": "RandomNoise", "inputs": {"noise_seed": 2**64 - 1}} for i in range(3, 303)}
    (tmp_path / "odd.json").write_text(json.dumps(graph))
    page.goto(page_url)
    drop(page, "own-workflow", tmp_path / "odd.json")

    card = page.locator("#workflow-card")
    expect(card).to_contain_text("The form shows the first 200")
    expect(card).to_contain_text("because the workflow's values do not fit: Canvas: width, Sampler, ")
    expect(page.locator("#field-1-height input")).to_have_value("512")
    expect(page.locator("#field-1-width input")).to_have_value("")
    press(page, "Run")
    expect(page.get_by_role("alert").first).to_contain_text("The workflow saves nothing")


def test_a_workflow_that_would_take_for_ever_is_a_card(page: Page, page_url: str, tmp_path: Path) -> None:
    levels = [{"id": "s0", "nodes": [{"id": 1, "type": "EmptyImage"}], "links": [], "inputs": [], "outputs": []}]
    for level in range(1, 6):
        uses = [{"id": i, "type": f"s{level - 1}"} for i in range(10)]
        levels.append({"id": f"s{level}", "nodes": uses, "links": [], "inputs": [], "outputs": []})
    drawn = {"nodes": [{"id": i, "type": "s5"} for i in range(10)], "links": [], "definitions": {"subgraphs": levels}}
    (tmp_path / "bomb.json").write_text(json.dumps(drawn))
    page.goto(page_url)
    drop(page, "own-workflow", tmp_path / "bomb.json")

    expect(page.locator("#workflow-card")).to_contain_text("more than 20,000 nodes")
