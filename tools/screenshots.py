"""Take the pictures in docs/screenshots: each mode at three widths, with its own clip, in a real browser.

It uses the real page and engine, the pocket model, and a separate home, so that no one's takes are shown. The command
is `make screenshots`.
"""

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from ltx_studio.modes import MODES
from ltx_studio.settings import LOOPBACK, get_settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from tools import browser

OUT = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTHS = (390, 768, 1440)
HEIGHT = 900
SEED = 23
WHOLE = """
#top, #result, .dock, #tabs { position: static !important; max-height: none !important; min-height: 0 !important }
@media (min-width: 640px) { #rail-place { position: static !important; height: auto !important } }
@media (min-width: 1024px) { #drawer { position: static !important; height: auto !important } }
"""
"""Style for a full-page picture: nothing stays in view while the rest is scrolled."""


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    usual = get_settings()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LTX_STUDIO_HOME"] = folder
        for name in ("comfyui", "models"):
            if (usual.home / name).exists():
                (Path(folder) / name).symlink_to(usual.home / name)
        get_settings.cache_clear()
        take_pictures()


def take_pictures() -> None:
    studio = Studio(get_settings(), works=True)
    blocks = build_app(studio=studio)
    blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    with browser.start() as chromium:
        page = chromium.new_page(viewport={"width": WIDTHS[-1], "height": HEIGHT})
        page.goto(str(blocks.local_url))
        page.add_style_tag(content=WHOLE)
        for mode in MODES:
            page.set_viewport_size({"width": WIDTHS[-1], "height": HEIGHT})
            render(page, mode)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                page.wait_for_timeout(700)  # the layout settles
                page.screenshot(path=OUT / f"{mode}-{width}.png", full_page=True)
                print(OUT / f"{mode}-{width}.png")
    blocks.close(verbose=False)
    studio.close(10)


def render(page: Page, mode: str) -> None:
    """Render the mode's first example with a fixed seed."""
    page.locator("#mode label").filter(has_text=MODES[mode].label).click()
    page.locator(f"#{mode}-tools").get_by_role("button", name="Examples").click()
    page.locator(f"#{mode}-tools .menu").get_by_role("button", name=MODES[mode].examples[0].label).click()
    expect(page.locator(f"#{mode}-prompt textarea")).to_have_value(str(MODES[mode].examples[0].values["prompt"]))
    page.locator(f"#{mode}-new-seed input").uncheck()
    page.locator(f"#{mode}-seed input").fill(str(SEED))
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#recipe")).to_contain_text(MODES[mode].label, timeout=120_000)
    page.wait_for_function("document.querySelector('#clip video')?.readyState >= 2")


if __name__ == "__main__":
    main()
