"""What becomes of jobs, as the page tells it: what failed stays in sight, and what was left is found again."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Browser, Page, expect

from ltx_studio.engine import Engine
from ltx_studio.errors import ExecutionError, Remedy
from ltx_studio.queue import LOCAL, Progress
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.studio.takes import Takes
from ltx_studio.takes.estimates import Estimate
from ltx_studio.web import words
from ltx_studio.web.access.owners import COOKIE, Owners
from ltx_studio.web.panels.run_view import still
from ltx_studio.web.panels.screen import forming
from tests.support import queue_of, small_spec
from tests.web.conftest import Watch, open_page
from tests.web.driver import (
    RUN_SECONDS,
    choose_draft,
    expect_done,
    expect_playing,
    hold_decoder,
    open_panel,
    press,
    step,
    unfold,
    write,
)
from tests.web.still import begin, hand_in, open_queue, quiet, studio, url

__all__ = ["quiet", "studio", "url"]

SAMPLING = Progress("Stage 1", 2, 8, 2, 7)
FULL = ExecutionError("The memory is full.", "Make it smaller.", details="Traceback", remedies=[Remedy.RETRY])


def test_what_failed_stays_with_what_helps_while_the_next_one_runs(page: Page, url: str, studio: Studio) -> None:
    first, second = hand_in(studio, "the first one", "the second one")
    begin(studio, first, SAMPLING)
    page.goto(url)
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")

    queue_of(studio).fail(first, FULL)
    begin(studio, second, SAMPLING)

    expect(page.locator("#failure")).to_contain_text("The memory is full.")
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")
    expect(page.locator("#failure")).to_contain_text("the first one")
    expect(page.locator("#remedy-retry")).to_be_visible()
    expect(page.locator("#stop")).to_be_visible()


def test_a_look_at_what_failed_leaves_what_runs_in_sight(page: Page, url: str, studio: Studio) -> None:
    failed, runs = hand_in(studio, "failed", "runs")
    begin(studio, failed, SAMPLING)
    queue_of(studio).fail(failed, FULL)
    begin(studio, runs, SAMPLING)
    panel = open_queue(page, url)
    expect(page.locator("#rail-queue")).to_have_accessible_name("Queue: 1 running, 1 failed")
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")

    panel.get_by_role("button", name="Show: failed", exact=True).click()

    expect(page.locator("#failure")).to_contain_text("The memory is full.")
    queue_of(studio).report(runs, Progress("Stage 1", 5, 8, 2, 7))
    expect(page.locator("#run")).to_contain_text("Stage 1: step 5 of 8")
    expect(page.locator("#stop")).to_be_visible()


def test_what_was_left_for_another_job_is_shown_again_after_it(page: Page, url: str, studio: Studio) -> None:
    runs, waits = hand_in(studio, "runs", "waits")
    begin(studio, runs, SAMPLING)
    panel = open_queue(page, url)
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")
    panel.get_by_role("button", name="Show: waits", exact=True).click()
    expect(page.locator("#run")).to_contain_text("Waiting")

    studio.jobs.cancel(waits, LOCAL)

    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")
    queue_of(studio).fail(runs, FULL)
    expect(page.locator("#failure")).to_contain_text("The memory is full.")


def test_each_job_that_is_chosen_is_shown_also_when_the_page_followed_nothing(
    page: Page, url: str, studio: Studio
) -> None:
    panel = open_queue(page, url)
    expect(panel).to_contain_text("The queue is empty")
    first, _ = hand_in(studio, "first", "second")
    begin(studio, first, SAMPLING)
    for name, told in (("first", "Stage 1: step 2 of 8"), ("second", "Waiting"), ("first", "Stage 1: step 2 of 8")):
        panel.get_by_role("button", name=f"Show: {name}", exact=True).click()
        expect(page.locator("#run")).to_contain_text(told)


def test_what_is_tried_again_in_the_queue_is_followed_and_no_longer_told_as_failed(
    page: Page, url: str, studio: Studio
) -> None:
    (job,) = hand_in(studio, "again")
    begin(studio, job, SAMPLING)
    queue_of(studio).fail(job, FULL)
    panel = open_queue(page, url)
    panel.get_by_role("button", name="Show: again", exact=True).click()
    expect(page.locator("#failure")).to_contain_text("The memory is full.")

    panel.get_by_role("button", name="Retry: again", exact=True).click()

    expect(page.locator("#failure")).to_be_hidden()
    expect(page.locator("#run")).to_contain_text("Waiting: next in line")
    begin(studio, job, SAMPLING)
    queue_of(studio).fail(job, FULL)
    expect(page.locator("#failure")).to_contain_text("The memory is full.")


def test_the_newest_failure_is_the_one_that_is_shown(page: Page, url: str, studio: Studio) -> None:
    older, newer = hand_in(studio, "older", "newer")
    begin(studio, older, SAMPLING)
    panel = open_queue(page, url)
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")
    panel.get_by_role("button", name="Show: newer", exact=True).click()
    expect(page.locator("#run")).to_contain_text("Waiting")
    queue_of(studio).fail(older, FULL)
    begin(studio, newer, SAMPLING)
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")
    queue_of(studio).fail(newer, FULL)

    expect(page.locator("#failure")).to_contain_text("newer")
    page.wait_for_timeout(1000)
    expect(page.locator("#failure")).to_contain_text("newer")


def test_a_pause_and_a_file_of_another_kind_are_told(page: Page, url: str, studio: Studio) -> None:
    studio.jobs.pause(LOCAL)
    hand_in(studio, "waits")

    page.goto(url)

    with step("a pause is told where one waits for the clip"):
        expect(page.locator("#run")).to_contain_text("Paused: nothing new starts until you press Resume under Queue")
        expect(page.locator("#rail-queue")).to_have_accessible_name("Queue: paused, 1 waiting")
    with step("the panel never says that the queue is empty"):
        page.evaluate(SEEN_IN_QUEUE)
        unfold(page, "queue")
        expect(page.locator("#queue-board")).to_contain_text("waits")
        assert [said for said in page.evaluate("window.saidOfQueue") if "empty" in said] == []


SEEN_IN_QUEUE = """() => {
    window.saidOfQueue = [];
    const note = () => {
        const board = document.querySelector("#queue-board");
        if (board?.checkVisibility() && board.innerText) window.saidOfQueue.push(board.innerText);
    };
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""
"""A script that notes what the queue's panel shows from now on."""


@pytest.fixture
def apart(home: Settings) -> Iterator[str]:
    yield from open_page(home, Engine(home), apart=True)


def test_others_see_neither_tracebacks_nor_folders_of_this_machine(
    browser: Browser, apart: str, home: Settings
) -> None:
    secret, owners = secrets.token_hex(16), Owners()
    studio, owner = Studio(home), owners._of(secret)
    (job,) = studio.jobs.submit(owner, [small_spec(prompt="theirs")])
    queue_of(studio).claim()
    where = home.outputs_dir / "clip.mp4"
    queue_of(studio).fail(job, ExecutionError(f"{where} cannot be written.", f"Look at {where}.", details="Traceback"))
    context = browser.new_context()
    context.add_cookies([{"name": COOKIE, "value": secret, "url": apart}])
    page = context.new_page()
    open_panel(page, apart, "queue")
    page.get_by_role("button", name="Show: theirs", exact=True).click()
    expect(page.locator("#failure")).to_contain_text("clip.mp4 cannot be written.")

    assert str(home.home) not in page.content()
    assert "Traceback" not in page.content()
    context.close()


def test_the_drawer_takes_a_video_and_what_lies_behind_it_is_out_of_reach(page: Page, url: str, studio: Studio) -> None:
    page.set_viewport_size({"width": 800, "height": 800})
    open_panel(page, url, "batch")
    inert = "[document.querySelector('#main').inert, document.querySelector('#drawer').inert]"
    with step("what lies behind the drawer is out of reach"):
        assert page.evaluate(inert) == [True, False]
        page.keyboard.press("Escape")
        assert page.evaluate(inert) == [False, True]
        expect(page.locator("#rail-batch")).to_be_focused()
    with step("a video dropped on a title of the drawer is taken, and what comes of it is seen"):
        page.locator("#rail-batch").click()
        assert page.evaluate(inert) == [True, False]
        prevented = page.evaluate(
            """() => {
                const files = new DataTransfer();
                files.items.add(new File(["no video"], "clip.mp4", { type: "video/mp4" }));
                const title = document.querySelector("#drawer h2");
                const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
                return !title.dispatchEvent(drop);
            }"""
        )
        assert prevented  # else the browser leaves the page for the file
        expect(page.locator("#told [role=alert]")).to_be_in_viewport()
        expect(page.locator("#studio-scrim")).to_be_hidden()


def test_who_wants_nothing_to_move_gets_a_picture_that_does_not(tmp_path: Path) -> None:
    frames = [b"first", b"middle", b"last"]

    html = forming("data:image/webp;base64,AAAA", still(frames))

    assert '<source media="(prefers-reduced-motion: reduce)" srcset="data:image/jpeg;base64,bWlkZGxl">' in html


def test_a_clip_that_was_asked_for_elsewhere_comes_into_the_history(
    page: Page, page_url: str, settings: Settings, watch: Watch
) -> None:
    page.goto(page_url)
    expect(page.locator("#history-takes .takes, #history-takes .nothing").first).to_be_visible()
    studio = Studio(settings)
    (job,) = studio.jobs.submit(LOCAL, [small_spec(prompt="from the terminal", preset="draft")])

    expect(page.locator("#history-takes .take").first).to_contain_text("from the terminal", timeout=RUN_SECONDS)

    take = studio.jobs.get(job, LOCAL).as_dict()["take"]
    expect(page.locator("#history-takes .take").first).to_have_attribute("data-take", take)
    assert watch.errors == []


def test_a_take_that_was_opened_stays_until_something_new_is_handed_in(
    browser: Browser, page_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who wants nothing to move starts clips by hand."""
    page = browser.new_page(reduced_motion="reduce")
    write(page, page_url, "the old one", seconds=1)
    choose_draft(page)
    press(page, "Generate")
    expect_done(page)
    expect_playing(page)
    assert page.evaluate("document.querySelector('#clip video').paused")
    page.locator("#t2v-prompt textarea").fill("the new one")
    with step("what is opened during a run stays when it ends"), monkeypatch.context() as patch:
        release = hold_run(page, settings, patch)
        open_take(page, "the old one")
        page.locator("#history-takes .take", has_text="the old one").first.locator(".star").click()
        expect(page.locator("#take-favourite")).to_have_attribute("aria-pressed", "true")

        release.set()

        expect(page.locator("#going")).to_contain_text("Your new clip is ready", timeout=RUN_SECONDS)
        expect(page.locator("#history-takes .take").first).to_contain_text("the new one")
        expect(page.locator("#recipe")).to_contain_text("the old one")
    with step("what is deleted during a run makes room for what it makes"), monkeypatch.context() as patch:
        release = hold_run(page, settings, patch)
        for take in ("the new one", "the old one"):  # what is asked before a take is there is not asked of it
            open_take(page, take)
        page.locator("#take-more").click()
        page.locator("#take-delete").click()
        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        expect(page.locator("#recipe")).to_be_hidden()

        release.set()

        expect(page.locator("#recipe")).to_contain_text("the new one", timeout=RUN_SECONDS)
    page.close()


def hold_run(page: Page, settings: Settings, patch: pytest.MonkeyPatch) -> Event:
    """Start a run that waits in its decoder until the event is set."""
    decoding, release = hold_decoder(settings, patch)
    press(page, "Generate")
    expect(page.locator(".chips .now")).to_contain_text("Decode", timeout=RUN_SECONDS)
    assert decoding.wait(RUN_SECONDS / 1000)
    return release


def open_take(page: Page, prompt: str) -> None:
    page.locator("#history-takes .take", has_text=prompt).first.locator(".open").click()
    expect(page.locator("#recipe")).to_contain_text(prompt)


def test_a_lost_connection_is_told_without_a_time_left_and_all_goes_on_when_it_is_back(
    page: Page, url: str, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Takes, "estimate", lambda *_: Estimate({"stage1": 3600.0}))
    (runs,) = hand_in(studio, "runs")
    begin(studio, runs, SAMPLING)
    page.goto(url)
    left, toast = page.locator("#run .left"), page.get_by_test_id("toast-body")
    prompt = page.locator("#t2v-prompt textarea")
    seconds, new_seed = page.locator("#t2v-seconds input[type=number]"), page.locator("#t2v-new-seed input")
    preset = page.locator("#t2v-preset").get_by_label("Draft")
    prompt.fill("before")
    expect(page.locator("#run")).to_contain_text("Stage 1: step 2 of 8")
    expect(left).to_be_visible()

    page.context.set_offline(True)
    try:
        expect(toast).to_contain_text(words.LOST_SERVER)
        expect(page.get_by_test_id("toast-close")).to_be_hidden()
        expect(left).to_be_hidden()
        seconds.fill("1.5")
        new_seed.uncheck()
        preset.check()
        prompt.press_sequentially(" after")
        queue_of(studio).report(runs, Progress("Stage 1", 5, 8, 2, 7))
        page.evaluate("window.isOld = true")
    finally:
        page.context.set_offline(False)

    page.wait_for_function("!window.isOld")
    expect(page.locator("#run")).to_contain_text("Stage 1: step 5 of 8")
    expect(left).to_be_visible()
    expect(toast).to_be_hidden()
    expect(prompt).to_have_value("before after")
    expect(prompt).to_be_focused()
    expect(seconds).to_have_value("1.5")
    expect(new_seed).not_to_be_checked()
    expect(preset).to_be_checked()


@pytest.mark.parametrize("width", [390, 800])
def test_a_full_disk_leads_to_what_deletes_old_clips(page: Page, url: str, studio: Studio, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    (fails,) = hand_in(studio, "fails")
    begin(studio, fails, SAMPLING)
    error = ExecutionError("Save Video: the disk is full.", "Free some space.", remedies=[Remedy.MAKE_ROOM])
    queue_of(studio).fail(fails, error)
    page.goto(url)
    if width == 390:
        page.locator("#tab-watch").click()

    page.locator("#failure").get_by_role("button", name=words.MAKE_ROOM).click()

    opener = page.locator("#make-room > button")
    expect(opener).to_be_focused()
    expect(page.locator("#look-at-room")).to_be_visible()
    expect(opener).to_be_in_viewport()
