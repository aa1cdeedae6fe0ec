"""What becomes of Generate, in a real browser, with the real engine."""

import itertools
import shutil
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.support import outputs_of
from tests.web.conftest import Watch
from tests.web.driver import (
    PLAYS,
    RUN_SECONDS,
    choose,
    choose_draft,
    expect_done,
    expect_made,
    expect_playing,
    expect_sampling,
    give,
    hold_decoder,
    keep_seed,
    open_mode,
    press,
    set_number,
    step,
    unfold,
    write,
)

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> ${1+1} שלום 🙂"
HOSTILE_NAME = "<img src=x onerror=\"document.title='owned'\"> ${1+1} {{1}} `x` 'שלום' 🙂"


def jobs_of(settings: Settings) -> set[str]:
    return {job.id for job in Studio(settings).jobs.of(LOCAL, limit=1000)}


def test_a_prompt_becomes_a_clip_that_plays(page: Page, page_url: str, watch: Watch, settings: Settings) -> None:
    write(page, page_url, "a red ball bounces to the right", seconds=2)
    prompt, run = page.locator("#t2v-prompt textarea"), page.locator("#run")
    generate, stop = (page.get_by_role("button", name=name, exact=True) for name in ("Generate", "Stop"))

    with step("progress names the stages and the snapped length; the buttons say what can be done"):
        expect(stop).to_be_hidden()
        generate.click()
        expect(stop).to_be_enabled()
        expect(generate).to_be_enabled()
        expect(page.locator(".chips .now")).to_have_count(1, timeout=RUN_SECONDS)
        expect(run).to_contain_text("49 frames at 24 fps")
        expect_done(page)
        expect(stop).to_be_hidden()
    with step("the clip plays"):
        page.wait_for_function(PLAYS)
        assert page.evaluate("document.querySelector('#clip video').duration") == pytest.approx(49 / 24, abs=4 / 24)
        assert page.evaluate("document.querySelector('#clip video').videoWidth") == 256
    with step("it is not served from where it can be guessed"):
        newest = max(outputs_of(settings), key=lambda path: path.stat().st_mtime)
        shown = page.evaluate("document.querySelector('#clip video').currentSrc")
        assert page.request.get(shown).status == 200
        assert page.request.get(f"{page_url}gradio_api/file={newest}").status == 403

    choose_draft(page)
    set_number(page, "t2v", "seconds", 1)
    with step("hostile text is shown and not run"):
        keep_seed(page, 4710)
        prompt.fill(HOSTILE)
        press(page, "Generate")
        expect_made(page, 4710)
        assert page.title() == "LTX 2.3 Studio"
        expect(prompt).to_have_value(HOSTILE)
    with step("a double click hands in one clip, with the seed that is kept"):
        prompt.fill("night")
        keep_seed(page, 4711)
        before = jobs_of(settings)
        generate.dblclick()
        expect_made(page, 4711)
        page.wait_for_timeout(500)
        assert len(jobs_of(settings) - before) == 1
    with step("a new seed is shown"):
        page.get_by_label("New seed for every clip").check()
        press(page, "Generate")
        seed = page.get_by_label("Seed", exact=True)
        expect(seed).not_to_have_value("4711", timeout=RUN_SECONDS)
        expect_made(page, seed.input_value())

    assert watch.errors == []


def test_what_runs_is_stopped_and_the_next_run_works(
    page: Page, page_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(page, page_url, "a very long clip", seconds=10)
    run, told, elapsed = (page.locator(each) for each in ("#run", "#told", "#run .elapsed"))
    prompt = page.locator("#t2v-prompt textarea")
    before = outputs_of(settings)

    with step("why nothing was handed in stays while a clip is made"):
        press(page, "Generate")
        expect_sampling(page)
        prompt.fill("  ")
        press(page, "Generate")
        expect(told).to_contain_text("The prompt is empty")
        expect(elapsed).not_to_have_text(str(elapsed.text_content()))
        expect(told).to_contain_text("The prompt is empty")
        expect(page.locator("#stop")).to_be_visible()
    with step("a press of Stop"):
        press(page, "Stop")
        expect(run).to_contain_text("Stopped", timeout=RUN_SECONDS)
        assert outputs_of(settings) == before
    with step("why nothing was handed in goes when a prompt is written"):
        prompt.press_sequentially("night")
        expect(told).to_be_hidden()
    with step("Escape closes a list first, then stops the run"):
        press(page, "Generate")
        expect_sampling(page)
        page.get_by_role("button", name="Recent prompts").filter(visible=True).click()
        expect(page.locator("#t2v-tools .menu li").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#t2v-tools .menu li").first).to_be_hidden()
        expect(page.locator("#stop")).to_be_enabled()
        page.keyboard.press("Escape")
        expect(page.locator("#stop")).to_be_focused()
        page.keyboard.press("Escape")
        expect(run).to_contain_text("Stopped. Nothing was saved.", timeout=RUN_SECONDS)
        assert outputs_of(settings) == before

    set_number(page, "t2v", "seconds", 1)
    with step("a stop that takes time says so until it has stopped"), monkeypatch.context() as patch:
        stop_slowly(page, *hold_decoder(settings, patch))
    with step("of two that were handed in, the one is stopped and the other made"):
        set_number(page, "t2v", "seconds", 8)
        press(page, "Generate")
        expect_sampling(page)
        set_number(page, "t2v", "seconds", 1)
        press(page, "Generate")
        press(page, "Stop")
        expect_done(page)
        page.wait_for_function(PLAYS)


def stop_slowly(page: Page, decoding: threading.Event, release: threading.Event) -> None:
    """Hand a clip in whose decoder waits, and stop it there."""
    press(page, "Generate")
    expect(page.locator(".chips .now")).to_contain_text("Decode", timeout=RUN_SECONDS)
    assert decoding.wait(RUN_SECONDS / 1000)
    press(page, "Stop")
    stopping, elapsed = page.get_by_role("button", name="Stopping", exact=True), page.locator("#run .elapsed")
    expect(stopping).to_be_focused()  # it is not disabled, which would lose the focus
    expect(elapsed).not_to_have_text(str(elapsed.text_content()))  # a heartbeat came and went
    expect(stopping).to_be_focused()
    release.set()
    expect(page.locator("#run")).to_contain_text("Stopped", timeout=RUN_SECONDS)


def test_two_tabs_take_turns_and_a_job_goes_on_when_its_tab_is_closed(
    browser: Browser, page_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = browser.new_page(), browser.new_page()
    write(first, page_url, "first", seconds=5)
    write(second, page_url, "second", seconds=1)
    for tab in (first, second):
        choose_draft(tab)
    with step("each gets its own clip"):
        press(first, "Generate")
        expect(first.locator(".chips .now")).to_have_count(1, timeout=RUN_SECONDS)
        press(second, "Generate")
        expect(second.locator("#run")).to_contain_text("Waiting: next in line")
        for tab, frames in ((first, 121), (second, 25)):
            expect_done(tab)
            expect(tab.locator("#recipe")).to_contain_text(f"{frames} frames")
            tab.wait_for_function(PLAYS)
            assert tab.evaluate("document.querySelector('#clip video').duration") == pytest.approx(frames / 24, abs=0.1)
    with step("whoever comes back finds what goes on"), monkeypatch.context() as patch:
        decoding, release = hold_decoder(settings, patch)
        press(first, "Generate")
        expect(first.locator(".chips .now")).to_have_count(1, timeout=RUN_SECONDS)
        first.close()
        second.goto(page_url)
        expect(second.locator("#run")).to_contain_text("121 frames", timeout=RUN_SECONDS)
        assert decoding.wait(RUN_SECONDS / 1000)
        release.set()
        expect_done(second)
        second.wait_for_function(PLAYS)
    second.close()


def test_hostile_names_of_files_are_shown_and_not_run(
    page: Page, page_url: str, watch: Watch, samples: dict[str, Path], tmp_path: Path
) -> None:
    picture, sound = (
        shutil.copyfile(samples[each], tmp_path / f"{HOSTILE_NAME}{samples[each].suffix}")
        for each in ("image", "sound")
    )
    damaged = [tmp_path / f"{HOSTILE_NAME}.{kind}" for kind in ("json", "mp4")]
    for each in damaged:
        each.write_text("no workflow, no video")
    open_mode(page, page_url, "lipsync")
    page.locator("#lipsync-prompt textarea").fill("night")
    give(page, "lipsync", {"image": picture, "audio": sound})
    unfold(page, "workflow")
    page.locator("#workflow-file input[type=file]").set_input_files(str(damaged[0]))
    page.locator("#restore-file input[type=file]").set_input_files(str(damaged[1]))
    expect(page.locator("#told [role=alert]")).to_be_attached()
    choose(page, "i2v")
    page.locator("#i2v-prompt textarea").fill("night")
    give(page, "i2v", {"image": picture})
    set_number(page, "i2v", "seconds", 1)
    choose_draft(page, "i2v")
    press(page, "Generate")
    expect_done(page)
    expect_playing(page)

    assert page.title() == "LTX 2.3 Studio"
    assert page.locator("img[src=x]").count() == 0
    assert watch.errors == []


BOX = "each => { const box = each.getBoundingClientRect(); return [box.left, box.top, box.bottom]; }"


def test_run_clip_and_recipe_are_in_sight_and_below_each_other(page: Page, page_url: str) -> None:
    with step("on a phone the run comes into sight and the frame stays"):
        page.set_viewport_size({"width": 390, "height": 844})
        write(page, page_url, "a red ball", seconds=1)
        choose_draft(page)
        button = page.get_by_role("button", name="Generate", exact=True)
        page.evaluate("scrollTo(0, 0)")
        expect(button).to_be_in_viewport(ratio=1)
        button.click()
        expect(page.locator("#screen")).to_be_in_viewport(ratio=1)
        expect(page.locator("#run")).to_be_in_viewport(ratio=1)
        expect(page.locator("#studio-header h1")).to_be_in_viewport(ratio=1)
        expect_done(page)
        expect(page.locator("#clip video")).to_be_in_viewport(ratio=1)
    for width in (768, 1440):
        with step(f"{width} wide"):
            page.set_viewport_size({"width": width, "height": 900})
            places = [page.locator(each).evaluate(BOX) for each in ("#screen", "#run", "#take-again", "#recipe")]
            assert {left for left, _, _ in places} == {places[0][0]}
            assert all(above[2] <= below[1] for above, below in itertools.pairwise(places))
