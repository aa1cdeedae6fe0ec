"""The screen: one place for what to do, what forms and what is finished, and below it what belongs to it."""

import io
import re
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ltx_studio.cancel import CancelToken
from ltx_studio.events import Cancelled, Event, Finished, Preview, Step
from ltx_studio.graph import Workflow
from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.runners.quick import QuickEngine, QuickRunner
from tests.support import small_spec
from tests.web.conftest import Watch
from tests.web.driver import choose, press, step, unfold
from tests.web.serving import serving

LONG = "A lighthouse on a cliff at night, and waves below it. " * 20
PLAYS = "document.querySelector('#clip video')?.readyState >= 2"
HAS_FOCUS = "document.activeElement !== document.body && document.activeElement.id"


def picture(shade: int) -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (32, 18), (shade, 60, 90)).save(into, "JPEG")
    return into.getvalue()


MAY_END = threading.Event()


class SeenEngine(QuickEngine):
    """An engine whose clip can be seen forming, and whose runs end when the test lets them."""

    def run(
        self, workflow: Workflow, cancel: CancelToken, *, run_id: str | None = None, fresh: bool = False
    ) -> Iterator[Event]:
        for event in super().run(workflow, cancel, run_id=run_id, fresh=fresh):
            while isinstance(event, Finished) and not MAY_END.wait(0.05):
                if cancel.cancelled:
                    yield Cancelled()
                    return
            yield event
            if isinstance(event, Step):
                yield Preview("stage1", event.step, (picture(40 * event.step), picture(10)))


class SeenRunner(QuickRunner):
    def __init__(self, settings: Settings, seconds: float) -> None:
        super().__init__(settings)
        self._engine = SeenEngine(settings, seconds)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    home = tmp_path_factory.mktemp("screen")
    settings = Settings(home=home, hub_cache=home / "hub")
    return Studio(settings, SeenRunner(settings, 1), works=True)


@pytest.fixture(scope="module")
def url(studio: Studio) -> Iterator[str]:
    with serving(studio) as blocks:
        yield str(blocks.local_url)
    studio.close()


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
const read = setInterval(() => {
    const announcer = document.getElementById("announcer");
    if (!announcer) return;
    clearInterval(read);
    const tell = () => window.said.push(performance.now());
    new MutationObserver(tell).observe(announcer, { childList: true, characterData: true, subtree: true });
}, 50);
"""
BOX = "each => { const { x, y, width, height } = each.getBoundingClientRect(); return [x, y, width, height]; }"


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
    deletes_and_undoes(page, studio)
    edits(page, studio)
    assert watch.errors == []
    returns(page, studio)


def empty_screen(page: Page) -> None:
    """Look at the empty screen, and choose an example."""
    screen = page.locator("#screen")
    prompt = page.locator("#t2v-prompt textarea")
    with step("F25: an empty screen says what the open mode needs, and has examples"):
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
    with step("F7, F41: nothing moves while the clip forms, and the tab tells how far it is"):
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
        page.wait_for_timeout(2000)
    with step("F32: what is read out comes at most every two seconds"):
        said = page.evaluate("window.said")
        assert len(said) >= 2
        assert all(after - before > 1900 for before, after in pairwise(said))


def clip_in_sight(page: Page) -> None:
    """Look at the finished clip."""
    with step("F27, F28: a long prompt is folded, and every action is in sight"):
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
    with step("F7, F31: a new run replaces the old clip, and the focus goes on to Stop"):
        MAY_END.clear()
        page.locator("#take-again").focus()
        page.keyboard.press("Enter")
        expect(screen.locator("#preview, .slate")).to_be_visible()
        expect(page.locator("video")).to_have_count(0)
        expect(page.locator("#take-again")).to_have_count(0)
        expect(stop).to_be_focused()
    with step("F6: an older take brings its own status; what runs is one line"):
        page.locator("#history-takes .take .open").first.click()
        expect(run).to_contain_text("Made in")
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


def deletes_and_undoes(page: Page, studio: Studio) -> None:
    """Delete the newest clip, and put it back, with the keyboard."""
    newest = studio.takes.page(LOCAL, limit=1).takes[0]
    screen = page.locator("#screen")
    run = page.locator("#run")
    prompt = page.locator("#t2v-prompt textarea")
    with step("F31: Delete can be undone, and the focus does not get lost"):
        page.locator("#take-more").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#take-more")).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Escape")
        expect(page.locator("#take-more")).to_be_focused()
        expect(page.locator("#take-delete")).to_be_hidden()
        page.keyboard.press("Enter")
        page.locator("#take-delete").focus()
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
    with step("F14: to edit is to go on at the end of the prompt"):
        page.locator("#take-reuse").click()
        expect(page.locator("#told")).to_contain_text(f"same seed, {newest.seed}")
        expect(prompt).to_be_focused()
        chosen = prompt.evaluate("each => [each.selectionStart, each.selectionEnd, each.value.length]")
        assert chosen[0] == chosen[1] == chosen[2] > 100
    with step("F31: the focus goes on to a button when the run is stopped"):
        MAY_END.clear()
        press(page, "Generate")
        expect(stop).to_be_visible()
        stop.focus()
        page.keyboard.press("Enter")
        expect(run).to_contain_text("Stopped. Nothing was saved.")
        expect(page.locator("#t2v-generate")).to_be_focused()
        MAY_END.set()


def returns(page: Page, studio: Studio) -> None:
    """Reload the page, and scroll to its end."""
    newest = studio.takes.page(LOCAL, limit=1).takes[0]
    run = page.locator("#run")
    with step("F40: the last clip is there again after a reload"):
        page.reload()
        expect(run).to_contain_text("Made in")
        expect(page.locator("#recipe")).to_contain_text(f"seed {newest.seed}")
        page.wait_for_function(PLAYS)
    with step("F8: nothing goes behind the header"):
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


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[BrowserContext]:
    """Of somebody who wants nothing to move."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    yield context
    context.close()


def test_on_a_phone_all_is_large_enough_for_a_finger(phone: BrowserContext, url: str, studio: Studio) -> None:
    MAY_END.set()
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    *_, _ended = studio.jobs.follow(job, LOCAL)
    page = phone.new_page()
    page.goto(url)
    expect(page.locator("#run")).to_contain_text("Made in")
    page.locator("#tab-watch").click()
    with step("F35: a clip that stands still has a button that plays it"):
        play = page.get_by_role("button", name="Play", exact=True)
        expect(play).to_be_visible()
        play.click()
        expect(play).to_be_hidden()
        page.wait_for_function("!document.querySelector('#clip video').paused")
    with step("F26: buttons are 40 px high"):
        page.locator("#take-more").click()
        for button in page.locator("#take :is(button, a)").all():
            size = button.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= 40
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    with step("what can be done with a clip is one row, whatever the width, and keeps its names"):
        for width in (360, 480, 570, 390):
            page.set_viewport_size({"width": width, "height": 800})
            boxes = [each.bounding_box() for each in page.locator("#take .actions :is(button, a)").all()]
            assert {box["y"] for box in boxes} == {boxes[0]["y"]}, width  # type: ignore[index]
            assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)  # type: ignore[index]
            expect(page.get_by_role("button", name="Make it in Quality")).to_be_visible()
    with step("what deletes is not beside what shows the folder"):
        reveal, delete = (page.locator(f"#take-{each}").bounding_box() for each in ("reveal", "delete"))
        assert reveal is not None
        assert delete is not None
        assert abs(delete["y"] - reveal["y"]) + abs(delete["x"] - reveal["x"] - reveal["width"]) > 80
