"""The panel that tells how the studio is set up: whole for whom sits at the machine, without folders for others."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from ltx_studio import __version__
from ltx_studio.engine import Engine, comfyui
from ltx_studio.settings import Settings, Vram
from tests.web.conftest import Watch, open_page
from tests.web.driver import open_panel, step, unfold


def open_settings(page: Page, url: str) -> None:
    open_panel(page, url, "settings")
    expect(page.locator("#panel-settings")).to_contain_text("ltx-studio doctor")


@pytest.fixture
def from_afar(settings: Settings, engine: Engine) -> Iterator[str]:
    """The page as those see it who do not sit at the machine."""
    settings = replace(settings, vram=Vram.LOW)
    yield from open_page(settings, engine, apart=True)


def test_at_the_machine_it_tells_where_things_lie_and_what_runs(
    page: Page, page_url: str, settings: Settings, watch: Watch
) -> None:
    open_settings(page, page_url)
    shown = page.locator("#panel-settings")

    for path in (settings.outputs_dir, settings.models_dir, settings.log_file, settings.hub_cache):
        expect(shown).to_contain_text(str(path))
    expect(shown).to_contain_text(f"{comfyui.VERSION}, your own: {settings.comfy_dir}")
    expect(shown).to_contain_text(__version__)
    expect(shown).to_contain_text("Pocket preview")
    expect(shown).to_contain_text("Change it under Models.")
    expect(shown).to_contain_text("auto: Models that fit stay on the GPU.")
    expect(shown).to_contain_text("free for clips")
    expect(shown.locator("a")).to_have_count(0)
    assert watch.errors == []


def test_from_afar_no_folder_is_told(page: Page, from_afar: str, settings: Settings) -> None:
    open_settings(page, from_afar)
    shown = page.locator("#panel-settings")

    expect(shown).to_contain_text("only shown on the computer that runs the studio")
    expect(shown).to_contain_text("low: Models go to the GPU in parts")
    for path in (settings.home, settings.comfy_dir, settings.hub_cache):
        expect(shown).not_to_contain_text(str(path))


def test_without_comfyui_it_says_so_and_the_rest(page: Page, page_url_without_comfyui: str) -> None:
    open_settings(page, page_url_without_comfyui)
    with step("the settings"):
        expect(page.locator("#panel-settings")).to_contain_text("is not installed")
        expect(page.locator("#panel-settings")).to_contain_text(__version__)
    with step("a banner with the command"):
        banner = page.get_by_role("alert").first
        expect(banner).to_contain_text("is not installed")
        expect(banner.locator("code").first).to_have_text("ltx-studio setup")
    with step("nothing is starting"):
        unfold(page, "models")
        expect(page.locator("#memory")).to_have_text("Memory: did not start")
        expect(page.locator("#memory-now")).to_contain_text("ltx-studio doctor")
