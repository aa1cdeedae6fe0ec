"""The page's models: what a set takes, getting it with a bar, stopping; in a real browser against a hub on loopback."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from huggingface_hub import constants, hf_hub_download
from playwright.sync_api import Browser, Page, expect

from ltx_studio.engine import Engine
from ltx_studio.errors import RequestError
from ltx_studio.events import Fetching
from ltx_studio.models import Store, get_registry
from ltx_studio.models.hub_cache import Hash, digest_for
from ltx_studio.models.repair import Repair
from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.model_cards import downloads
from ltx_studio.web.model_work import MOST_ASKED, Asked, Going
from ltx_studio.web.models import ModelsPanel
from ltx_studio.web.owners import Owners
from tests.models.test_upkeep import spoil
from tests.shop import SIZE, TINY_SET, Shop
from tests.support import queue_of, small_spec
from tests.web.conftest import Watch, open_page
from tests.web.driver import open_panel


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
    for folder, name in (("checkpoints", "one"), ("text_encoders", "encoder"), ("latent_upscale_models", "up")):
        shop.add(f"{name}.safetensors", folder=folder, bytes=SIZE, licence="Mine <b>alone</b>")
    with (shop.settings.home / "models.toml").open("a") as own:
        own.write(TINY_SET)
    return replace(shop.settings, model_set="tiny")


@pytest.mark.usefixtures("patience")
def test_a_set_is_shown_fetched_and_here(page: Page, tiny: str, shop: Shop, watch: Watch) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    open_panel(page, tiny, "Models")
    plan = page.locator("#models-plan")
    expect(plan).to_contain_text("To download: 9.0 MB of 9.0 MB")
    expect(plan).to_contain_text("Mine <b>alone</b>")

    page.get_by_role("button", name="Download missing files").click()

    card = page.locator("#models-downloads")
    expect(card).to_contain_text("1.5 MB of 3.0 MB")
    expect(card).to_contain_text("7.5 MB of 9.0 MB")
    expect(card).to_contain_text("You can close this page: the download continues.")
    expect(page.get_by_role("button", name="Download missing files")).to_be_disabled()
    assert held.wait is not None
    held.wait.set()
    expect(card).to_contain_text("All files are here.", timeout=20_000)
    expect(page.locator("#models-stop-download")).to_be_hidden()
    expect(plan).to_contain_text("All files are here: 9.0 MB")
    expect(page.get_by_role("button", name="Download missing files")).to_be_disabled()
    assert shop.store().path(shop.store().registry.get_file("one.safetensors")).stat().st_size == SIZE
    assert watch.errors == []


@pytest.mark.usefixtures("patience")
def test_stop_keeps_what_came(page: Page, tiny: str, shop: Shop) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    open_panel(page, tiny, "Models")
    page.get_by_role("button", name="Download missing files").click()
    expect(page.locator("#models-downloads")).to_contain_text("1.5 MB of 3.0 MB")

    page.locator("#models-stop-download").click()

    expect(page.locator("#models-downloads")).to_contain_text("Stopped. Downloaded data is kept")
    assert held.wait is not None
    held.wait.set()
    page.get_by_role("button", name="Download missing files").click()
    expect(page.locator("#models-downloads")).to_contain_text("All files are here.", timeout=20_000)
    assert shop.hub.sent("one.safetensors") < 1.1 * SIZE


def test_a_gate_is_said_with_what_to_do(page: Page, tiny: str, shop: Shop) -> None:
    shop.hub.repos["org/small"].gate = "hf_secret"
    open_panel(page, tiny, "Models")

    page.get_by_role("button", name="Download missing files").click()

    card = page.locator("#models-downloads .card.error")
    expect(card).to_contain_text("requires your consent")
    expect(card).to_contain_text("HF_TOKEN")
    expect(page.get_by_role("button", name="Download missing files")).to_be_enabled()


def test_the_set_in_use_and_the_others_are_told_apart(page: Page, tiny: str) -> None:
    open_panel(page, tiny, "Models")
    expect(page.locator("#models-plan")).to_contain_text("This set is in use.")

    page.get_by_label("LTX-2.3 22B fp8 (43.0 GB to download)", exact=True).check()

    expect(page.locator("#models-plan")).to_contain_text("To download: 43.0 GB of 43.0 GB")
    expect(page.locator("#models-plan")).to_contain_text("ltx-studio serve --model-set fp8")


@pytest.mark.usefixtures("patience")
def test_a_download_outlives_its_tab_and_every_tab_shows_and_stops_it(
    page: Page, browser: Browser, tiny: str, shop: Shop
) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    open_panel(page, tiny, "Models")
    closing = browser.new_page()
    open_panel(closing, tiny, "Models")
    closing.get_by_role("button", name="Download missing files").click()
    expect(closing.locator("#models-downloads")).to_contain_text("1.5 MB of 3.0 MB")

    closing.close()

    card = page.locator("#models-downloads")
    expect(card).to_contain_text("1.5 MB of 3.0 MB")
    expect(card).to_contain_text("Tiny")
    expect(page.get_by_role("button", name="Download missing files")).to_be_disabled()
    open_panel(page, tiny, "Models")  # anew
    expect(card).to_contain_text("1.5 MB of 3.0 MB")
    page.locator("#models-stop-download").click()
    expect(card).to_contain_text("Stopped. Downloaded data is kept")
    expect(page.locator("#models-stop-download")).to_be_hidden()
    assert held.wait is not None
    held.wait.set()
    page.get_by_role("button", name="Download missing files").click()
    expect(card).to_contain_text("All files are here.", timeout=20_000)
    assert shop.hub.sent("one.safetensors") < 1.1 * SIZE


def get_all(page: Page, url: str) -> None:
    open_panel(page, url, "Models")
    page.get_by_role("button", name="Download missing files").click()
    expect(page.locator("#models-downloads")).to_contain_text("All files are here.", timeout=20_000)


def path_of(shop: Shop, name: str) -> Path:
    return shop.store().path(shop.store().registry.get_file(name)).resolve()


def test_sizes_and_contents_are_checked_and_what_is_wrong_is_repaired(
    page: Page, tiny: str, shop: Shop, watch: Watch
) -> None:
    get_all(page, tiny)
    card, repair = page.locator("#models-run"), page.locator("#models-repair")
    spoil(path_of(shop, "one.safetensors"))

    page.get_by_role("button", name="Check sizes").click()
    expect(card).to_contain_text("All 3 files are intact.")
    expect(repair).to_be_hidden()

    page.get_by_role("button", name="Check contents").click()
    expect(card).to_contain_text("Wrong: 1 of 3 files.")
    expect(card).to_contain_text("has the wrong contents")

    repair.click()
    expect(page.locator("#models-downloads")).to_contain_text("Repaired. All files are intact.", timeout=20_000)
    expect(repair).to_be_hidden()
    assert path_of(shop, "one.safetensors").read_bytes() == shop.hub.repos["org/small"].files["one.safetensors"]
    page.get_by_role("button", name="Check contents").click()
    expect(card).to_contain_text("All 3 files are intact.")
    assert shop.hub.sent("up.safetensors") == SIZE, "what was whole is not fetched again"
    assert watch.errors == []


def test_an_answer_that_comes_late_brings_no_button_back(
    page: Page, late_answer: list[str], tiny: str, shop: Shop
) -> None:
    get_all(page, tiny)
    os.truncate(path_of(shop, "up.safetensors"), SIZE // 2)
    page.get_by_role("button", name="Check sizes").click()

    page.locator("#models-repair").click()

    expect(page.locator("#models-downloads")).to_contain_text("Repaired. All files are intact.", timeout=20_000)
    expect(page.get_by_role("button", name="Check sizes")).to_be_enabled()
    expect(page.locator("#models-repair")).to_be_hidden()
    assert late_answer == ["shown again"]


def test_a_cut_off_file_is_seen_by_its_size(page: Page, tiny: str, shop: Shop) -> None:
    get_all(page, tiny)
    os.truncate(path_of(shop, "up.safetensors"), SIZE // 2)

    page.get_by_role("button", name="Check sizes").click()

    expect(page.locator("#models-run")).to_contain_text("Wrong: 1 of 3 files.")
    expect(page.locator("#models-plan")).to_contain_text("a damaged copy does not count")


def test_a_check_of_contents_tells_how_far_it_is_and_stops(
    page: Page, tiny: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_all(page, tiny)
    second, release, real = threading.Event(), threading.Event(), digest_for

    def slow(etag: str, size: int) -> Hash:
        """The second file is not read on before somebody says so."""
        if second.is_set():
            assert release.wait(60)
        second.set()
        return real(etag, size)

    monkeypatch.setattr("ltx_studio.models.verify.digest_for", slow)
    page.get_by_role("button", name="Check contents").click()
    card = page.locator("#models-run")
    expect(card).to_contain_text("Checking: 0 of 3 files done")
    expect(card).to_contain_text("3.0 MB of 3.0 MB")
    expect(page.get_by_role("button", name="Check sizes")).to_be_disabled()

    page.locator("#models-stop").click()
    release.set()

    expect(card).to_contain_text("Stopped. Nothing was changed.")
    expect(page.get_by_role("button", name="Check sizes")).to_be_enabled()


def test_nothing_is_checked_where_nothing_is(page: Page, tiny: str) -> None:
    open_panel(page, tiny, "Models")

    page.get_by_role("button", name="Check contents").click()

    expect(page.locator("#models-run")).to_contain_text("Nothing of this set is here yet.")


def test_removing_shows_what_goes_and_stays_and_asks_first(page: Page, tiny: str, shop: Shop, watch: Watch) -> None:
    shop.store().cache.folder.mkdir(parents=True, exist_ok=True)
    hf_hub_download("org/small", "up.safetensors", cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    get_all(page, tiny)
    card = page.locator("#models-run")
    ours, theirs = path_of(shop, "one.safetensors"), path_of(shop, "up.safetensors")

    page.get_by_role("button", name="Remove …").click()
    expect(card).to_contain_text("Removing frees 6.0 MB. Nothing is removed yet.")
    expect(card).to_contain_text("was not downloaded by this studio")
    expect(card).to_contain_text("This set is in use")
    assert ours.exists()

    page.get_by_role("button", name="Keep all").click()
    expect(card).to_contain_text("Nothing was removed.")
    expect(page.locator("#models-remove-now")).to_be_hidden()
    assert ours.exists()

    page.get_by_role("button", name="Remove …").click()
    page.get_by_role("button", name="Remove and free 6.0 MB").click()
    expect(card).to_contain_text("Removed. Freed: 6.0 MB.")
    expect(page.locator("#models-plan")).to_contain_text("To download: 6.0 MB of 9.0 MB")
    expect(page.get_by_role("button", name="Download missing files")).to_be_enabled()
    assert not ours.exists()
    assert theirs.exists()
    assert watch.errors == []


def test_what_another_set_needs_stays(page: Page, tiny: str, shop: Shop) -> None:
    with (shop.settings.home / "models.toml").open("a") as own:
        own.write(TINY_SET.replace("sets.tiny", "sets.other").replace("one.safe", "two.safe").replace("Tiny", "Other"))
    shop.add("two.safetensors", folder="checkpoints", bytes=SIZE)
    get_all(page, tiny)
    page.get_by_label("Other (3.0 MB to download)").check()
    page.get_by_role("button", name="Download missing files").click()
    expect(page.locator("#models-downloads")).to_contain_text("All files are here.", timeout=20_000)

    page.get_by_role("button", name="Remove …").click()

    expect(page.locator("#models-run")).to_contain_text("Removing frees 3.0 MB.")
    expect(page.locator("#models-run")).to_contain_text("the set tiny needs it too")


def test_another_choice_takes_the_question_away(page: Page, tiny: str) -> None:
    get_all(page, tiny)
    page.get_by_role("button", name="Remove …").click()
    expect(page.locator("#models-remove-now")).to_be_visible()

    page.get_by_label("LTX-2.3 22B fp8 (43.0 GB to download)", exact=True).check()

    expect(page.locator("#models-remove-now")).to_be_hidden()
    expect(page.locator("#models-run")).not_to_contain_text("Removing frees")


@pytest.mark.usefixtures("patience")
def test_two_tabs_do_not_take_from_each_other(page: Page, browser: Browser, tiny: str, shop: Shop) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    open_panel(page, tiny, "Models")
    page.get_by_role("button", name="Download missing files").click()
    expect(page.locator("#models-downloads")).to_contain_text("7.5 MB of 9.0 MB")
    other = browser.new_page()
    open_panel(other, tiny, "Models")

    other.get_by_role("button", name="Remove …").click()
    other.locator("#models-remove-now").click()
    expect(other.locator("#models-run")).to_contain_text("is being downloaded")
    expect(other.locator("#models-downloads")).to_contain_text("7.5 MB of 9.0 MB")

    assert held.wait is not None
    held.wait.set()
    expect(page.locator("#models-downloads")).to_contain_text("All files are here.", timeout=20_000)
    expect(other.locator("#models-downloads")).to_contain_text("All files are here.", timeout=20_000)
    assert shop.hub.sent("one.safetensors") < 1.1 * SIZE
    other.close()


def test_what_a_job_lacked_is_got_from_its_card_and_nothing_else(page: Page, tiny: str, shop: Shop) -> None:
    studio = Studio(shop.settings)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    assert queue_of(studio).claim() is not None
    lacked = next(file for file in get_registry(shop.settings).files.values() if file.name == "one.safetensors")
    queue_of(studio).fail(job, Store(shop.settings).missing([lacked]))
    open_panel(page, tiny, "Queue")
    page.locator(f"[data-show='{job}']").click()
    expect(page.locator("#failure")).to_contain_text("one.safetensors is missing")

    page.locator("#remedy-fetch").click()

    expect(page.locator("#models-downloads")).to_contain_text("All files are here.", timeout=20_000)
    expect(page.locator("#models-plan")).to_contain_text("To download: 6.0 MB of 9.0 MB")
    assert [shop.hub.sent(f"{name}.safetensors") > 0 for name in ("one", "encoder", "up")] == [True, False, False]
    expect(page.locator("#remedy-retry")).to_be_visible()


def test_the_pocket_set_is_offered_at_once_and_says_what_it_is(page: Page, page_url: str) -> None:
    open_panel(page, page_url, "Models")

    expect(page.get_by_label("Pocket preview (here, in use)")).to_be_checked()
    expect(page.locator("#models-plan")).to_contain_text("a tiny LTX-2.3 that knows coloured shapes")
    expect(page.locator("#models-plan")).to_contain_text("All files are here: ")
    expect(page.locator("#models-plan")).to_contain_text("Free on that disk: ")
    page.get_by_role("button", name="Remove …").click()
    expect(page.locator("#models-run")).to_contain_text("is installed by the set-up")
    expect(page.locator("#models-remove-now")).to_be_hidden()


def test_what_requests_may_name_is_shown_when_asked_for(page: Page, page_url: str) -> None:
    open_panel(page, page_url, "Models")
    page.get_by_label("LTX-2.3 22B fp8 (43.0 GB to download)", exact=True).check()
    rows = page.locator("#models-plan .files li")
    expect(rows).to_have_count(5)

    page.get_by_label("With camera LoRAs and control models").check()

    expect(page.locator("#models-plan")).to_contain_text("camera")
    expect(rows).not_to_have_count(5)


def test_what_fails_is_said_on_a_card(page: Page, tiny: str, shop: Shop) -> None:
    get_all(page, tiny)
    (shop.settings.home / "models.toml").write_text("[")
    card = page.locator("#models-run .card.error")

    for button in ("Check sizes", "Remove …"):
        page.get_by_role("button", name=button).click()
        expect(card).to_contain_text("models.toml")
        expect(page.locator("#models-keep")).to_be_hidden()


def test_from_afar_nothing_is_removed_and_no_folder_is_named(page: Page, shop: Shop, tiny_apart: str) -> None:
    get_all(page, tiny_apart)

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
    panel = ModelsPanel(studio, Owners(), "tiny")
    with gr.Blocks():
        panel.build()
    visitor = gr.Request(session_hash="a tab")

    refused = panel._get("tiny", False, visitor)[panel._parts.card]
    download = studio.models.get([shop.store().registry.get_file("one.safetensors")], "The owner's")
    shown = panel._look("tiny", False, visitor)
    stopped = panel._stop_download(visitor)[panel._parts.card]

    assert "Without a password, you cannot download models" in refused
    assert "Waiting for another download" in shown[panel._board._card]
    assert "Without a password, you cannot download models" in stopped
    assert studio.models.download(download).is_active
    assert shop.hub.sent("one.safetensors") == 0


def test_what_is_asked_no_longer_cannot_be_answered_and_old_questions_are_forgotten() -> None:
    asked = Asked()
    for number in range(MOST_ASKED + 1):
        asked.ask(f"tab {number}", Going(()))

    assert asked.answered("tab 1", Going) == Going(())
    for gone in ("tab 0", "tab 1"):
        with pytest.raises(RequestError, match="no longer open"):
            asked.answered(gone, Going)
    with pytest.raises(RequestError, match="no longer open"):
        asked.answered("tab 2", Repair)


def test_the_bar_for_all_is_that_of_the_latest_news() -> None:
    last_told = Fetching("loras/a", "fetching", 20, 30, 50_000_000, 60_000_000)
    told_before = Fetching("loras/b", "done", 30, 30, 40_000_000, 60_000_000)

    assert "50.0 MB of 60.0 MB" in downloads([last_told, told_before], "Two")
