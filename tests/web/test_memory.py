"""Memory on the page: the badge and its levels, unloading all models, the tier; real engine, real browser."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ltx_studio.engine import Engine, Memory
from ltx_studio.engine.boot import Comfy, boot
from ltx_studio.settings import LOOPBACK, Settings, Vram
from ltx_studio.web.memory import badge_of, level_of, policy, tier
from tests.web.conftest import Watch, open_page
from tests.web.driver import expect_done, open_panel, press, set_number

RUN_SECONDS = 60_000


def reading(free: float, device: str = "cuda:0 NVIDIA H200", tier: str = "normal") -> Memory:
    total = 80 << 30
    return Memory(device, tier, total, int(total * free), 0, ())


def generate(page: Page, seconds: float) -> None:
    page.locator("#t2v-prompt textarea").fill("a red ball")
    set_number(page, "t2v", "seconds", seconds)
    press(page, "Generate")


def unload(page: Page) -> None:
    page.get_by_role("button", name="Unload all models").click()


@pytest.fixture
def held_boot(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[threading.Event]:
    """ComfyUI's start takes until this is set."""
    release = threading.Event()

    def wait(of: Settings) -> Comfy:
        assert release.wait(RUN_SECONDS / 1000)
        return boot(of)

    monkeypatch.setattr("ltx_studio.engine.engine.boot.boot", wait)
    yield release
    release.set()


@pytest.mark.parametrize(
    ("free", "level", "said"),
    [(0.9, "low", "plenty free"), (0.3, "ok", "enough free"), (0.05, "tight", "nearly full"), (0, "tight", "nearly")],
)
def test_a_level_is_told_in_words(free: float, level: str, said: str) -> None:
    shown = badge_of(reading(free))

    assert level_of(reading(free)) == level
    assert f'class="memory {level}"' in shown
    assert said in shown


def test_the_badge_names_device_bytes_and_unit() -> None:
    assert "GPU: 60 of 80 GB" in badge_of(reading(0.25))
    assert "CPU: 4.0 of 80 GB" in badge_of(reading(0.95, device="cpu"))


@pytest.mark.parametrize("chosen", list(Vram))
def test_every_tier_is_told_in_words_with_how_to_change_it(chosen: Vram) -> None:
    shown = tier(chosen)

    assert f"<code>{chosen}</code>: " in shown
    assert f"LTX_STUDIO_VRAM={'low' if chosen is Vram.AUTO else 'auto'} ltx-studio serve" in shown


def test_every_policy_of_comfyuis_has_its_words(engine: Engine, settings: Settings) -> None:
    known = [state.name.lower().removesuffix("_vram") for state in boot(settings).model_management.VRAMState]

    assert len(known) > 3
    assert [name for name in known if policy(reading(0.5, tier=name)) == f"In use: {name}."] == []


def test_the_badge_says_starting_and_then_what_is_in_use(
    page: Page, settings: Settings, engine: Engine, held_boot: threading.Event, watch: Watch
) -> None:
    for url in open_page(settings, Engine(settings)):
        page.goto(url)
        badge = page.locator("#memory")
        expect(badge).to_have_text("Memory: starting")

        held_boot.set()

        expect(badge).to_contain_text("GB in use", timeout=20_000)
        expect(badge).to_contain_text("CPU: ")
        assert watch.errors == []
        assert watch.hosts == {LOOPBACK}


def test_where_comfyui_is_not_installed_nothing_is_starting(page: Page, page_url_without_comfyui: str) -> None:
    open_panel(page, page_url_without_comfyui, "Models")

    expect(page.locator("#memory")).to_have_text("Memory: did not start")
    expect(page.locator("#memory-now")).to_contain_text("ltx-studio doctor")


def test_models_are_unloaded_and_the_next_run_works(page: Page, page_url: str, engine: Engine, watch: Watch) -> None:
    open_panel(page, page_url, "Models")
    generate(page, 0.5)
    expect_done(page)
    loaded = engine.memory()
    assert loaded is not None
    assert loaded.models

    unload(page)

    expect(page.locator("#unload-card")).to_contain_text(
        f"Unloaded: {len(loaded.models)}. In use by the studio before:"
    )
    expect(page.locator("#memory-now")).to_contain_text("No model is in memory. In use: the processor alone, no GPU.")
    unloaded = engine.memory()
    assert unloaded is not None
    assert unloaded.models == ()
    generate(page, 0.6)
    expect(page.locator("#run")).not_to_contain_text("Done in")
    expect_done(page)
    loaded = engine.memory()
    assert loaded is not None
    assert loaded.models
    assert watch.errors == []


def test_while_a_run_is_on_unloading_is_refused_in_words_and_the_run_goes_on(
    page: Page, page_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = boot(settings).nodes.NODE_CLASS_MAPPINGS["VAEDecodeTiled"]
    decoding, release, real = threading.Event(), threading.Event(), decoder.decode

    def decode(*args: Any, **options: Any) -> Any:
        decoding.set()
        assert release.wait(RUN_SECONDS / 1000)
        return real(*args, **options)

    monkeypatch.setattr(decoder, "decode", decode)
    open_panel(page, page_url, "Models")
    generate(page, 0.7)
    assert decoding.wait(RUN_SECONDS / 1000)

    unload(page)

    expect(page.locator("#unload-card .card.error")).to_contain_text("The models are in use by a run")
    expect(page.locator("#unload-card .card.error")).to_contain_text("wait for it to finish")
    release.set()
    expect_done(page)
    unload(page)
    expect(page.locator("#unload-card")).to_contain_text("Unloaded: ")


def test_before_comfyui_has_started_there_is_nothing_to_unload(
    page: Page, settings: Settings, engine: Engine, held_boot: threading.Event
) -> None:
    for url in open_page(settings, Engine(settings)):
        open_panel(page, url, "Models")
        expect(page.locator("#memory-now")).to_contain_text("ComfyUI is starting")

        unload(page)

        expect(page.locator("#unload-card")).to_contain_text("No model is in memory.")


def test_another_tab_sees_what_was_unloaded(page: Page, browser: Browser, page_url: str) -> None:
    open_panel(page, page_url, "Models")
    generate(page, 0.8)
    expect_done(page)
    other = browser.new_page()
    open_panel(other, page_url, "Models")
    expect(other.locator("#memory-now")).to_contain_text("Models in memory: ")

    unload(page)

    expect(other.locator("#memory-now")).to_contain_text("No model is in memory.", timeout=20_000)
    other.close()


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_panels_fit_into_narrow_screens(page: Page, page_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    open_panel(page, page_url, "Models")
    expect(page.locator("#models-plan .files")).to_be_visible()  # what unfolds above moves what is clicked next
    page.get_by_role("button", name="Settings").click()
    expect(page.locator("#settings")).to_contain_text("ltx-studio doctor")
    for folded in page.get_by_text("What can be chosen").all():
        folded.click()

    wide = """[...document.querySelectorAll('#memory, #memory *, #models, #models *, #settings, #settings *')]
        .filter(each => each.getBoundingClientRect().right > innerWidth).length"""
    assert page.evaluate(wide) == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
