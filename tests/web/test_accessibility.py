"""What axe-core finds on the page: contrast of WCAG AA, names, roles, labels, order; and what the keyboard reaches."""

import json
from collections.abc import Mapping
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ltx_studio.media import by_name
from ltx_studio.modes import MODES
from tests.support import small_spec
from tests.web.driver import (
    choose,
    expect_done,
    expect_playing,
    expect_sampling,
    open_mode,
    press,
    set_number,
    step,
    unfold,
    write,
)

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


WHOLE = "Math.max(...['#studio', '#drawer'].map((each) => document.querySelector(each).scrollHeight)) + 200"


def found(page: Page, part: str | None = None) -> list[str]:
    """Return what is wrong with the page, or with a part of it (a selector), in a line each, with where.

    It is looked for in a window as high as what it shows: axe counts a target as too small where it is half behind
    what stays in sight, although one may scroll on.
    """
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({**size, "height": page.evaluate(WHOLE)})
    results = Axe().run(page, part, options=RULES).response
    page.set_viewport_size(size)
    return [
        f"{violation['id']}: {node['target']} {node['html'][:200]} {_why(node)}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]


def _why(node: Mapping[str, list[Mapping[str, str]]]) -> str:
    return "; ".join(each["message"] for kind in ("any", "all", "none") for each in node[kind])


SETTLED = """async () => {
    const after = (time) => new Promise((goOn) => setTimeout(goOn, time));
    await after(100);
    const ends = ({ effect }) => Number.isFinite(effect.getComputedTiming().endTime) && effect.target.checkVisibility();
    const animations = document.getAnimations().filter(ends).map((each) => each.finished);
    await Promise.race([after(1000), Promise.allSettled(animations)]);  // what draws nothing ends no animation
}"""


def settle(page: Page) -> None:
    """Wait until nothing unfolds any more: what does is half seen, and its targets lie on each other."""
    for _ in range(2):
        page.evaluate(SETTLED)


def test_the_forms_with_all_their_fields(page: Page, page_url: str) -> None:
    page.goto(page_url)
    wrong: dict[str, list[str]] = {}
    for mode in MODES:
        choose(page, mode)
        page.locator(f"#{mode}-more > button").first.click()
        settle(page)
        wrong[mode] = found(page, "#stage" if wrong else None)

    assert wrong == {mode: [] for mode in MODES}
    with step("weak contrast would be seen"):
        choose(page, "t2v")
        expect(page.locator("#t2v-told .made")).to_be_visible()
        page.add_style_tag(content=".told .made { color: #5c6978 !important; }")
        assert [each.partition(":")[0] for each in found(page)] == ["color-contrast"]


SHOWS = {
    "history": "#history-takes :is(.takes, .nothing)",
    "queue": "#queue-board",
    "models": "#models-plan .card",
    "batch": "#batch-card",
    "workflow": "#workflow-card",
    "settings": "#settings-shown dl",
}
"""What each panel of the drawer shows."""
LIVE = ":is([role=status], [role=log], [aria-live]):not([aria-live=off], .sr-only)"
"""What is read out when it changes, besides errors, and Gradio's progress, of which no handler of ours has any."""


def test_the_drawer_with_each_of_its_panels(page: Page, page_url: str) -> None:
    page.goto(page_url)
    for width in (1440, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        wrong: dict[str, list[str]] = {}
        for panel, shows in SHOWS.items():
            with step(f"{panel} at {width} px"):
                unfold(page, panel)
                expect(page.locator(shows)).to_be_visible()
                settle(page)
                wrong[panel] = found(page, "#drawer" if wrong else None)
                if width == 768:
                    page.locator("#drawer-close").click()

        assert wrong == {panel: [] for panel in SHOWS}
    assert page.eval_on_selector_all(LIVE, "all => all.map((each) => each.id)") == ["announcer"]


def test_a_run_and_its_take(page: Page, page_url: str) -> None:
    write(page, page_url, "a red ball", seconds=4)
    press(page, "Generate")
    expect_sampling(page)
    running = found(page)
    expect_done(page)
    expect_playing(page)

    assert (running, found(page)) == ([], [])
    with step("what opens"):
        page.locator("#take-more").click()
        menu = found(page, "#take")
        page.locator("#help-open").click()
        assert (menu, found(page, "#help")) == ([], [])


def test_an_error_and_a_banner(page: Page, page_url_without_comfyui: str) -> None:
    open_mode(page, page_url_without_comfyui, "keyframe")
    press(page, "Generate")
    expect(page.locator("#told [role=alert]")).to_be_visible()

    assert found(page) == []


def test_the_form_of_a_workflow_of_ones_own(page: Page, page_url: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(small_spec().build(by_name).graph))
    page.goto(page_url)
    unfold(page, "workflow")
    page.locator("#workflow-file input[type=file]").set_input_files(str(tmp_path / "mine.json"))
    page.get_by_text("More inputs (").click()
    page.locator("#form-workflow .own-fold .own-fold > summary").first.click()
    settle(page)

    assert found(page, "#form-workflow") == []


FOCUSED = """() => {
  const each = document.activeElement;
  return [each.closest("[id]")?.id, each.tagName, each.getAttribute("aria-label"), each.value].join(" ");
}"""
"""What has the focus; its name and tabindex change while the page looks for news."""
HAS_FOCUS, MOST_FIELDS = "each => each === document.activeElement", 100
BEHIND = """() => {
  const each = document.activeElement;
  const { x, y, width, height } = (each.matches("input") && each.closest("label") || each).getBoundingClientRect();
  const at = (part) => document.elementFromPoint(x + width / 2, y + height * part);
  const isOver = (top) => !top || (top.closest("#top, .dock") && !top.closest("#top, .dock").contains(each));
  const isSeen = ![0.2, 0.5, 0.8].map(at).every(isOver);
  return isSeen ? null : each.outerHTML;
}"""
"""What has the focus, if it is behind something, or out of the window."""


def test_what_has_the_focus_is_never_behind_what_stays_in_sight(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "t2v")
    page.locator("#t2v-more > button").first.click()
    told, generate = page.locator("#t2v-told"), page.locator("#t2v-generate")
    plain = told.inner_html()
    for width, height, notes in ((390, 700, 0), (390, 700, 3), (1440, 700, 3), (390, 500, 9)):
        with step(f"{notes} notes at {width}×{height} px"):
            page.set_viewport_size({"width": width, "height": height})
            told.evaluate("(each, html) => (each.innerHTML = html)", plain + "<p>Note.</p>" * notes)
            settle(page)
            prompt = page.locator("#t2v-prompt textarea")
            prompt.focus()
            there, back, behind = [page.evaluate(FOCUSED)], list[str](), list[str]()
            for key, stops, end in (("Tab", there, generate), ("Shift+Tab", back, prompt)):
                for _ in range(MOST_FIELDS):
                    page.keyboard.press(key)
                    stops.append(page.evaluate(FOCUSED))
                    behind.append(page.evaluate(BEHIND))
                    if end.evaluate(HAS_FOCUS):
                        break
                assert end.evaluate(HAS_FOCUS)

            assert there[:-1] == back[::-1]
            assert [each for each in behind if each] == []
            assert len(behind) > 30


def test_with_the_keyboard_alone_a_mode_is_chosen_and_a_clip_made_and_stopped(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "t2v")
    with step("arrows choose among modes"):
        page.locator("#mode input:checked").focus()
        for key, mode in (("ArrowLeft", "style"), ("ArrowRight", "t2v"), ("ArrowDown", "a2v"), ("ArrowUp", "t2v")):
            page.keyboard.press(key)
            expect(page.get_by_role("radio", name=MODES[mode].label)).to_be_focused()
            expect(page.get_by_role("radio", name=MODES[mode].label)).to_be_checked()
            expect(page.locator(f"#{mode}-generate")).to_be_visible()
    with step("a clip is made and stopped"):
        page.locator("#t2v-prompt textarea").fill("a red ball")
        set_number(page, "t2v", "seconds", 10)
        page.get_by_label("Search prompts and tags").press("Control+Enter")  # which is no place to ask for a clip
        page.locator("#t2v-prompt textarea").focus()
        page.wait_for_timeout(300)
        expect(page.locator("#stop")).to_be_hidden()
        page.keyboard.press("Control+Enter")
        expect(page.locator("#stop")).to_be_visible()
        expect(page.locator("#t2v-prompt textarea")).to_be_focused()
        page.keyboard.press("Escape")  # one key does not cost minutes of work
        expect(page.locator("#stop")).to_be_focused()
        expect(page.locator("#stop")).to_be_enabled()
        page.keyboard.press("Escape")
        expect(page.locator("#run")).to_contain_text("Stopped. Nothing was saved.")
    with step("arrows choose among presets"):
        page.locator("#t2v-preset input:checked").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#t2v-told")).to_contain_text("128×96 (half of 256×192)")
