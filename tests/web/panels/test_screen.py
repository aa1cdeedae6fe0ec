"""The screen: one place for what to do, what forms and what is finished, and below it what belongs to it."""

import io
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL
from ltx_studio.studio import Studio
from ltx_studio.web.panels.screen import empty
from tests.support import MODEL_SETS, small_spec
from tests.web.conftest import Watch
from tests.web.driver import choose, press, step, tab_to, unfold
from tests.web.focus_watch import watch_focus
from tests.web.seen import MAY_END, studio, url

__all__ = ["studio", "url"]

LONG = "A lighthouse on a cliff at night, and waves below it. " * 20
PLAYS = "document.querySelector('#clip video')?.readyState >= 2"
HAS_FOCUS = "document.activeElement !== document.body && document.activeElement.id"


OBSERVED = """
window.shifts = []; window.said = []; window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
new PerformanceObserver((list) => {
    for (const shift of list.getEntries().filter((each) => !each.hadRecentInput)) {
        const moved = shift.sources.some(({ node }) => node?.closest?.("#result"));
        window.shifts.push([shift.value, moved]);
    }
}).observe({ type: "layout-shift", buffered: true });
const live = ({ target }) => (target.closest ? target : target.parentElement)?.closest("[role=status], [aria-live]");
const isRead = (change) => Boolean(live(change)?.getClientRects().length); // not what is hidden
const tell = (changes) => changes.some(isRead) && window.said.push(performance.now());
new MutationObserver(tell).observe(document, { childList: true, characterData: true, subtree: true });
"""
BOX = "each => { const { x, y, width, height } = each.getBoundingClientRect(); return [x, y, width, height]; }"


@pytest.mark.parametrize(("model_set", "is_preview"), [("pocket", True), ("fp8", False), ("nvfp4", False)])
def test_the_empty_screen_has_examples_for_the_model_set_and_its_notice(model_set: str, *, is_preview: bool) -> None:
    shown = empty(MODES.values(), MODEL_SETS[model_set])

    assert MODEL_SETS[model_set].notice in shown
    assert ('class="notice"' in shown) == (model_set != "fp8")

    for mode in MODES.values():
        for example in mode.examples:
            assert (f'data-example="{example.label}"' in shown) == (example.for_pocket == is_preview)
    assert ("<video" in shown) == is_preview


def box(page: Page) -> list[float]:
    found: list[float] = page.locator("#screen").evaluate(BOX)
    return found


def wait_for_clip(page: Page) -> None:
    expect(page.locator("#run")).to_contain_text("Done in")
    page.wait_for_function(PLAYS)


def test_all_is_in_one_place_and_what_is_above_and_below_belongs_together(
    page: Page, url: str, watch: Watch, studio: Studio
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.add_init_script(OBSERVED)
    page.goto(url)
    empty_screen(page)
    run_that_forms(page)
    clip_in_sight(page)
    switches_sound_on(page)
    run_beside_a_take(page, studio)
    compares(page)
    deletes_and_undoes(page, studio)
    edits(page, studio)
    with step("what is read out comes at most every two seconds"):
        said = page.evaluate("window.said")
        assert len(said) >= 5
        assert all(after - before > 1900 for before, after in pairwise(said))
    assert watch.errors == []
    returns(page, studio)


def empty_screen(page: Page) -> None:
    """Look at the empty screen, and choose an example."""
    screen = page.locator("#screen")
    prompt = page.locator("#t2v-prompt textarea")
    with step("an empty screen says what the open mode needs, and has examples"):
        expect(screen.get_by_text("Describe your clip, then press Generate")).to_be_visible()
        choose(page, "lipsync")
        expect(screen.get_by_text("Add a sound and a picture")).to_be_visible()
        choose(page, "t2v")
        expect(screen.locator(".what:visible")).to_have_count(1)
        screen.get_by_role("button", name="A square crosses").click()
        expect(prompt).to_have_value(re.compile("blue square"))


def run_that_forms(page: Page) -> None:
    """Make a clip with a long prompt."""
    screen = page.locator("#screen")
    run = page.locator("#run")
    prompt = page.locator("#t2v-prompt textarea")
    with step("nothing moves while the clip forms, and the tab tells how far it is"):
        assert prompt.evaluate("each => getComputedStyle(each).unicodeBidi") == "plaintext", "Arabic is from the right"
        prompt.fill(LONG)
        page.locator("#t2v-generate").scroll_into_view_if_needed()
        place = box(page)
        page.evaluate("window.shifts = []")
        MAY_END.clear()
        press(page, "Generate")
        expect(screen.locator("#preview img")).to_be_visible()
        assert box(page) == place
        page.wait_for_function("/^\\d+ % · LTX 2.3 Studio$/.test(document.title)")
        run.locator("summary").click()
        expect(run.locator(".chips .now")).to_be_visible()
        page.wait_for_timeout(1200)  # the fold stays open over updates
        expect(run.locator(".chips .now")).to_be_visible()
        MAY_END.set()
        wait_for_clip(page)
        assert box(page) == place
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) <= 0.05
        assert page.title() == "LTX 2.3 Studio"


def clip_in_sight(page: Page) -> None:
    """Look at the finished clip."""
    with step("a long prompt is folded, and every action is in sight"):
        assert page.locator("#recipe .prompt summary").bounding_box()["height"] <= 50  # type: ignore[index]
        for action in ("again", "quality", "reuse", "go-on", "favourite", "download", "more"):
            expect(page.locator(f"#take-{action}")).to_be_in_viewport(ratio=1)
        page.locator("#recipe .prompt summary").click()
        assert page.locator("#recipe .prompt summary").bounding_box()["height"] > 50  # type: ignore[index]
    with step("the file to download has a name that says what it is"), page.expect_download() as download:
        page.locator("#take-download").click()
    assert re.fullmatch(r"a-lighthouse-on-a-cliff.*-t2v-128x128-\d+\.mp4", download.value.suggested_filename)


def switches_sound_on(page: Page) -> None:
    """Ask for a sound when a clip is done; without being asked the page is silent."""
    with step("the sound is off until it is switched on, which lets one hear it"):
        assert page.evaluate("window.tones") == 0
        unfold(page, "settings")
        page.get_by_label("Play a sound when a clip is done").check()
        page.wait_for_function("window.tones === 2")
        unfold(page, "history")


def run_beside_a_take(page: Page, studio: Studio) -> None:
    """Make another one, and look at the older one meanwhile."""
    screen = page.locator("#screen")
    run = page.locator("#run")
    stop = page.locator("#stop")
    current = page.locator("#history-takes [aria-current]")
    with step("a new run replaces the old clip, and the focus goes on to Stop"):
        MAY_END.clear()
        page.locator("#take-again").focus()
        page.keyboard.press("Enter")
        expect(screen.locator("#preview, .slate")).to_be_visible()
        expect(page.locator("video")).to_have_count(0)
        expect(page.locator("#take-again")).to_have_count(0)
        expect(current).to_have_count(0)
        expect(stop).to_be_focused()
    with step("an older take brings its own status; what runs is one line"):
        page.locator("#history-takes .take .open").first.click()
        expect(run).to_contain_text("Made in")
        expect(current).to_have_count(1)
        expect(page.locator("#going")).to_contain_text("Making A lighthouse")
        expect(stop).to_be_visible()
        page.wait_for_timeout(1000)
        expect(run).to_contain_text("Made in")
        page.get_by_role("button", name="Show progress").click()
        expect(run).to_contain_text("step")
        expect(screen.locator("#preview img")).to_be_visible()
        expect(page.locator("#take-again")).to_have_count(0)
        expect(page.locator("#going")).to_be_hidden()
    with step("the new clip waits for whoever looks at an older one"):
        page.locator("#history-takes .take .open").first.click()
        expect(run).to_contain_text("Made in")
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        MAY_END.set()
        expect(page.locator("#going")).to_contain_text("Your new clip is ready")
        page.wait_for_function("window.tones === 4")
        page.evaluate("delete document.hidden")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("#going")).to_be_hidden()
        newest = studio.takes.page(LOCAL, limit=1).takes[0]
        expect(run).to_contain_text(f"seed {newest.seed}")
        expect(page.locator("#recipe")).to_contain_text(f"seed {newest.seed}")
        expect(page.locator(f'.take[data-take="{newest.id}"] [aria-current]')).to_have_count(1)
        expect(current).to_have_count(1)


def compares(page: Page) -> None:
    """Compare two clips with the keyboard alone."""
    with step("two clips are compared with the keyboard alone"):
        page.locator("a.skip").focus()
        page.keyboard.press("Enter")
        tab_to(page, "#history-takes .take .open")
        for key in ("Home", "m", "End", "m"):
            page.keyboard.press(key)
        compare = page.get_by_role("button", name="Compare", exact=True)
        expect(compare).to_be_enabled()
        tab_to(page, "button:not([disabled])", back=True)
        while not compare.evaluate("each => each === document.activeElement"):
            tab_to(page, "#panel-history *", back=True)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Two clips side by side")
        expect(dialog.get_by_role("button", name="Play", exact=True)).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(compare).to_be_focused()


def deletes_and_undoes(page: Page, studio: Studio) -> None:
    """Delete the newest clip, and put it back, with the keyboard."""
    newest = studio.takes.page(LOCAL, limit=1).takes[0]
    screen = page.locator("#screen")
    run = page.locator("#run")
    prompt = page.locator("#t2v-prompt textarea")
    with step("Delete can be undone, and the focus does not get lost"):
        page.locator("#run [tabindex], #t2v-generate").first.focus()
        tab_to(page, "#take-more")
        page.keyboard.press("Enter")
        expect(page.locator("#take-more")).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Escape")
        expect(page.locator("#take-more")).to_be_focused()
        expect(page.locator("#take-delete")).to_be_hidden()
        page.keyboard.press("Enter")
        tab_to(page, "#take-delete")
        page.keyboard.press("Enter")
        expect(screen).to_contain_text("Describe your clip")
        undo = page.get_by_role("button", name="Undo")
        expect(undo).to_be_focused()
        expect(page.locator("#history-takes .take")).to_have_count(1)
        prompt.press_sequentially("!")  # which makes other messages go
        page.locator("#history-takes .take .open").first.click()
        expect(run).to_contain_text("Made in")
        expect(undo).to_be_in_viewport(ratio=1)
        undo.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#take-again")).to_be_focused()
        expect(page.locator("#history-takes .take")).to_have_count(2)
        expect(run).to_contain_text(f"seed {newest.seed}")


def edits(page: Page, studio: Studio) -> None:
    """Change the request, and stop the run."""
    newest = studio.takes.page(LOCAL, limit=1).takes[0]
    run = page.locator("#run")
    stop = page.locator("#stop")
    prompt = page.locator("#t2v-prompt textarea")
    with step("to edit is to go on at the end of the prompt"):
        page.locator("#take-reuse").click()
        expect(page.locator("#told")).to_contain_text(f"same seed, {newest.seed}")
        expect(prompt).to_be_focused()
        chosen = prompt.evaluate("each => [each.selectionStart, each.selectionEnd, each.value.length]")
        assert chosen[0] == chosen[1] == chosen[2] > 100
    with step("the focus goes on to a button when the run is stopped"):
        MAY_END.clear()
        press(page, "Generate")
        expect(stop).to_be_visible()
        stop.focus()
        page.keyboard.press("Enter")
        expect(run).to_contain_text("Stopped. Nothing was saved.")
        expect(page.locator("#t2v-generate")).to_be_focused()
    with step("and when the run ends"):
        page.keyboard.press("Enter")
        expect(stop).to_be_visible()
        stop.focus()
        MAY_END.set()
        wait_for_clip(page)
        expect(page.locator("#take-again")).to_be_focused()


def returns(page: Page, studio: Studio) -> None:
    """Reload the page, and scroll to its end."""
    newest = studio.takes.page(LOCAL, limit=1).takes[0]
    run = page.locator("#run")
    with step("the last clip is there again after a reload"):
        page.reload()
        expect(run).to_contain_text("Made in")
        expect(page.locator("#recipe")).to_contain_text(f"seed {newest.seed}")
        page.wait_for_function(PLAYS)
    with step("nothing goes behind the header"):
        choose(page, "lipsync")
        page.locator("#lipsync-more > button").first.click()
        page.mouse.move(700, 500)
        page.mouse.wheel(0, 5000)
        page.wait_for_function("scrollY > 300")
        page.wait_for_timeout(300)
        head = page.locator("#top").bounding_box()
        top = page.locator("#screen").bounding_box()
        assert head is not None
        assert top is not None
        assert top["y"] >= head["y"] + head["height"]


WIDTHS = (360, 390, 768, 1024, 1042, 1280, 1440, 1920)
RESIZED = (360, 639, 640, 720, 800, 1023, 1024, 1027, 1043, 1100, 1366, 1536, 2560)
MOST_SHIFT, MOST_STOPS = 0.05, 8
HELD = "new Promise((go) => setTimeout(() => go(document.activeElement !== document.body), 300))"
"""Whether the focus is on something after a while, such as on a phone, where Generate was gone."""
SHIFT = "shifts.splice(0).reduce((sum, [value]) => sum + value, 0)"
PLACES = """() => {
  const box = (id) => document.getElementById(id).getBoundingClientRect();
  const [main, forms, result] = ["main", "forms", "result"].map(box);
  const modes = [...document.querySelectorAll("#mode label")].map((each) => each.getBoundingClientRect().top);
  const rows = modes.map((top) => modes.filter((other) => other === top).length);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    beside: Math.abs(forms.top - result.top) < 2 && result.left >= forms.right,
    narrow: Math.min(forms.width, result.width),
    main: main.width,
    rows: [...new Set(rows)],
  };
}"""


def test_at_every_width_the_columns_fit_nothing_moves_and_the_clip_is_in_sight(with_bars: Browser, url: str) -> None:
    page = with_bars.new_page()
    watch = Watch(page)
    page.add_init_script(OBSERVED)
    prompt, generate = page.locator("#t2v-prompt textarea"), page.get_by_role("button", name="Generate", exact=True)
    for width in WIDTHS:
        with step(f"loaded at {width}"):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(url)
            watch.errors.clear()  # the page that was left complains of what it was asking for
            expect(page.locator("#t2v-told .made")).to_be_visible()
            expect(page.locator("#history-takes :is(.takes, .nothing)")).to_be_attached()
            page.wait_for_timeout(300)
            assert page.evaluate(SHIFT) <= MOST_SHIFT
            tab_to(page, "#t2v-prompt textarea", most=MOST_STOPS)
        with step(f"a run at {width}"):
            MAY_END.clear()
            prompt.fill(f"a lighthouse at {width}")
            generate.click()
            expect(page.locator("#preview img")).to_be_in_viewport(ratio=1)
            expect(page.get_by_role("button", name="Stop", exact=True).first).to_be_in_viewport(ratio=1)
            MAY_END.set()
            wait_for_clip(page)
            expect(page.locator("#clip video")).to_be_in_viewport(ratio=1)
            expect(page.locator("#recipe")).to_contain_text(f"a lighthouse at {width}")
            page.wait_for_function(HELD)
            assert page.evaluate(SHIFT) <= MOST_SHIFT
            assert watch.errors == []
    for width in RESIZED:
        with step(f"resized to {width}"):
            page.set_viewport_size({"width": width, "height": 800})
            page.locator("#tab-make").evaluate("each => each.click()")
            page.wait_for_timeout(300)
            places = page.evaluate(PLACES)
            assert places["overflow"] <= 0
            assert len(places["rows"]) == 1  # no mode alone on a row
            assert places["rows"][0] > 1
            if width >= 768:
                assert places["beside"], places
                assert places["narrow"] >= 280
    with step("scroll bars are dark"):
        page.set_viewport_size({"width": 1280, "height": 400})
        page.wait_for_timeout(300)
        drawer, shot = page.locator("#drawer").bounding_box(), Image.open(io.BytesIO(page.screenshot())).convert("L")
        assert drawer is not None
        for right in (1280, round(drawer["x"] + drawer["width"]) - 1):
            shades = {*shot.crop((right - 12, 60, right - 2, 390)).tobytes()}
            assert len(shades) > 1, "there is one"
            assert max(shades) < 160
    with step("at 200 % the prompt is in sight"):
        page.set_viewport_size({"width": 720, "height": 450})
        page.goto(url)
        expect(prompt).to_be_in_viewport(ratio=0.5)
    page.close()


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[BrowserContext]:
    """Of somebody who wants nothing to move."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    fallen = watch_focus(context)
    yield context
    context.close()
    assert fallen == []


def test_on_a_phone_all_is_large_enough_for_a_finger(phone: BrowserContext, url: str, studio: Studio) -> None:
    MAY_END.set()
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    *_, _ended = studio.jobs.follow(job, LOCAL)
    page = phone.new_page()
    page.goto(url)
    expect(page.locator("#run")).to_contain_text("Made in")
    page.locator("#tab-watch").click()
    with step("a clip that stands still has a button that plays it"):
        play = page.get_by_role("button", name="Play", exact=True)
        expect(play).to_be_visible()
        play.click()
        expect(play).to_be_hidden()
        page.wait_for_function("!document.querySelector('#clip video').paused")
    with step("buttons are 40 px high"):
        page.locator("#take-more").click()
        for button in page.locator("#take :is(button, a)").all():
            size = button.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= 40
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    with step("what can be done with a clip is one row as long as it fits, and keeps its names"):
        for width in (480, 570, 390):
            page.set_viewport_size({"width": width, "height": 800})
            boxes = [each.bounding_box() for each in page.locator("#take .actions :is(button, a)").all()]
            assert {box["y"] for box in boxes} == {boxes[0]["y"]}, width  # type: ignore[index]
            assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)  # type: ignore[index]
            expect(page.get_by_role("button", name="Make it in Quality")).to_be_visible()
        for width in (320, 360, 390):
            page.set_viewport_size({"width": width, "height": 800})
            for each in page.locator("#take .actions button").all():
                assert each.evaluate("each => each.scrollWidth <= each.clientWidth + 1"), width
            expect(page.locator("#take-go-on").get_by_text("Continue").last).to_be_visible()
    with step("what deletes is not beside what shows the folder"):
        reveal, delete = (page.locator(f"#take-{each}").bounding_box() for each in ("reveal", "delete"))
        assert reveal is not None
        assert delete is not None
        assert abs(delete["y"] - reveal["y"]) + abs(delete["x"] - reveal["x"] - reveal["width"]) > 80
    with step("with a keyboard the focus goes on when the tab changes"):
        page.locator("#take-reuse").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#t2v-prompt textarea")).to_be_focused()
