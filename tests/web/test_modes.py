"""Each of the six modes on the page: its form, its clip, its place in the history, and its form again."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, JobSpec
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web.rail import PANELS
from tests.fixtures import Request
from tests.media.test_edges import write_still
from tests.support import DATA, MODEL_SETS
from tests.web.conftest import Watch
from tests.web.driver import (
    PLAYS,
    choose,
    choose_draft,
    drop,
    expect_made,
    expect_mode,
    give,
    keep_seed,
    made,
    open_mode,
    press,
    set_number,
    step,
    unfold,
)

PROMPT = "a red circle moves right on a gray background"
SEEDS = {mode: 4711 + number for number, mode in enumerate(MODES)}


def files_of(mode: str, small: Request) -> Mapping[str, Path]:
    """The files that a mode needs, by field."""
    fields = MODES[mode].params.model_fields
    return {name: small(mode)[name] for name in MODES[mode].media if fields[name].is_required()}


def make(page: Page, mode: str, files: Mapping[str, Path]) -> None:
    """Fill a mode's form in, and make the clip."""
    choose(page, mode)
    page.locator(f"#{mode}-prompt textarea").fill(f"{PROMPT} {mode}")
    give(page, mode, files)
    if MODES[mode].params.model_fields["seconds"].is_required():
        page.locator(f"#{mode}-as-long input").uncheck()
    set_number(page, mode, "seconds", 1)
    keep_seed(page, SEEDS[mode], mode)
    if mode != "style":
        choose_draft(page, mode)
    press(page, "Generate")
    expect_made(page, SEEDS[mode])
    expect(page.locator("#recipe")).to_contain_text(f"seed {SEEDS[mode]}")


REFUSED = """
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective + e.blockedURI));
"""
"""A script that remembers what the page's own policy has refused."""


@pytest.mark.usefixtures("few_steps")
def test_each_mode_makes_a_clip_that_plays_is_kept_and_gives_its_form_back(
    page: Page, page_url: str, watch: Watch, hosts: set[str], settings: Settings, small: Request
) -> None:
    history, clips, shown = Studio(settings).takes, dict[str, Path](), ""
    page.add_init_script(REFUSED)
    page.goto(page_url)
    for mode in MODES:
        with step(f"{mode}: its clip"):
            make(page, mode, files_of(mode, small))
            page.wait_for_function(f"document.querySelector('#clip video')?.currentSrc !== '{shown}' && {PLAYS}")
            shown = page.evaluate("document.querySelector('#clip video').currentSrc")
            assert page.evaluate("document.querySelector('#clip video').duration") == pytest.approx(25 / 24, abs=4 / 24)
            take = history.page(LOCAL, limit=1).takes[0]
            assert (take.mode, take.prompt) == (mode, f"{PROMPT} {mode}")
            clips[mode] = history.path(take)
    with step("its policy allows all that the page does: every panel, uploads, live pictures, old clips"):
        for panel in [*PANELS][::-1]:
            unfold(page, panel)
        page.locator("#history-takes .take .open").nth(1).click()
        page.wait_for_function(f"document.querySelector('#clip video')?.currentSrc !== '{shown}' && {PLAYS}")
        assert page.evaluate("refused") == []
    assert watch.errors == []
    assert hosts == {LOOPBACK}

    page.evaluate("localStorage.clear()")
    page.goto(page_url)
    expect(page.locator("#t2v-prompt textarea")).to_have_value("")
    watch.errors.clear()  # the page that was left complains of what it was asking for
    for mode in [*MODES][::-1]:  # the first is open already
        with step(f"{mode}: its form again"):
            page.locator("#restore-file input[type=file]").set_input_files(str(clips[mode]))
            expect_mode(page, mode)
            expect(page.locator("#told")).to_contain_text("Settings restored from the video.")
            expect(page.locator(f"#{mode}-prompt textarea")).to_have_value(f"{PROMPT} {mode}")
            expect(page.locator(f"#{mode}-seed input")).to_have_value(str(SEEDS[mode]))
            expect(page.locator(f"#{mode}-seconds input[type=number]")).to_have_value("1")
            for name in files_of(mode, small):
                field = page.locator(f"#{mode}-{name.replace('_', '-')}")
                expect(field.get_by_label("Clear").or_(field.get_by_label("Remove")).first).to_be_visible()
    assert watch.errors == []


def test_what_is_told_of_a_dropped_video_stays_although_a_field_was_being_edited(
    page: Page, page_url: str, settings: Settings, small: Request
) -> None:
    clip = made(settings, JobSpec.from_request("i2v", small("i2v"), MODEL_SETS["pocket"], "draft"))
    open_mode(page, page_url, "i2v")
    choose(page, "t2v")
    page.locator("#t2v-prompt textarea").press_sequentially("night")
    drop(page, clip)  # as from a file manager: the focus stays where it was

    expect(page.locator("#i2v-generate")).to_be_visible()
    expect(page.locator("#told")).to_contain_text("Settings restored")
    page.wait_for_timeout(500)
    expect(page.locator("#told")).to_contain_text("Settings restored from the video.")


def tell_of_no_picture(page: Page, text: Path) -> None:
    text.write_text("hello", encoding="utf-8")
    choose(page, "i2v")
    page.locator("#i2v-prompt textarea").fill("night")
    page.locator("#i2v-image input[type=file]").first.set_input_files(text)
    expected = "text.png is not a picture. Use a PNG, JPEG, WebP or HEIC file."
    expect(page.locator("#i2v-told")).to_contain_text(expected)
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("text.png is not a picture.")


def test_a_form_tells_what_will_be_made_what_does_not_act_and_what_is_missing(
    page: Page, page_url: str, watch: Watch, tmp_path: Path
) -> None:
    page.goto(page_url)
    told = page.locator("#t2v-told")
    with step("modes that are chosen one after the other at once end in the last"):
        expect(told).to_contain_text("256×192")
        for mode in ("a2v", "i2v", "style", "keyframe"):
            page.get_by_role("radio", name=MODES[mode].label).click()
        expect(page.locator(".form-of-mode").filter(visible=True)).to_have_count(1)
        expect(page.locator("#keyframe-generate")).to_be_visible()
        expect_mode(page, "keyframe")
        expect(page.get_by_role("radio", name=MODES["keyframe"].label)).to_be_checked()
    with step("what is missing is said before and after the button"):
        expect(page.locator("#keyframe-told")).to_contain_text("Add a first frame and a last frame.")
        page.locator("#keyframe-prompt textarea").fill("night")
        press(page, "Generate")
        expect(page.get_by_role("alert").first).to_contain_text("Add a first frame and a last frame.")
    with step("the line tells what will be made"):
        choose(page, "t2v")
        page.locator("#t2v-prompt textarea").fill("night")
        set_number(page, "t2v", "seconds", 3)
        expect(told).to_contain_text("256×192, 3.04 s = 73 frames at 24 fps")
    for written, kept, made_of_it in (("", "0.3", "0.38 s"), ("1000", "20", "20.04 s")):
        with step(f"what the slider makes of {written!r} is what is told"):
            set_number(page, "t2v", "seconds", 1)
            expect(told).to_contain_text("1.04 s")
            field = page.locator("#t2v-seconds input[type=number]")
            field.fill(written)
            field.press("Tab")
            expect(field).to_have_value(kept)
            expect(told).to_contain_text(made_of_it)
    with step("what cannot act says what would make it act, or is hidden"):
        page.locator("#t2v-more > button").first.click()
        negative = page.locator("#t2v-negative-prompt")
        expect(negative.locator("textarea")).to_be_disabled()
        expect(negative).to_contain_text("Balanced or Quality only")
        page.locator("#t2v-preset label").filter(has_text="Balanced").click()
        expect(negative.locator("textarea")).to_be_enabled()
        expect(negative).not_to_contain_text("only")
        expect(page.locator("#t2v-camera")).to_be_visible()
        expect(page.locator("#t2v-camera-strength")).to_be_hidden()
    with step("the line tells what a draft is"):
        page.locator("#t2v-preset label").filter(has_text="Draft").click()
        expect(told).to_contain_text("128×96 (half of 256×192)")
    with step("the dice draws a seed that stays"):
        page.locator("#t2v-dice").click()
        expect(page.locator("#t2v-seed input")).not_to_have_value("0")
        expect(page.locator("#t2v-new-seed input")).not_to_be_checked()
    with step("why a picture is none is told"):
        tell_of_no_picture(page, tmp_path / "text.png")

    assert watch.errors == []


def test_what_the_control_takes_from_a_clip_is_shown_before_the_run(
    page: Page, page_url: str, watch: Watch, tmp_path: Path
) -> None:
    open_mode(page, page_url, "style")
    with step("without a clip it says what is missing"):
        page.locator("#style-preview-control").click()
        expect(page.locator("#style-control-told")).to_contain_text("Add a clip.")
        expect(page.locator("#style-control-map")).to_be_hidden()
    with step("with a clip"):
        give(page, "style", {"clip": DATA / "circle-fast.mp4"})
        page.locator("#style-preview-control").click()
        expect(page.locator("#style-control-map img")).to_be_visible()
        assert page.evaluate("document.querySelector('#style-control-map img').naturalWidth") == 3 * 192
        expect(page.locator("#style-told")).not_to_contain_text("does not guide")
    with step("with a clip that has no edges"):
        flat = write_still(tmp_path / "flat.mp4", Image.new("RGB", (256, 192), (80, 80, 80)))
        page.locator("#style-clip button[aria-label='Clear'], #style-clip button[title='Clear']").first.click()
        give(page, "style", {"clip": flat})
        expected = "Canny finds no edges in the clip, so the clip does not guide"
        expect(page.locator("#style-told")).to_contain_text(expected)
        expect(page.locator("#style-told")).to_contain_text("Choose the control ready")
        page.locator("#style-preview-control").click()
        expect(page.locator("#style-control-told")).to_contain_text("does not guide")
    assert watch.errors == []
