"""Take the pictures in docs/screenshots: the real page, the real engine, the pocket model, a real browser.

The command is `make screenshots`.
"""

from pathlib import Path

from playwright.sync_api import Page, expect

from ltx_studio.settings import LOOPBACK
from ltx_studio.ui import build_app
from tools import browser

OUT = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTHS = (390, 768, 1440)
HEIGHT = 860


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    blocks = build_app()
    blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    with browser.start() as chromium:
        page = chromium.new_page(viewport={"width": WIDTHS[-1], "height": HEIGHT})
        page.goto(str(blocks.local_url))
        render(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.wait_for_timeout(500)  # the layout settles
            page.screenshot(path=OUT / f"t2v-{width}.png", full_page=True)
            print(OUT / f"t2v-{width}.png")
    blocks.close(verbose=False)


def render(page: Page) -> None:
    """One clip, whose last frame stays in the picture."""
    page.get_by_label("Prompt", exact=True).fill("a red ball bounces to the right on a gray background")
    page.get_by_label("New seed each time").uncheck()
    page.get_by_label("Seed", exact=True).fill("23")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#run")).to_contain_text("Done in", timeout=120_000)
    page.wait_for_function("document.querySelector('#clip video').readyState >= 2")


if __name__ == "__main__":
    main()
