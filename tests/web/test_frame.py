"""The page's frame: the rail and its panels, a phone's tabs, the keyboard; in a browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from ltx_studio.queue import Progress
from ltx_studio.studio import Studio
from ltx_studio.web.rail import PANELS
from tests.web.conftest import Watch
from tests.web.driver import step, unfold
from tests.web.panels.test_screen import MOST_SHIFT, OBSERVED, SHIFT
from tests.web.still import begin, hand_in, quiet, studio, url

__all__ = ["quiet", "studio", "url"]


SHOWN = "(ids) => ids.filter((id) => document.getElementById(id)?.getClientRects().length)"
SLOW = {"offline": False, "latency": 80, "downloadThroughput": 1_500_000, "uploadThroughput": 1_000_000}
"""A network over which the page's scripts arrive one after the other: milliseconds, and bytes per second."""


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_moves_when_a_browser_opens_the_page_for_the_first_time(
    with_bars: Browser, page_url: str, width: int
) -> None:
    page = with_bars.new_context(viewport={"width": width, "height": 800}).new_page()
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    page.add_init_script(OBSERVED)
    page.goto(page_url, wait_until="commit")
    expect(page.locator("#t2v-told .made")).to_be_visible()
    expect(page.locator("#history-takes :is(.takes, .nothing)")).to_be_attached()

    assert page.evaluate(SHIFT) <= MOST_SHIFT
    page.context.close()


def test_nothing_moves_when_the_page_opens_with_a_banner(with_bars: Browser, url: str) -> None:
    page = with_bars.new_context(viewport={"width": 390, "height": 800}).new_page()
    page.add_init_script(OBSERVED)
    page.goto(url, wait_until="commit")
    expect(page.locator("#studio-banner .card")).to_contain_text("ltx-studio setup")
    expect(page.locator("#t2v-told .made")).to_be_visible()
    page.wait_for_timeout(500)

    assert page.evaluate(SHIFT) <= MOST_SHIFT
    page.context.close()


def test_a_page_without_one_of_its_parts_is_shown_when_gradio_has_ended(
    page: Page, page_url_without_comfyui: str
) -> None:
    page.add_init_script("""
        new MutationObserver(() => document.querySelector("#rail-history")?.remove())
            .observe(document, { childList: true, subtree: true });
    """)
    page.goto(page_url_without_comfyui)

    expect(page.locator("#t2v-generate")).to_be_visible()


def test_what_is_hidden_stays_hidden_in_every_panel(page: Page, url: str) -> None:
    page.goto(url)
    hidden = page.evaluate(
        "gradio_config.components.filter(({ props }) => props.visible === 'hidden').map(({ props }) => props.elem_id)"
    )
    assert {"models-switched", "models-seen", "t2v-found"} <= {*hidden}

    for name in [*PANELS, *PANELS]:
        unfold(page, name)
        expect(page.locator(f"#panel-{name}")).to_be_visible()
        page.wait_for_timeout(50)
        assert page.evaluate(SHOWN, hidden) == []


def test_the_rail_opens_one_panel_at_a_time_and_the_browser_keeps_which(
    page: Page, page_url_without_comfyui: str, watch: Watch
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(page_url_without_comfyui)
    with step("history at first"):
        expect(page.locator("#panel-history")).to_be_visible()
        expect(page.locator("#rail-history")).to_have_attribute("aria-expanded", "true")
    for name in [*PANELS][::-1]:
        with step(name):
            unfold(page, name)
            expect(page.locator("[id^=panel-]").filter(visible=True)).to_have_count(1)
            title = page.locator("#drawer h2").filter(visible=True)
            expect(title).to_have_text(PANELS[name])
            expect(title).to_be_in_viewport(ratio=1)
            expect(page.locator("#rail [aria-expanded=true]")).to_have_count(1)
    with step("what was opened is open after a reload"):
        unfold(page, "models")
        page.reload()
        expect(page.locator("#models-plan .card")).to_be_visible()
        expect(page.locator("#memory-now")).to_contain_text("ltx-studio doctor")
    with step("what was closed is closed after a reload"):
        page.locator("#drawer-close").click()
        expect(page.locator("#rail-models")).to_be_focused()
        expect(page.locator("#drawer")).to_be_hidden()
        page.reload()
        watch.errors.clear()  # the page that was left complains of what it was asking for
        expect(page.locator("#rail-history")).to_be_visible()
        expect(page.locator("#drawer")).to_be_hidden()
    with step("the model's button opens its panel"):
        page.locator("#model-chip").click()
        expect(page.locator("#panel-models")).to_be_visible()
    with step("help has the shortcuts and closes by Escape"):
        page.locator("#help-open").click()
        expect(page.get_by_role("dialog", name="Help")).to_contain_text("Ctrl")
        expect(page.locator("#help a[href*='huggingface.co/Lightricks/LTX-2.3']")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()
        expect(page.locator("#help-open")).to_be_focused()
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.locator("#help .close").click()
    with step("what slides over the page keeps the focus, and gives it back"):
        page.set_viewport_size({"width": 800, "height": 800})
        page.locator("#model-chip").click()
        expect(page.locator("#rail-models")).to_be_focused()
        page.locator("#unload").focus()
        page.mouse.click(700, 700)  # on the scrim
        expect(page.locator("#drawer")).to_be_hidden()
        expect(page.locator("#rail-models")).to_be_focused()
        page.set_viewport_size({"width": 1280, "height": 800})
    with step("landmarks"):
        for role in ("banner", "main", "navigation", "complementary"):
            expect(page.get_by_role(role)).to_have_count(1)
    assert watch.errors == []


OPEN_LISTS = "document.querySelectorAll('[role=combobox][aria-expanded=true]').length"


def test_the_keyboard_reaches_the_prompt_soon_and_leaves_no_list_open(
    page: Page, page_url_without_comfyui: str
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(page_url_without_comfyui)
    prompt = page.locator("#t2v-prompt textarea")
    expect(page.locator("#t2v-told .made")).to_be_visible()
    stops = 0
    while not prompt.evaluate("each => each === document.activeElement"):
        page.keyboard.press("Tab")
        stops += 1
        assert stops <= 8
    page.locator("#t2v-more > button").first.click()  # where the form has lists
    expect(page.locator("#t2v-camera")).to_be_visible()
    prompt.focus()
    lists = 0
    for _ in range(50):
        page.keyboard.press("Tab")
        page.wait_for_timeout(50)
        lists += page.evaluate("Boolean(document.activeElement.matches('[role=combobox]'))")
        assert page.evaluate(OPEN_LISTS) <= 1
    assert lists >= 2
    page.locator("#t2v-generate").focus()
    page.wait_for_timeout(300)
    assert page.evaluate(OPEN_LISTS) == 0
    with step("folds say whether they are open"):
        fold = page.locator("#t2v-more > button").first
        expect(fold).to_have_attribute("aria-expanded", "true")
        fold.click()
        expect(fold).to_have_attribute("aria-expanded", "false")
        assert page.locator("button.label-wrap:not([aria-expanded])").count() == 0
        expect(fold).to_have_accessible_name("Advanced")
    with step("what resets a value names it"):
        names = page.locator("button.reset-button").evaluate_all("all => all.map((each) => each.ariaLabel)")
        assert all(": " in name for name in names)
    with step("the link past the forms leads to the rail"):
        page.locator("a.skip").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#rail-history")).to_be_focused()


EDGE = """each => {
  const { borderTopColor, borderTopWidth } = getComputedStyle(each);
  return [borderTopColor, parseFloat(borderTopWidth)];
}"""


def test_what_is_not_chosen_is_seen_whatever_the_system_prefers(page: Page, page_url_without_comfyui: str) -> None:
    page.goto(page_url_without_comfyui)
    for system in ("light", "dark"):
        with step(f"a {system} system"):
            page.emulate_media(color_scheme=system)
            for control in ("#t2v-preset input:not(:checked)", "#history-favourites input"):
                colour, width = page.locator(control).first.evaluate(EDGE)
                assert (colour, width >= 1) == ("rgb(149, 160, 173)", True)
            assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    with step("forced colours"):
        page.emulate_media(forced_colors="active")
        for chosen in ("#mode label.selected", "#t2v-preset label.selected", "#t2v-shape label.selected"):
            outline = page.locator(chosen).evaluate("each => getComputedStyle(each).outlineStyle")
            assert outline == "solid", chosen
        drawn = "all => all.map((each) => getComputedStyle(each).appearance)"
        sliders = page.locator("input[type=range]").evaluate_all(drawn)
        assert {*sliders} == {"auto"}, "the system draws them"
        generate = page.locator("#t2v-generate").evaluate("each => getComputedStyle(each).borderTopStyle")
        assert generate == "solid"


def test_a_phone_has_three_tabs_and_stops_where_it_generates(page: Page, url: str, studio: Studio) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    (job,) = hand_in(studio, "a red ball")
    begin(studio, job, Progress("Stage 1", 2, 8, 1, 4))
    page.goto(url)
    stop, generate = page.locator("#form-t2v .stop-here"), page.locator("#t2v-generate")
    with step("a run is signalled on its tab, and stopped where it is asked for"):
        expect(page.locator("#tab-watch")).to_have_accessible_name("Watch: a clip is being made")
        expect(stop).to_be_in_viewport(ratio=1)
        expect(generate).to_be_hidden()
        for mode in ("lipsync", "t2v"):
            page.locator(f"#mode input[value={mode}]").check(force=True)
            expect(page.locator(f"#form-{mode} .stop-here")).to_have_text("Stop")
        page.wait_for_timeout(600)
        stop.click()
        expect(page.locator("#stop")).to_have_text(re.compile("Stopping"))
    with step("each tab shows its part"):
        page.locator("#tab-watch").click()
        expect(page.locator("#tabs [aria-current=page]")).to_have_id("tab-watch")
        expect(page.locator("#run")).to_be_in_viewport()
        expect(page.locator("#forms")).to_be_hidden()
        page.locator("#tab-library").click()
        expect(page.locator("#rail-settings")).to_be_in_viewport()
        expect(page.locator("#panel-history")).to_be_visible()
        expect(page.locator("#main")).to_be_hidden()
        unfold(page, "queue")
        expect(page.locator("#queue-board")).to_contain_text("a red ball")
        page.locator("#tab-make").click()
        expect(page.locator("#t2v-prompt")).to_be_visible()


def test_escape_stops_a_run_although_a_list_elsewhere_is_open(page: Page, url: str, studio: Studio) -> None:
    (job,) = hand_in(studio, "a red ball")
    begin(studio, job, Progress("Stage 1", 2, 8, 1, 4))
    page.goto(url)
    expect(page.locator("#stop")).to_be_visible()
    page.locator("[role=combobox]").first.evaluate("each => each.setAttribute('aria-expanded', 'true')")
    page.locator("#t2v-prompt textarea").press("Escape")
    page.locator("#stop").press("Escape")

    expect(page.locator("#stop")).to_have_text(re.compile("Stopping"))
