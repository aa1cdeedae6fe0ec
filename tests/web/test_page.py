"""The page as it opens: what it tells, whom it asks, and that it fits into the window; in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from ltx_studio.engine import Engine
from ltx_studio.modes import MODES
from ltx_studio.settings import LOOPBACK, Settings
from tests.web.conftest import Watch, open_page
from tests.web.driver import choose, step

COUNT_FRAMES = """
    window.frames_asked = 0;
    const ask = window.requestAnimationFrame;
    window.requestAnimationFrame = (draw) => { window.frames_asked += 1; return ask(draw); };
"""
"""A script that counts how often the page's scripts ask to draw. One that always does asks 60 times a second."""


def test_the_page_as_it_opens(page: Page, page_url: str, watch: Watch, hosts: set[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.add_init_script(COUNT_FRAMES)
    page.goto(page_url)
    with step("nothing is asked of the network"):
        expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
        expect(page.locator("#t2v-told")).to_contain_text("256×192")
        page.wait_for_load_state("load")
        assert hosts == {LOOPBACK}
    with step("it says what the pocket model is, and offers the real sets"):
        expect(page.locator("#model-chip")).to_have_attribute("title", re.compile("coloured shapes"))
    with step("at rest it draws nothing"):
        page.wait_for_timeout(1000)  # what it opens with has moved into place
        before = page.evaluate("frames_asked")
        page.wait_for_timeout(1000)
        assert page.evaluate("frames_asked") - before < 10
    for width in (390, 768, 1440):
        with step(f"nothing is wider than a window of {width}"):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 390, "height": 844})
    heights = set[float]()
    for mode in MODES:
        with step(f"nothing unseen is shown in {mode}"):
            choose(page, mode)
            heights.add(page.locator("#top").evaluate("each => each.offsetHeight"))
            hidden = page.locator(
                "#ended, #begun, #take-changed, [id$=filling], [id$=-found], [id$=-changed], [id$=-once], #lora-upload"
            )
            assert hidden.filter(visible=True).count() == 0
    assert len(heights) == 1, "the header is as high in each mode"
    with step("the clip stays in sight while the form is scrolled"):
        page.set_viewport_size({"width": 1440, "height": 700})
        choose(page, "lipsync")
        page.locator("#lipsync-more > button").first.click()
        page.mouse.move(600, 400)
        page.mouse.wheel(0, 2000)
        page.wait_for_function("scrollY > 300")
        for kept in ("#run", "#studio-header h1", "#panel-history", "#lipsync-generate"):
            expect(page.locator(kept)).to_be_in_viewport()
    with step("it carries nothing of the API"):
        assert page.evaluate("gradio_config.components.filter((each) => each.type === 'api').length") == 0
        assert page.locator(".nav-holder, nav:not(#rail, #tabs)").count() == 0
    with step("the API's own page says what it is"):
        page.goto(f"{page_url.rstrip('/')}/endpoints")
        expect(page.locator("body")).to_contain_text("Programs can use the studio at this page's address")
        assert page.locator(".nav-holder, nav:not(#rail, #tabs)").count() == 0


def test_a_space_leaves_room_above(page: Page, home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/studio")
    for url in open_page(home, Engine(home)):
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(url)

        assert page.locator("#studio-header h1").evaluate("each => each.getBoundingClientRect().top") >= 48
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
