"""A workflow of one's own on the page."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, expect

from ltx_studio.media import by_name
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels.own_workflow import WorkflowPanel
from tests.support import small_spec
from tests.web.conftest import Watch
from tests.web.driver import (
    PLAYS,
    RUN_SECONDS,
    press,
    step,
    unfold,
)
from tests.web.driver import drop as drop_anywhere
from tests.web.pace import collected

HOSTILE = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "/etc/passwd"}, "_meta": {"title": "Photo"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "/etc/passwd"}},
}
ODD = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": [1, 2, 3], "height": 512}, "_meta": {"title": "Canvas"}},
    "2": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": {}}, "_meta": {"title": "Sampler"}},
} | {f"{i}": {"class_type": "RandomNoise", "inputs": {"noise_seed": 2**64 - 1}} for i in range(3, 303)}
"""Values that fit no field, and more fields than are shown."""


def bomb() -> dict[str, Any]:
    """A small workflow that takes for ever to unfold."""
    levels = [{"id": "s0", "nodes": [{"id": 1, "type": "EmptyImage"}], "links": [], "inputs": [], "outputs": []}]
    for level in range(1, 6):
        uses = [{"id": i, "type": f"s{level - 1}"} for i in range(10)]
        levels.append({"id": f"s{level}", "nodes": uses, "links": [], "inputs": [], "outputs": []})
    nodes = [{"id": i, "type": "s5"} for i in range(10)]
    return {"nodes": nodes, "links": [], "definitions": {"subgraphs": levels}}


def drop(page: Page, panel: str, file: Path) -> None:
    """Bring a file, in place of the one before."""
    field = page.locator(f"#{panel}-file")
    clear = field.get_by_label("Clear").or_(field.get_by_label("Remove")).first
    if clear.is_visible():
        clear.click()
        expect(clear).to_be_hidden()
    field.locator("input[type=file]").set_input_files(str(file))


def expect_workflow_done(page: Page, name: str) -> None:
    done = re.compile(rf"Done in.*Workflow {name}", re.DOTALL)
    expect(page.locator("#result")).to_contain_text(done, timeout=RUN_SECONDS)


def open_workflow_panel(page: Page, page_url: str) -> None:
    """Go to the page, and to the panel."""
    page.goto(page_url)
    unfold(page, "workflow")


def test_a_workflow_becomes_a_form_and_a_clip(page: Page, page_url: str, watch: Watch, tmp_path: Path) -> None:
    graph = json.dumps(small_spec(preset="draft").build(by_name).graph)
    open_workflow_panel(page, page_url)
    with step("a file"):
        (tmp_path / "mine.json").write_text(graph)
        drop(page, "workflow", tmp_path / "mine.json")
        expect(page.locator("#form-workflow h2")).to_have_text("mine")
        expect(page.locator("#form-workflow textarea").first).to_have_value("a red ball bounces to the right")
        expect(page.locator("#t2v-prompt")).to_be_hidden()
        page.locator("#mode label").first.click()
        expect(page.locator("#t2v-prompt")).to_be_visible()
        expect(page.locator("#run-workflow")).to_be_hidden()
        press(page, "Show form")
        page.locator("#field-23-text textarea").fill("a blue ball <b>moves</b> left")
        page.get_by_text("More inputs (").click()
        page.locator("summary").filter(has_text="Decode video").click()
        page.get_by_label("Tile size").fill("63")
        press(page, "Run")
        expect(page.get_by_role("alert").first).to_contain_text("Decode video")
        page.get_by_label("Tile size").fill("")  # as the workflow has it
        press(page, "Run")
        expect_workflow_done(page, "mine")
        page.wait_for_function(PLAYS)
        assert watch.errors == []
    with step("a picture brings its workflow, which runs on the pocket files"):
        info = PngInfo()
        info.add_text("prompt", re.sub(r"[\w.-]*pocket[\w.-]*\.safetensors", "ltx-2.3-22b-dev-fp8.safetensors", graph))
        Image.new("RGB", (16, 16)).save(tmp_path / "Mine.PNG", format="PNG", pnginfo=info)
        drop(page, "workflow", tmp_path / "Mine.PNG")
        expect(page.locator("#field-23-text textarea")).to_have_value("a red ball bounces to the right")
        expect(page.locator("#workflow-missing")).to_contain_text("Model files missing: 1")
        press(page, "Run")
        expect(page.locator("#told [role=alert]")).to_contain_text(words.MAP_POCKET)
        page.get_by_label(words.MAP_POCKET).check()
        press(page, "Run")
        expect(page.locator("#told").get_by_text("is skipped")).to_be_visible(timeout=RUN_SECONDS)
        expect_workflow_done(page, "Mine")


def test_a_file_that_is_dropped_again_opens_its_form_again(page: Page, page_url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(ODD))
    open_workflow_panel(page, page_url)
    form = page.locator("#form-workflow h2")

    for _ in range(2):
        drop_anywhere(page, tmp_path / "mine.json")
        expect(form).to_be_visible()
        page.locator(".own-close").click()
        expect(form).to_be_hidden()


def test_a_form_and_what_was_written_into_it_outlive_a_reload_and_a_file_that_cannot_be_read(
    page: Page, page_url: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(small_spec(preset="draft").build(by_name).graph))
    (tmp_path / "broken.json").write_text('{"nodes": [')
    open_workflow_panel(page, page_url)
    form, prompt = page.locator("#form-workflow h2"), page.locator("#field-23-text textarea")
    drop_anywhere(page, tmp_path / "mine.json")
    prompt.fill("a blue ball")
    with step("another file that cannot be read"):
        prompt.fill("a ball")
        drop_anywhere(page, tmp_path / "broken.json")
        expect(page.locator("#workflow-card [role=alert]")).to_be_visible()
        expect(form).to_be_visible()
        expect(prompt).to_have_value("a ball")
        prompt.fill("a blue ball")
        unfold(page, "history")
    with step("a reload"):
        page.reload()
        expect(form).to_have_text("mine")
        expect(prompt).to_have_value("a blue ball")
        expect(page.locator("#panel-history")).to_be_visible()
        press(page, "Run")
        expect_workflow_done(page, "mine")
        expect(page.locator("#recipe")).to_contain_text("a blue ball")
    with step("edit and remake opens the clip's own form"):
        press(page, "Edit and remake")
        expect(form).not_to_have_text("mine")
        expect(prompt).to_have_value("a blue ball")
        drop_anywhere(page, tmp_path / "mine.json")
        expect(form).to_have_text("mine")
        prompt.fill("a blue ball")
    with step("a mode that was chosen stays chosen"):
        page.locator("#mode label").nth(2).click()
        page.reload()
        expect(page.locator("#i2v-prompt")).to_be_visible()
        unfold(page, "workflow")
        expect(page.locator("#workflow-card .own-open")).to_be_visible()
        page.wait_for_timeout(1700)  # in which a file that was there before would open its form
        expect(form).to_be_hidden()
        expect(page.locator("#i2v-prompt")).to_be_visible()
        press(page, "Show form")
        expect(prompt).to_have_value("a blue ball")
    with step("a file that was taken away is forgotten"):
        page.locator("#workflow-file").get_by_label("Clear").or_(
            page.locator("#workflow-file").get_by_label("Remove")
        ).first.click()
        expect(form).to_be_hidden()
        assert page.evaluate("sessionStorage.getItem('ltx-studio.workflow')") is None


def test_a_form_is_built_once_for_a_file_that_replaces_another_one(
    page: Page, page_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell, build, built = WorkflowPanel._tell, WorkflowPanel._form, list[str | None]()

    def slow_tell(self: WorkflowPanel, path: str | None, before: str | None) -> Any:
        time.sleep(0.3)  # the next file comes meanwhile
        return tell(self, path, before)

    def counted_build(self: WorkflowPanel, path: str | None, *rest: Any) -> None:
        built.append(path and Path(path).name)
        build(self, path, *rest)

    monkeypatch.setattr(WorkflowPanel, "_tell", slow_tell)
    monkeypatch.setattr(WorkflowPanel, "_form", counted_build)
    open_workflow_panel(page, page_url)
    for name in ("first", "second"):
        (tmp_path / f"{name}.json").write_text(json.dumps(ODD))
        drop(page, "workflow", tmp_path / f"{name}.json")
        expect(page.locator("#form-workflow h2")).to_have_text(name)
    page.wait_for_timeout(1000)

    assert [name for name in built if name] == ["first.json", "second.json"]


def test_a_workflow_that_is_none_is_a_card(page: Page, page_url: str, tmp_path: Path) -> None:
    card = page.locator("#workflow-card")
    for name, graph in {"bad": HOSTILE, "odd": ODD, "bomb": bomb()}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(graph))
    open_workflow_panel(page, page_url)
    with step("hostile"):
        drop(page, "workflow", tmp_path / "bad.json")
        expect(card).to_contain_text("1 inputs")
        press(page, "Run")
        expect(page.get_by_role("alert").first).to_contain_text("is outside the studio's folders")
    with step("values that fit no field leave a form and a word"):
        drop(page, "workflow", tmp_path / "odd.json")
        expect(card).to_contain_text("The form shows the first 200")
        expect(card).to_contain_text("because the workflow's values don't fit: Canvas: width, Sampler.")
        expect(page.locator("#field-1-width input")).to_have_value("")
        expect(page.locator("#field-1-height")).to_have_count(0)
        page.get_by_text("More inputs (").click()
        page.locator("summary").filter(has_text="Canvas").click()
        expect(page.locator("#field-1-height input")).to_have_value("512")
        press(page, "Run")
        expect(page.get_by_role("alert").first).to_contain_text("The workflow saves nothing")
    with step("one that would take for ever"):
        drop(page, "workflow", tmp_path / "bomb.json")
        expect(card).to_contain_text("more than 20,000 nodes")


def test_a_form_runs_its_own_file_while_the_next_one_is_on_its_way(
    set_up: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first.json"
    first.write_text(json.dumps(HOSTILE))
    panel = WorkflowPanel(Studio(set_up), Owners(), SimpleNamespace(outputs=[]))  # type: ignore[arg-type]
    ran: list[str] = []

    def run_it(path: str, *_: Any, **__: Any) -> Iterator[Any]:
        ran.append(path)
        yield {}

    monkeypatch.setattr(panel, "_run", run_it)
    with gr.Blocks() as blocks:
        panel.build()
        panel._form(str(first), gr.State([]), SimpleNamespace())  # type: ignore[arg-type]
    run = next(fn for fn in blocks.fns.values() if fn.name == "hand_in")

    values = [None for _ in run.inputs]
    collected(run.fn(gr.Request(), *values))

    assert ran == [str(first)]
    assert panel.file not in run.inputs
    assert run.trigger_mode == "multiple", "Run works also while an earlier run is followed"


@pytest.mark.parametrize(("name", "buttons"), [("ltx-2.3-22b-dev-fp8.safetensors", 1), ("mine.safetensors", 0)])
def test_missing_model_files_are_named_with_a_button_where_the_studio_knows_them(
    name: str, buttons: int, tmp_path: Path
) -> None:
    studio, owners, asked = Studio(Settings(home=tmp_path, hub_cache=tmp_path / "hub")), Owners(), []
    panel = WorkflowPanel(studio, owners, SimpleNamespace())  # type: ignore[arg-type]
    models = SimpleNamespace(wire_fetch=lambda *events: asked.append(events))
    graph = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": name}}}

    with gr.Blocks() as blocks:
        panel._show_missing(graph, gr.State([]), models)  # type: ignore[arg-type]

    shown = [each for each in blocks.blocks.values() if isinstance(each, gr.HTML)]
    assert [name in str(each.value) for each in shown] == [True]
    assert len([each for each in blocks.blocks.values() if isinstance(each, gr.Button)]) == len(asked) == buttons
