"""Take the pictures in docs/screenshots: each mode on a desktop and a phone, each panel, and a run, in a real browser.

It uses the real page and engine, the pocket model, and a separate home, so that no one's takes are shown. The command
is `make screenshots`.
"""

import io
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from ltx_studio.media import by_name
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.queue import JobSpec
from ltx_studio.settings import LOOPBACK, Settings, get_settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from tools import browser

OUT = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PANELS = "history", "models", "batch", "settings", "workflow"
SEED = 23
QUALITY = 85


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    usual = get_settings()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LTX_STUDIO_HOME"] = folder
        for name in ("comfyui", "models"):
            if (usual.home / name).exists():
                (Path(folder) / name).symlink_to(usual.home / name)
        get_settings.cache_clear()
        take_pictures(replace(get_settings(), hub_cache=Path(folder) / "hub"))


def take_pictures(settings: Settings) -> None:
    studio = Studio(settings, works=True)
    blocks = build_app(settings, studio=studio)
    blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    with browser.start() as chromium:
        page = chromium.new_page(viewport=DESKTOP)
        page.goto(str(blocks.local_url))
        expect(page.locator("#t2v-told")).to_contain_text("frames")
        save("empty-1440", shot(page))
        for mode in MODES:
            page.set_viewport_size(DESKTOP)
            render(page, mode)
            save(f"{mode}-1440", shot(page))
            page.set_viewport_size(PHONE)
            save(f"{mode}-390", *(shot(page, tab) for tab in ("make", "watch")))
        page.set_viewport_size(DESKTOP)
        for panel in PANELS:
            if panel != PANELS[0]:  # it is open
                page.locator(f"#rail [aria-controls=panel-{panel}]").click()
            if panel == "workflow":
                show_workflow(page, settings)
            save(f"{panel}-1440", shot(page))
        start_run(page)
        save("run-1440", shot(page))
        expect(page.locator("#stop")).to_be_visible()  # the picture was taken in time
    blocks.close(verbose=False)
    studio.close(10)


def shot(page: Page, tab: str = "") -> Image.Image:
    """Return what the window shows; on a phone, of a tab."""
    if tab:
        page.locator(f"#tabs [data-tab={tab}]").click()
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(1_000)  # the layout settles
    return Image.open(io.BytesIO(page.screenshot()))


def save(name: str, *pictures: Image.Image) -> None:
    """Write pictures beside each other into one file."""
    whole = Image.new("RGB", (sum(each.width for each in pictures), max(each.height for each in pictures)))
    left = 0
    for each in pictures:
        whole.paste(each, (left, 0))
        left += each.width
    whole.save(OUT / f"{name}.webp", quality=QUALITY, method=6)
    print(OUT / f"{name}.webp")


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


def start_run(page: Page) -> None:
    """Start three clips, and show the first one forming beside the queue."""
    page.locator("#mode label").filter(has_text=MODES["t2v"].label).click()
    page.locator("#rail [aria-controls=panel-queue]").click()
    page.locator("#t2v-seconds input[type=number]").fill("10")
    page.locator("#t2v-takes input[type=number]").fill("3")
    page.locator("#t2v-preset label").filter(has_text="Quality").click()
    expect(page.locator("#t2v-told")).to_contain_text("3 clips")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#preview img")).to_be_visible(timeout=120_000)


def show_workflow(page: Page, settings: Settings) -> None:
    """Give the page a workflow, whose form it shows from then on, and open what is folded in it."""
    first = MODES["t2v"].examples[0]
    spec = JobSpec.from_request("t2v", {**first.values, "seed": SEED}, get_registry(settings).get_set("pocket"))
    file = settings.home / "my workflow.json"
    file.write_text(json.dumps(spec.build(by_name).graph), encoding="utf-8")
    page.locator("#workflow-file input[type=file]").set_input_files(str(file))
    page.locator("#form-workflow .own-fold > summary").first.click()


if __name__ == "__main__":
    main()
