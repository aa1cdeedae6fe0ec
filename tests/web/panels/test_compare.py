"""Two takes side by side: they move as one, a shorter one holds its last frame, and what differs is marked."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ltx_studio.takes.records import TakeRecord
from ltx_studio.web.panels.compare import facts
from tests.web.conftest import Watch
from tests.web.past import Past, Visitor, past, visit, visitor, visits

__all__ = ["past", "visit", "visitor"]

FRAME = 1 / 24
CLIPS = "[...document.querySelectorAll('#compare video')]"
AT_REST = f"{CLIPS}.every(clip => clip.paused && !clip.seeking && clip.readyState >= 2)"


def compare(page: Page, *takes: TakeRecord) -> Locator:
    for take in takes:
        page.locator(f'.take[data-take="{take.id}"] .mark').click()
    page.get_by_role("button", name="Compare", exact=True).click()
    dialog = page.get_by_role("dialog", name="Two clips side by side")
    expect(dialog).to_be_visible()
    page.wait_for_function(AT_REST)
    return dialog


def times(page: Page) -> Any:
    """Where both clips are, in seconds, as soon as they stand still."""
    page.wait_for_function(AT_REST)
    return page.evaluate(f"{CLIPS}.map(clip => clip.currentTime)")


def place(dialog: Locator, frame: int) -> None:
    dialog.get_by_label("Position").evaluate(
        "(slider, frame) => { slider.value = frame; slider.dispatchEvent(new Event('input', {bubbles: true})) }", frame
    )


@pytest.fixture(scope="module")
def shared(past: Past, browser: Browser) -> Iterator[Locator]:
    """The dialog of a clip of 25 frames and one of 49, on one page for all tests of this module."""
    with visits(past, browser) as come:
        visitor = come()
        short, long = visitor.give(), visitor.give(like="long")
        yield compare(visitor.open(), short, long)


@pytest.fixture
def dialog(shared: Locator) -> Locator:
    """The shared dialog, opened again: the server sends it anew."""
    if shared.is_visible():
        shared.get_by_role("button", name="Close").click()
        expect(shared).to_be_hidden()
    body = shared.page.locator("#compare dialog .body")
    before = body.get_attribute("data-shown")
    shared.page.get_by_role("button", name="Compare", exact=True).click()
    expect(shared).to_be_visible()
    expect(body).not_to_have_attribute("data-shown", str(before))
    shared.get_by_label("Repeat").evaluate("each => (each.checked = false)")  # the focus stays where it is
    shared.page.wait_for_function(AT_REST)
    return shared


def test_marks_are_two_at_most_and_outlive_a_search(visitor: Visitor) -> None:
    first, second, third = (visitor.give(prompt) for prompt in ("one", "two", "three"))
    page = visitor.open()
    button, marks = page.get_by_role("button", name="Compare", exact=True), page.locator(".marks")
    mark = {take.id: page.locator(f'.take[data-take="{take.id}"] .mark') for take in (first, second, third)}
    expect(button).to_be_disabled()
    expect(marks).to_have_text("Mark two clips to compare them.")

    mark[first.id].click()
    expect(marks).to_have_text("1 of 2 marked")
    page.get_by_label("Search prompts and tags").fill("two")
    expect(page.locator(".take")).to_have_count(1)
    expect(button).to_be_disabled()
    mark[second.id].click()
    expect(button).to_be_enabled()
    page.get_by_label("Search prompts and tags").fill("")
    expect(mark[first.id]).to_be_checked()
    mark[third.id].click()

    expect(mark[first.id]).not_to_be_checked()
    expect(mark[second.id]).to_be_checked()
    expect(marks).to_have_text("2 of 2 marked")
    page.get_by_role("button", name="Clear marks").click()
    expect(mark[third.id]).not_to_be_checked()
    expect(button).to_be_disabled()


def test_two_clips_are_sought_in_step(dialog: Locator) -> None:
    for frame in (0, 7, 24):
        place(dialog, frame)
        left, right = times(dialog.page)
        assert abs(left - right) < FRAME / 2
        assert left == pytest.approx((frame + 0.5) * FRAME, abs=0.01)


def test_a_shorter_clip_holds_its_last_frame(dialog: Locator) -> None:
    place(dialog, 40)

    short, long = times(dialog.page)

    assert short == pytest.approx(24.5 * FRAME, abs=0.01)
    assert long == pytest.approx(40.5 * FRAME, abs=0.01)
    dialog.get_by_role("button", name="Play", exact=True).click()
    expect(dialog.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=20_000)  # at the end
    assert times(dialog.page) == [pytest.approx(24.5 * FRAME, abs=0.01), pytest.approx(48.5 * FRAME, abs=0.01)]


def test_two_clips_play_and_pause_as_one(dialog: Locator) -> None:
    page, watch = dialog.page, Watch(dialog.page)
    dialog.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"{CLIPS}.every(clip => clip.currentTime > 0.15)")
    dialog.get_by_role("button", name="Pause", exact=True).click()

    left, right = times(page)

    assert abs(left - right) < FRAME / 2
    assert 0.15 < left < 1
    expect(dialog.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert watch.errors == []


def test_a_clip_that_fell_behind_catches_up_while_it_plays(visitor: Visitor) -> None:
    page = visitor.page
    takes = visitor.give(like="long"), visitor.give(like="long")
    dialog = compare(visitor.open(), *takes)
    dialog.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"{CLIPS}.every(clip => clip.currentTime > 0.1)")

    page.evaluate(f"{CLIPS}[1].currentTime = 1.7")

    page.wait_for_function(f"!{CLIPS}[0].paused && {CLIPS}[1].currentTime < {CLIPS}[0].currentTime + 0.1")


def test_played_to_the_end_it_begins_anew_or_repeats(dialog: Locator) -> None:
    place(dialog, 48)
    dialog.get_by_role("button", name="Play", exact=True).click()
    dialog.page.wait_for_function(f"{CLIPS}[1].currentTime < 1.5 && !{CLIPS}[1].paused")
    dialog.get_by_label("Repeat").check()
    for _ in range(2):
        dialog.page.wait_for_function(f"{CLIPS}[1].currentTime > 1.8")
        dialog.page.wait_for_function(f"{CLIPS}[1].currentTime < 0.5 && !{CLIPS}[1].paused")

    expect(dialog.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_steps_by_frames(dialog: Locator) -> None:
    place(dialog, 5)
    for _ in range(3):
        dialog.get_by_role("button", name="Next frame").click()
    assert times(dialog.page) == [pytest.approx(8.5 * FRAME, abs=0.01)] * 2
    expect(dialog.locator(".time")).to_have_text("0.33 / 2.04 s")
    dialog.get_by_role("button", name="Previous frame").click()
    assert times(dialog.page) == [pytest.approx(7.5 * FRAME, abs=0.01)] * 2
    place(dialog, 0)
    dialog.get_by_role("button", name="Previous frame").click()
    assert times(dialog.page) == [pytest.approx(0.5 * FRAME, abs=0.01)] * 2


def test_one_is_heard_or_none(dialog: Locator) -> None:
    muted = f"{CLIPS}.map(clip => clip.muted)"
    assert dialog.page.evaluate(muted) == [False, True]
    dialog.get_by_label("B", exact=True).check()
    assert dialog.page.evaluate(muted) == [True, False]
    dialog.get_by_label("off", exact=True).check()
    assert dialog.page.evaluate(muted) == [True, True]


def test_what_differs_is_marked_and_what_does_not_is_not(dialog: Locator) -> None:
    for side, seed, length in ((0, "23", "25 frames at 24 fps, 1.0 s"), (1, "24", "49 frames at 24 fps, 2.0 s")):
        lines = dialog.locator(".facts").nth(side)
        differing = lines.locator(".differs")
        expect(differing.locator("dt")).to_contain_text(["Seed", "Length", "Camera"])
        expect(differing.locator("dd").first).to_have_text(seed)
        expect(differing.locator("dd").nth(1)).to_have_text(length)
        expect(differing.first).to_contain_text("≠ differs")
        same = lines.locator("div:not(.differs)")
        expect(same.locator("dt")).to_have_text(["Prompt ", "Mode ", "Preset ", "Size "])
        expect(same.locator("dd")).to_have_text(
            ["a red ball bounces to the right", "Text to video", "Draft", "64 × 64"]
        )
    expect(dialog.locator(".differing")).to_have_text("Differences: 3, marked ≠.")


@pytest.mark.parametrize("way", ["Escape", "button", "beside"])
def test_it_closes_and_opens_again(dialog: Locator, way: str) -> None:
    page = dialog.page
    dialog.get_by_role("button", name="Play", exact=True).click()
    match way:
        case "Escape":
            page.keyboard.press("Escape")
        case "button":
            dialog.get_by_role("button", name="Close").click()
        case _:
            page.mouse.click(2, 2)

    expect(dialog).to_be_hidden()
    page.wait_for_function(AT_REST)
    again = page.get_by_role("button", name="Compare", exact=True)
    expect(again).to_be_focused()
    again.click()
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Play", exact=True)).to_be_focused()


def test_the_keys_stay_inside(dialog: Locator) -> None:
    expect(dialog.get_by_role("button", name="Play", exact=True)).to_be_focused()
    for _ in range(12):
        dialog.page.keyboard.press("Tab")
        assert dialog.page.evaluate("!!document.activeElement.closest('dialog, :root:not(:has(:focus))')")


def test_a_take_that_is_gone_is_a_card(visitor: Visitor) -> None:
    first, second = visitor.give("one"), visitor.give("two")
    page = visitor.open()
    visitor.past.studio.takes.path(second).unlink()
    for take in (first, second):
        page.locator(f'.take[data-take="{take.id}"] .mark').click()
    page.get_by_role("button", name="Compare", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("One of the files is missing.")


def test_on_a_narrow_screen_one_is_above_the_other(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    short, long = visitor.give(), visitor.give(like="long")
    dialog = compare(visitor.open(), short, long)

    boxes = [box for clip in dialog.locator("video").all() if (box := clip.bounding_box())]
    bar = dialog.locator(".controls").bounding_box()
    assert bar is not None
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    assert boxes[1]["y"] + boxes[1]["height"] <= bar["y"]
    assert bar["y"] + bar["height"] <= 844
    assert dialog.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_files_and_lists_are_told_in_words(visitor: Visitor) -> None:
    digest = "3fa94c12" + "0" * 56
    take = visitor.give(
        image=f"{digest}.png", loras=[{"file": f"{digest}.safetensors", "strength": 0.8}], negative_prompt=""
    )

    told = facts(take, {})

    assert told["image"] == "file 3fa94c12"
    assert told["LoRAs"] == "file 3fa94c12, 0.8"
    assert told["Negative prompt"] == "–"
