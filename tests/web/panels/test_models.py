"""The page's models: what a set takes, getting it with a bar, stopping; in a real browser against a hub on loopback."""

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from huggingface_hub import constants, hf_hub_download
from playwright.sync_api import Browser, Locator, Page, expect

from ltx_studio.engine import Engine
from ltx_studio.events import Finished
from ltx_studio.models import Store, get_registry
from ltx_studio.models.hub_cache import Hash, digest_for
from ltx_studio.queue import LOCAL
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.page import Page as StudioPage
from ltx_studio.web.panels.models import ModelsPanel
from ltx_studio.web.rail import Rail
from ltx_studio.web.shared import Shared
from tests.models.test_upkeep import spoil
from tests.shop import SIZE, TINY_SET, Shop
from tests.support import queue_of, small_spec
from tests.web.conftest import Watch, open_page
from tests.web.driver import open_panel, step


class Ready(LocalRunner):
    """A runner on this machine that nothing prevents from running."""

    def problem(self) -> None:
        return None

    def start(self) -> None:
        pass


TINY_FILES = {"one": "checkpoints", "encoder": "text_encoders", "up": "latent_upscale_models"}
"""Those of the small set, with their folders."""


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that is held here is waited for, however slow the machine is."""
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 300)


@pytest.fixture
def tiny(shop: Shop) -> Iterator[str]:
    """A page whose studio knows one small set; gives its address."""
    settings = with_tiny_set(shop)
    yield from open_page(settings, Engine(settings))


@pytest.fixture
def tiny_apart(shop: Shop) -> Iterator[str]:
    """The same, as those see it who do not sit at the machine."""
    settings = with_tiny_set(shop)
    yield from open_page(settings, Engine(settings), apart=True)


@pytest.fixture
def late_answer(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A page that is built from now on shows Repair again at the repair's end, as the check before it may, late."""

    def repair_and_show_again(panel: ModelsPanel, request: gr.Request) -> Iterator[dict[Any, Any]]:
        yield from repair(panel, request)
        seen.append("shown again")
        yield {panel._parts.repair: gr.update(visible=True)}

    seen: list[str] = []
    repair = ModelsPanel._repair
    monkeypatch.setattr(ModelsPanel, "_repair", repair_and_show_again)
    return seen


def with_tiny_set(shop: Shop) -> Settings:
    for name, folder in TINY_FILES.items():
        shop.add(f"{name}.safetensors", folder=folder, bytes=SIZE, licence="Mine <b>alone</b>")
    with (shop.settings.home / "models.toml").open("a") as own:
        own.write(TINY_SET)
    return replace(shop.settings, model_set="tiny")


def path_of(shop: Shop, name: str) -> Path:
    return shop.store().path(shop.store().registry.get_file(name)).resolve()


def get_all(shop: Shop) -> None:
    """Have the files of the set here, before the page opens."""
    models = Studio(shop.settings).models
    download = models.get([shop.store().registry.get_file(f"{name}.safetensors") for name in TINY_FILES], "All")
    models.work()
    *_, end = models.follow(download)
    assert models.close(60)
    assert isinstance(end, Finished), end


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def choose_set(page: Page, name: str) -> None:
    page.get_by_label(name, exact=True).check()


FP8 = "LTX-2.3 22B fp8 · Download 43 GB"
GET = "#models-get"


def test_the_page_says_at_once_that_its_models_are_not_downloaded(shop: Shop) -> None:
    settings = with_tiny_set(shop)
    tiny = get_registry(settings).get_set("tiny")
    owners = Owners()
    owners.apart = False
    page = StudioPage(Studio(settings, Ready(settings, Engine(settings))), owners, tiny, Shared(tiny))
    with gr.Blocks() as blocks:
        page.screen.build_toast()
        page.build(blocks)

    banner, timer = page._begin_or_warn()
    assert "Tiny isn&#x27;t downloaded yet (9.0 MB)." in banner["value"]
    assert 'data-act="models"' in banner["value"]
    assert (page._banner.value, page._banner.visible) == (banner["value"], True), "it is there from the start"
    assert timer.active, "it goes when they are there"
    get_all(shop)
    banner, timer = page._begin_or_warn()
    assert (banner["visible"], timer.active) == (False, False)


@pytest.mark.usefixtures("patience")
def test_a_set_is_shown_fetched_stopped_and_here(page: Page, tiny: str, shop: Shop, watch: Watch) -> None:
    plan, card, get = (page.locator(each) for each in ("#models-plan", "#models-downloads", GET))
    open_panel(page, tiny, "models")
    with step("the set"):
        expect(plan).to_contain_text("To download: 9.0 MB of 9.0 MB")
        expect(plan).to_contain_text("Mine <b>alone</b>")
    with step("nothing is checked where nothing is"):
        button(page, "Check contents").click()
        expect(page.locator("#models-run")).to_contain_text("No files of this set are installed yet.")
    with step("the set in use and the others are told apart"):
        expect(plan).to_contain_text("This set is in use.")
        choose_set(page, FP8)
        expect(plan).to_contain_text("To download: 43 GB of 43 GB")
        expect(plan).to_contain_text("After the download, press “Use this set”.")
        expect(get).to_have_text("Download 43 GB")
        expect(page.locator("#models-use")).to_be_hidden()
        expect(page.locator("#models-needs")).to_contain_text("GPU memory12 GB")
        expect(page.locator("#models-needs")).to_contain_text("on this computer's CPU a clip takes hours")
        choose_set(page, "Tiny · Download 9.0 MB · in use")
        expect(plan).to_contain_text("To download: 9.0 MB of 9.0 MB")
    with step("a gate is told with what to do"):
        shop.hub.repos["org/small"].gate = "hf_secret"
        get.click()
        expect(card.locator(".card.error")).to_contain_text("requires your consent")
        expect(card.locator(".card.error")).to_contain_text("HF_TOKEN")
        expect(get).to_be_enabled()
        shop.hub.repos["org/small"].gate = ""
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    assert held.wait is not None
    with step("it comes, and the keyboard's focus goes on to what can be done"):
        get.press("Enter")
        expect(card).to_contain_text("1.5 MB of 3.0 MB")
        expect(card).to_contain_text("7.5 MB of 9.0 MB")
        expect(card).to_contain_text("You can close this page: the download continues.")
        expect(get).to_be_disabled()
        page.wait_for_function("document.activeElement.matches('#panel-models :enabled')")
    with step("Stop keeps what came"):
        page.locator("#models-stop-download").click()
        expect(card).to_contain_text("Stopped. Downloaded data is kept")
        held.wait.set()
    with step("it is here"):
        get.click()
        expect(card).to_contain_text("All files are installed.")
        expect(page.locator("#models-stop-download")).to_be_hidden()
        expect(plan).to_contain_text("Installed (9.0 MB)")
        expect(get).to_be_hidden()
        assert shop.hub.sent("one.safetensors") < 1.1 * SIZE
        assert path_of(shop, "one.safetensors").stat().st_size == SIZE
    with step("another set is used without a restart, and what was written stays"):
        use_another_set(page, shop.settings)
    assert watch.errors == []


def use_another_set(page: Page, settings: Settings) -> None:
    with (settings.home / "models.toml").open("a") as own:
        own.write(TINY_SET.replace("sets.tiny", "sets.other").replace("Tiny", "Other"))
    page.locator("#t2v-prompt textarea").fill("a red ball")
    choose_set(page, "LTX-2.3 22B bf16 · Download 60 GB")
    choose_set(page, "Other · Installed (9.0 MB)")
    page.locator("#models-use").click()
    expect(page.locator("#model-chip")).to_contain_text("Other")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("a red ball")
    assert 'model_set = "other"' in settings.settings_file.read_text()


@pytest.mark.usefixtures("patience")
def test_a_download_outlives_its_tab_and_every_tab_shows_and_stops_it(
    page: Page, browser: Browser, tiny: str, shop: Shop
) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    assert held.wait is not None
    open_panel(page, tiny, "models")
    closing = browser.new_page()
    open_panel(closing, tiny, "models")
    closing.locator(GET).click()
    expect(closing.locator("#models-downloads")).to_contain_text("1.5 MB of 3.0 MB")

    closing.close()

    card = page.locator("#models-downloads")
    with step("every tab shows it"):
        expect(card).to_contain_text("1.5 MB of 3.0 MB")
        expect(card).to_contain_text("Tiny")
        expect(page.locator(GET)).to_be_disabled()
        open_panel(page, tiny, "models")  # anew
        expect(card).to_contain_text("1.5 MB of 3.0 MB")
        expect(card).to_contain_text("7.5 MB of 9.0 MB")
    with step("what comes is not removed"):
        button(page, "Remove …").click()
        page.locator("#models-remove-now").click()
        expect(page.locator("#models-run")).to_contain_text("is being downloaded")
        expect(card).to_contain_text("7.5 MB of 9.0 MB")
    other = browser.new_page()
    open_panel(other, tiny, "models")
    expect(other.locator("#models-downloads")).to_contain_text("of 9.0 MB")
    with step("every tab stops it"):
        page.locator("#models-stop-download").click()
        for tab in (page, other):
            expect(tab.locator("#models-downloads")).to_contain_text("Stopped. Downloaded data is kept")
            expect(tab.locator("#models-stop-download")).to_be_hidden()
        held.wait.set()
    with step("what one tab has gone on is shown in the other too, to its end"):
        held = shop.hub.fail("one.safetensors", cut=SIZE // 4, wait=threading.Event())
        assert held.wait is not None
        page.locator(GET).click()
        for tab in (page, other):
            expect(tab.locator("#models-downloads")).to_contain_text("of 9.0 MB")
            expect(tab.locator("#models-stop-download")).to_be_visible()
        held.wait.set()
        for tab in (page, other):
            expect(tab.locator("#models-downloads")).to_contain_text("All files are installed.")
    assert shop.hub.sent("one.safetensors") < 1.1 * SIZE
    other.close()


def test_files_are_checked_and_what_is_wrong_is_repaired(
    page: Page, tiny: str, shop: Shop, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_all(shop)
    card, repair = page.locator("#models-run"), page.locator("#models-repair")
    open_panel(page, tiny, "models")
    with step("sizes"):
        spoil(path_of(shop, "one.safetensors"))
        button(page, "Check sizes").click()
        expect(card).to_contain_text("All 3 files are intact.")
        expect(repair).to_be_hidden()
    with step("contents"):
        button(page, "Check contents").click()
        expect(card).to_contain_text("Not intact: 1 of 3 files.")
        expect(card).to_contain_text("has the wrong contents")
    with step("a repair"):
        repair.click()
        expect(page.locator("#models-downloads")).to_contain_text("Repaired. All files are intact.")
        expect(repair).to_be_hidden()
        assert path_of(shop, "one.safetensors").read_bytes() == shop.hub.repos["org/small"].files["one.safetensors"]
        button(page, "Check contents").click()
        expect(card).to_contain_text("All 3 files are intact.")
        assert shop.hub.sent("up.safetensors") == SIZE, "what was whole is not fetched again"
    with step("a check of contents tells how far it is, and stops"), monkeypatch.context() as patch:
        release = hold_second_file(patch)
        button(page, "Check contents").click()
        expect(card).to_contain_text(re.compile("Checking: [01] of 3 files done"))  # it is shown now and then
        expect(button(page, "Check sizes")).to_be_disabled()
        page.locator("#models-stop").click()
        expect(card).to_contain_text("Stopped. Nothing was changed.")  # while the disk still stalls
        release.set()
        expect(button(page, "Check sizes")).to_be_enabled()
    with step("a file that is cut off"):
        os.truncate(path_of(shop, "up.safetensors"), SIZE // 2)
        button(page, "Check sizes").click()
        expect(card).to_contain_text("Not intact: 1 of 3 files.")
        expect(page.locator("#models-plan")).to_contain_text("a damaged copy is ignored")
    (shop.settings.home / "models.toml").write_text("[")
    for each in ("Check sizes", "Remove …"):
        with step(f"what fails is told on a card: {each}"):
            button(page, each).click()
            expect(page.locator("#models-run .card.error")).to_contain_text("models.toml")
            expect(page.locator("#models-keep")).to_be_hidden()
    assert watch.errors == []


def hold_second_file(patch: pytest.MonkeyPatch) -> threading.Event:
    """Have a check not read the second file on before the event is set."""
    second, release, real = threading.Event(), threading.Event(), digest_for

    def slow(etag: str, size: int) -> Hash:
        if second.is_set():
            assert release.wait(60)
        second.set()
        return real(etag, size)

    patch.setattr("ltx_studio.models.verify.digest_for", slow)
    return release


def test_an_answer_that_comes_late_brings_no_button_back(
    page: Page, late_answer: list[str], tiny: str, shop: Shop
) -> None:
    get_all(shop)
    open_panel(page, tiny, "models")
    os.truncate(path_of(shop, "up.safetensors"), SIZE // 2)
    button(page, "Check sizes").click()

    page.locator("#models-repair").click()

    expect(page.locator("#models-downloads")).to_contain_text("Repaired. All files are intact.")
    expect(button(page, "Check sizes")).to_be_enabled()
    expect(page.locator("#models-repair")).to_be_hidden()
    assert late_answer == ["shown again"]


def test_removing_shows_what_goes_and_stays_and_asks_first(page: Page, tiny: str, shop: Shop, watch: Watch) -> None:
    with (shop.settings.home / "models.toml").open("a") as own:
        own.write(TINY_SET.replace("sets.tiny", "sets.other").replace("one.safe", "two.safe").replace("Tiny", "Other"))
    shop.add("two.safetensors", folder="checkpoints", bytes=SIZE)
    shop.store().cache.folder.mkdir(parents=True, exist_ok=True)
    hf_hub_download("org/small", "up.safetensors", cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    get_all(shop)
    open_panel(page, tiny, "models")
    card = page.locator("#models-run")
    ours, theirs = path_of(shop, "one.safetensors"), path_of(shop, "up.safetensors")
    with step("another choice takes the question away"):
        button(page, "Remove …").click()
        expect(page.locator("#models-remove-now")).to_be_visible()
        choose_set(page, FP8)
        expect(page.locator("#models-remove-now")).to_be_hidden()
        expect(card).not_to_contain_text("Removing frees")
        choose_set(page, "Tiny · Installed (9.0 MB) · in use")
        expect(page.locator("#models-plan")).to_contain_text("Installed (9.0 MB)")
    with step("it asks, and keeps"):
        button(page, "Remove …").click()
        expect(card).to_contain_text("Removing frees 6.0 MB. Nothing is removed yet.")
        expect(card).to_contain_text("was not downloaded by this studio")
        expect(card).to_contain_text("This set is in use")
        assert ours.exists()
        button(page, "Keep all").click()
        expect(card).to_contain_text("Nothing was removed.")
        expect(page.locator("#models-remove-now")).to_be_hidden()
        assert ours.exists()
    with step("it removes"):
        button(page, "Remove …").click()
        button(page, "Remove and free 6.0 MB").click()
        expect(card).to_contain_text("Removed. Freed: 6.0 MB.")
        expect(page.locator("#models-plan")).to_contain_text("To download: 6.0 MB of 9.0 MB")
        expect(page.locator(GET)).to_be_enabled()
        assert not ours.exists()
        assert theirs.exists()
    with step("what another set needs stays"):
        page.locator(GET).click()
        expect(page.locator("#models-downloads")).to_contain_text("All files are installed.")
        page.get_by_label("Other · Download 3.0 MB").check()
        expect(page.locator("#models-plan")).to_contain_text("To download: 3.0 MB of 9.0 MB")
        page.locator(GET).click()
        expect(page.locator("#models-plan")).to_contain_text("Installed (9.0 MB)")
        button(page, "Remove …").click()
        expect(card).to_contain_text("Removing frees 3.0 MB.")
        expect(card).to_contain_text("the set tiny needs it too")
    assert watch.errors == []


def test_the_pocket_set_is_offered_at_once_and_says_what_it_is(page: Page, page_url: str) -> None:
    open_panel(page, page_url, "models")
    plan = page.locator("#models-plan")

    expect(page.get_by_label("Pocket preview · Installed")).to_be_checked()
    expect(plan).to_contain_text("a tiny LTX-2.3 that knows coloured shapes")
    expect(plan).to_contain_text("Installed (")
    expect(plan).to_contain_text("Free on that disk: ")
    button(page, "Remove …").click()
    expect(page.locator("#models-run")).to_contain_text("is installed by the set-up")
    expect(page.locator("#models-remove-now")).to_be_hidden()
    with step("what requests may name is shown when asked for"):
        choose_set(page, FP8)
        rows = page.locator("#models-plan .files li")
        expect(rows).to_have_count(5)
        page.get_by_label("With camera LoRAs and control models").check()
        expect(plan).to_contain_text("camera")
        expect(rows).not_to_have_count(5)


def test_what_a_job_lacked_is_got_from_its_card_and_nothing_else(page: Page, tiny: str, shop: Shop) -> None:
    studio = Studio(shop.settings)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    assert queue_of(studio).claim() is not None
    lacked = next(file for file in get_registry(shop.settings).files.values() if file.name == "one.safetensors")
    queue_of(studio).fail(job, Store(shop.settings).missing([lacked]))
    open_panel(page, tiny, "queue")
    page.locator(f"[data-show='{job}']").click()
    expect(page.locator("#failure")).to_contain_text("one.safetensors is missing")

    page.locator("#remedy-fetch").click()

    expect(page.locator("#models-downloads")).to_contain_text("All files are installed.")
    expect(page.locator("#models-plan")).to_contain_text("To download: 6.0 MB of 9.0 MB")
    assert [shop.hub.sent(f"{name}.safetensors") > 0 for name in ("one", "encoder", "up")] == [True, False, False]
    expect(page.locator("#remedy-retry")).to_be_visible()


def test_from_afar_nothing_is_removed_and_no_folder_is_named(page: Page, shop: Shop, tiny_apart: str) -> None:
    get_all(shop)
    open_panel(page, tiny_apart, "models")

    page.get_by_role("button", name="Remove …").click()

    card = page.locator("#models-run .card.error")
    expect(card).to_contain_text("Models cannot be removed while other computers")
    assert path_of(shop, "one.safetensors").exists()
    (shop.settings.home / "models.toml").write_text("[")
    page.get_by_role("button", name="Check sizes").click()
    expect(card).to_contain_text("…/models.toml")
    expect(card).not_to_contain_text(str(shop.settings.home))


def test_where_no_password_is_asked_for_nobody_fetches_models_or_stops_it(shop: Shop) -> None:
    settings = with_tiny_set(shop)
    studio = Studio(settings)
    panel = ModelsPanel(studio, Owners(), "tiny", Shared(shop.store().registry.get_set("tiny")))
    rail = Rail()
    with gr.Blocks():
        rail.build()
        with rail.panel("models"):
            panel.build(rail)
    visitor = gr.Request(session_hash="a tab")

    refused = panel._get("tiny", False, visitor)[panel._parts.card]
    download = studio.models.get([shop.store().registry.get_file("one.safetensors")], "The owner's")
    shown = panel._look("tiny", False, "", visitor)
    stopped = panel._stop_download("tiny", False, shown[panel._board.seen], visitor)[panel._parts.card]

    assert "Without a password, you cannot download models" in refused
    assert "Waiting for another download" in shown[panel._board._card]
    assert "Without a password, you cannot download models" in stopped
    assert studio.models.download(download).is_active
    assert shop.hub.sent("one.safetensors") == 0
