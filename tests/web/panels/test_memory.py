"""Memory on the page: the badge and its levels, unloading all models, the tier; real engine, real browser."""

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ltx_studio.engine import Engine, Memory
from ltx_studio.engine.boot import Comfy, boot
from ltx_studio.settings import LOOPBACK, Settings, Vram
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.panels.memory import MemoryPanel, badge_of, level_of, policy, tier
from tests.web.conftest import Watch, open_page
from tests.web.driver import RUN_SECONDS, expect_done, hold_decoder, open_panel, press, set_number, step, unfold


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
    assert "RAM: 4.0 of 80 GB" in badge_of(reading(0.95, device="cpu"))


def test_badge_and_panel_say_the_same(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio(settings)
    for device in ("cpu", "cuda:0 NVIDIA H200"):
        monkeypatch.setattr(studio, "memory", lambda device=device: reading(0.931, device))
        card, badge = MemoryPanel(studio, Redaction(settings, Owners()))._now(), badge_of(reading(0.931, device))

        (said,) = re.findall(r"([\d.]+) of ([\d.]+) GB", badge)
        assert "{} GB of {} GB in use".format(*said) in card


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
    page: Page, settings: Settings, engine: Engine, held_boot: threading.Event, watch: Watch, hosts: set[str]
) -> None:
    for url in open_page(settings, Engine(settings)):
        open_panel(page, url, "models")
        badge = page.locator("#memory")
        expect(badge).to_have_text("Memory: starting")
        with step("there is nothing to unload before ComfyUI has started"):
            expect(page.locator("#memory-now")).to_contain_text("ComfyUI is starting")
            unload(page)
            expect(page.locator("#unload-card")).to_contain_text("No model is in memory.")

        held_boot.set()

        expect(badge).to_contain_text("GB in use")
        expect(badge).to_contain_text("RAM: ")
        assert watch.errors == []
        assert hosts == {LOOPBACK}


def loaded_by(engine: Engine) -> tuple[str, ...]:
    memory = engine.memory()
    assert memory is not None
    return tuple(map(str, memory.models))


@pytest.mark.usefixtures("few_steps")
def test_models_are_unloaded_between_runs_and_not_during_one(
    page: Page, browser: Browser, page_url: str, settings: Settings, engine: Engine, watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    open_panel(page, page_url, "models")
    now, card = page.locator("#memory-now"), page.locator("#unload-card")
    generate(page, 0.5)
    expect_done(page)
    other = browser.new_page()
    open_panel(other, page_url, "models")
    expect(other.locator("#memory-now")).to_contain_text("Models in memory: ")
    with step("unloaded, which another tab sees"):
        loaded = loaded_by(engine)
        assert loaded
        unload(page)
        expect(card).to_contain_text(f"Unloaded: {len(loaded)}. In use by the studio before:")
        expect(now).to_contain_text("No model is in memory. In use: CPU only, no GPU.")
        expect(other.locator("#memory-now")).to_contain_text("No model is in memory.")
        assert loaded_by(engine) == ()
        other.close()
    with step("while a run is on it is refused in words, and the run goes on"), monkeypatch.context() as patch:
        decoding, release = hold_decoder(settings, patch)
        generate(page, 0.7)
        assert decoding.wait(RUN_SECONDS / 1000)
        expect(page.locator("#run")).not_to_contain_text("Done in")
        unload(page)
        expect(card.locator(".card.error")).to_contain_text("The models are in use by a run")
        expect(card.locator(".card.error")).to_contain_text("wait for it to finish")
        release.set()
        expect_done(page)
        assert loaded_by(engine)
        unload(page)
        expect(card).to_contain_text("Unloaded: ")
    assert watch.errors == []


WIDE = """[...document.querySelectorAll('#memory, #memory *, #rail *, #panel-models *, #panel-settings *')]
    .filter(each => each.getBoundingClientRect().right > innerWidth).length"""


def test_the_panels_fit_into_narrow_screens(page: Page, page_url: str) -> None:
    page.goto(page_url)
    for panel, shows in {"models": "#models-plan .card", "settings": "#settings-shown dl"}.items():
        page.set_viewport_size({"width": 320, "height": 844})
        unfold(page, panel)
        expect(page.locator(shows)).to_be_visible()
        if panel == "models":
            page.locator(shows).get_by_text("Files and licences").click()
        page.locator(f"#panel-{panel}").get_by_text("All options").click()
        for width in (320, 390, 1440):
            with step(f"{panel}, {width} wide"):
                page.set_viewport_size({"width": width, "height": 844})
                assert page.evaluate(WIDE) == 0
                assert page.evaluate("document.documentElement.scrollWidth") <= width
