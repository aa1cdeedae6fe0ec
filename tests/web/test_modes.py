"""Each of the six modes on the page: its form, its clip, its place in the history, and its form again."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.fixtures import Request
from tests.media.test_edges import write_still
from tests.support import DATA
from tests.web.conftest import Watch
from tests.web.driver import (
    choose,
    drop,
    expect_done,
    expect_playing,
    give,
    keep_seed,
    open_mode,
    press,
    set_number,
    write,
)

PROMPT = "a red circle moves right on a gray background"


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_makes_a_clip_that_plays_is_kept_and_gives_its_form_back(
    mode: str, page: Page, page_url: str, watch: Watch, settings: Settings, samples: Mapping[str, Path], small: Request
) -> None:
    files = {
        name: small(mode)[name] for name in MODES[mode].media if MODES[mode].params.model_fields[name].is_required()
    }
    open_mode(page, page_url, mode)
    page.locator(f"#{mode}-prompt textarea").fill(PROMPT)
    give(page, mode, files)
    if MODES[mode].params.model_fields["seconds"].is_required():
        page.locator(f"#{mode}-as-long input").uncheck()
    set_number(page, mode, "seconds", 1)
    keep_seed(page, 4711, mode)
    press(page, "Generate")

    expect_done(page)
    expect_playing(page)
    assert page.evaluate("document.querySelector('#clip video').duration") == pytest.approx(25 / 24, abs=4 / 24)
    expect(page.locator("#recipe")).to_contain_text("seed 4711")
    history = Studio(settings).takes
    take = history.page(LOCAL, limit=1).takes[0]
    assert (take.mode, take.prompt) == (mode, PROMPT)
    assert watch.errors == []

    page.evaluate("localStorage.clear()")
    page.goto(page_url)
    expect(page.locator("#t2v-prompt textarea")).to_have_value("")
    watch.errors.clear()  # the page that was left complains of what it was asking for
    page.locator("#restore-file input[type=file]").set_input_files(str(history.path(take)))

    expect(page.locator("#studio-header .tag")).to_have_text(MODES[mode].label)
    expect(page.locator("#told")).to_contain_text("The form holds what the dropped video was made of.")
    expect(page.locator(f"#{mode}-prompt textarea")).to_have_value(PROMPT)
    expect(page.locator(f"#{mode}-seed input")).to_have_value("4711")
    expect(page.locator(f"#{mode}-seconds input[type=number]")).to_have_value("1")
    for name in files:
        field = page.locator(f"#{mode}-{name.replace('_', '-')}")
        expect(field.get_by_label("Clear").or_(field.get_by_label("Remove")).first).to_be_visible()
    assert watch.errors == []


def test_what_is_told_of_a_dropped_video_stays_although_a_field_was_being_edited(
    page: Page, page_url: str, settings: Settings, small: Request
) -> None:
    open_mode(page, page_url, "i2v")
    page.locator("#i2v-prompt textarea").fill(PROMPT)
    give(page, "i2v", {"image": small("i2v")["image"]})
    set_number(page, "i2v", "seconds", 1)
    press(page, "Generate")
    expect_done(page)
    history = Studio(settings).takes
    clip = history.path(history.page(LOCAL, limit=1).takes[0])

    page.goto(page_url)
    expect(page.locator("#studio-header .tag")).to_have_text(MODES["i2v"].label)
    choose(page, "t2v")
    page.locator("#t2v-prompt textarea").press_sequentially("night")
    drop(page, clip)  # as from a file manager: the focus stays where it was

    expect(page.locator("#i2v-generate")).to_be_visible()
    expect(page.locator("#told")).to_contain_text("The form holds")
    page.wait_for_timeout(500)
    expect(page.locator("#told")).to_contain_text("The form holds what the dropped video was made of.")


def test_why_a_picture_is_none_is_told(page: Page, page_url: str, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("hello", encoding="utf-8")
    write(page, page_url, "night", mode="i2v")
    page.locator("#i2v-image input[type=file]").first.set_input_files(text)

    expect(page.locator("#i2v-told")).to_contain_text("text.png is not a picture. Use a PNG, JPEG, WebP or HEIC file.")
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("text.png is not a picture.")


def test_modes_that_are_chosen_one_after_the_other_at_once_end_in_the_last(page: Page, page_url: str) -> None:
    page.goto(page_url)
    expect(page.locator("#t2v-told")).to_contain_text("256×192")
    for mode in ("a2v", "i2v", "style", "keyframe"):
        page.get_by_role("radio", name=MODES[mode].label).click()

    expect(page.locator(".form-of-mode").filter(visible=True)).to_have_count(1)
    expect(page.locator("#keyframe-generate")).to_be_visible()
    expect(page.locator("#studio-header .tag")).to_have_text(MODES["keyframe"].label)
    expect(page.get_by_role("radio", name=MODES["keyframe"].label)).to_be_checked()


def test_the_line_tells_what_will_be_made(page: Page, page_url: str) -> None:
    write(page, page_url, "night", seconds=3)

    expect(page.locator("#t2v-told")).to_contain_text("256×192, 3.04 s = 73 frames at 24 fps")
    page.locator("#t2v-preset label").filter(has_text="Draft").click()
    expect(page.locator("#t2v-told")).to_contain_text("128×96 (half of 256×192)")


@pytest.mark.parametrize(("written", "kept", "made"), [("", "0.3", "0.38 s"), ("1000", "20", "20.04 s")])
def test_what_a_slider_makes_of_a_number_is_what_is_told(
    page: Page, page_url: str, written: str, kept: str, made: str
) -> None:
    write(page, page_url, "night", seconds=1)
    expect(page.locator("#t2v-told")).to_contain_text("1.04 s")
    field = page.locator("#t2v-seconds input[type=number]")
    field.fill(written)
    field.press("Tab")

    expect(field).to_have_value(kept)
    expect(page.locator("#t2v-told")).to_contain_text(made)


def test_what_does_not_act_is_greyed_with_the_reason(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "t2v")
    page.locator("#t2v-more > button").first.click()
    negative = page.locator("#t2v-negative-prompt")
    expect(negative.locator("textarea")).to_be_disabled()
    expect(negative).to_contain_text("has no effect in Fast")

    page.locator("#t2v-preset label").filter(has_text="Balanced").click()

    expect(negative.locator("textarea")).to_be_enabled()
    expect(page.locator("#t2v-camera-strength")).to_contain_text("has no effect without a camera move")


def test_what_is_missing_is_said_before_and_after_the_button(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "keyframe")
    expect(page.locator("#keyframe-told")).to_contain_text("Still needed: first frame and last frame.")
    page.locator("#keyframe-prompt textarea").fill("night")
    press(page, "Generate")

    expect(page.get_by_role("alert").first).to_contain_text("First frame is missing")


def test_the_dice_draws_a_seed_that_stays(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "t2v")
    page.locator("#t2v-dice").click()

    expect(page.locator("#t2v-seed input")).not_to_have_value("0")
    expect(page.locator("#t2v-new-seed input")).not_to_be_checked()


def test_what_the_control_takes_from_a_clip_is_shown_before_the_run(
    page: Page, page_url: str, watch: Watch, tmp_path: Path
) -> None:
    open_mode(page, page_url, "style")
    give(page, "style", {"clip": DATA / "circle-fast.mp4"})
    page.locator("#style-control-map-place > button").click()
    page.locator("#style-preview-control").click()

    shown = page.locator("#style-control-map img")
    expect(shown).to_be_visible()
    assert page.evaluate("document.querySelector('#style-control-map img').naturalWidth") == 3 * 192
    expect(page.locator("#style-told")).not_to_contain_text("does not steer")

    flat = write_still(tmp_path / "flat.mp4", Image.new("RGB", (256, 192), (80, 80, 80)))
    page.locator("#style-clip button[aria-label='Clear'], #style-clip button[title='Clear']").first.click()
    give(page, "style", {"clip": flat})
    expect(page.locator("#style-told")).to_contain_text("Canny finds no edges in the clip, so the clip does not steer")
    expect(page.locator("#style-told")).to_contain_text("Choose the control ready")
    page.locator("#style-preview-control").click()
    expect(page.locator("#style-control-told")).to_contain_text("does not steer")
    assert watch.errors == []


def test_a_control_map_without_a_clip_says_what_is_missing(page: Page, page_url: str, watch: Watch) -> None:
    open_mode(page, page_url, "style")
    page.locator("#style-control-map-place > button").click()
    page.locator("#style-preview-control").click()

    expect(page.locator("#style-control-told")).to_contain_text("Clip is missing")
    expect(page.locator("#style-control-map")).to_be_hidden()
    assert watch.errors == []
