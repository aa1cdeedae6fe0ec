"""Each of the six modes on the page: its form, its clip, its place in the history, and its form again."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ltx_studio.jobs import LOCAL, Desk
from ltx_studio.modes import MODES
from ltx_studio.settings import Settings
from tests.conftest import Request
from tests.ui.conftest import Watch
from tests.ui.driver import (
    choose,
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
MODE, FORM = "ltx-studio.mode", "ltx-studio.form."
"""Under these names, the latter with a mode's id, the browser keeps which mode was open, and what the forms hold."""
HUGE = '{"seed": 99999999999999999999, "width": 1e300}'
HALF = r'{"prompt": "x \ud800"}'


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
    history = Desk(settings).history
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


def drop(page: Page, path: Path) -> None:
    """Anywhere on the page."""
    page.evaluate(
        """([name, bytes]) => {
            const files = new DataTransfer();
            const content = Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0));
            files.items.add(new File([content], name, { type: "video/mp4" }));
            const how = { dataTransfer: files, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", how));
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )


def test_what_is_told_of_a_dropped_video_stays_although_a_field_was_being_edited(
    page: Page, page_url: str, settings: Settings, small: Request
) -> None:
    open_mode(page, page_url, "i2v")
    page.locator("#i2v-prompt textarea").fill(PROMPT)
    give(page, "i2v", {"image": small("i2v")["image"]})
    set_number(page, "i2v", "seconds", 1)
    press(page, "Generate")
    expect_done(page)
    history = Desk(settings).history
    clip = history.path(history.page(LOCAL, limit=1).takes[0])

    page.goto(page_url)
    expect(page.locator("#studio-header .tag")).to_have_text(MODES["i2v"].label)
    choose(page, "t2v")
    page.locator("#t2v-prompt textarea").press_sequentially("night")
    drop(page, clip)  # as from a file manager: the focus stays where it was

    expect(page.locator("#i2v-prompt textarea")).to_have_value(PROMPT)
    page.wait_for_timeout(500)
    expect(page.locator("#told")).to_contain_text("The form holds what the dropped video was made of.")


def hold(what: str) -> str:
    """A script: the page's requests whose body matches `what` are not sent until `goOn` is called."""
    return f"""
        const ask = window.fetch;
        window.fetch = async (...asked) => {{
            const isHeld = String(asked[0]).includes("queue/join") && {what}.test(asked[1].body);
            if (isHeld) await new Promise((goOn) => (window.goOn = goOn));
            return ask(...asked);
        }};
    """


OF_WHAT_IS_KEPT, OF_A_FILLING = '/"prompt":"kept"/', '/^{"data":\\["[0-9a-f]{16}"\\]/'


def test_what_is_written_while_the_page_opens_stays(page: Page, page_url: str) -> None:
    page.goto(page_url)
    keep(page, '{"prompt": "kept", "seconds": 3}')
    page.add_init_script(hold(OF_WHAT_IS_KEPT))
    page.goto(page_url)
    page.wait_for_function("Boolean(window.goOn)")
    page.locator("#t2v-prompt textarea").fill("written")
    page.evaluate("goOn()")

    expect(page.locator("#t2v-told")).to_contain_text("3.04 s")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("written")


def test_a_video_that_is_dropped_while_the_page_opens_is_what_the_form_holds(
    page: Page, page_url: str, settings: Settings
) -> None:
    write(page, page_url, PROMPT)
    press(page, "Generate")
    expect_done(page)
    history = Desk(settings).history
    clip = history.path(history.page(LOCAL, limit=1).takes[0])
    keep(page, '{"prompt": "kept", "takes": 3}')
    keep(page, "i2v", MODE)

    page.add_init_script(hold(OF_WHAT_IS_KEPT))
    page.goto(page_url)
    page.wait_for_function("Boolean(window.goOn)")
    drop(page, clip)
    expect(page.locator("#t2v-prompt textarea")).to_have_value(PROMPT)
    page.evaluate("goOn()")
    expect(page.locator("#t2v-found textarea")).not_to_have_value("")

    page.wait_for_timeout(500)
    expect(page.locator("#t2v-prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#t2v-takes input[type=number]")).to_have_value("1")
    expect(page.locator("#studio-header .tag")).to_have_text(MODES["t2v"].label)


def reload(page: Page, text: str, mode: str = "t2v") -> None:
    """As soon as the browser has kept `text` of a mode's form."""
    page.wait_for_function(f"localStorage.getItem('{FORM}{mode}')?.includes('{text}')")
    page.reload()


def test_a_form_is_as_it_was_after_a_reload(page: Page, page_url: str) -> None:
    write(page, page_url, "kept", seconds=1.5)
    page.locator("#t2v-shape input").click()
    page.get_by_role("option", name="1:1").click()
    page.locator("#t2v-dice").click()
    expect(page.locator("#t2v-new-seed input")).not_to_be_checked()
    seed = page.locator("#t2v-seed input").input_value()
    choose(page, "style")
    page.locator("#style-prompt textarea").fill("other")
    reload(page, "other", "style")

    expect(page.locator("#studio-header .tag")).to_have_text("Style transfer")
    expect(page.locator("#style-prompt textarea")).to_have_value("other")
    choose(page, "t2v")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("kept")
    expect(page.locator("#t2v-seconds input[type=number]")).to_have_value("1.5")
    expect(page.locator("#t2v-told")).to_contain_text("192×192")
    expect(page.locator("#t2v-seed input")).to_have_value(seed)
    expect(page.locator("#t2v-new-seed input")).not_to_be_checked()


def test_what_is_kept_of_a_form_that_is_not_open_stays_however_often_the_page_is_opened(
    page: Page, page_url: str
) -> None:
    write(page, page_url, "kept", mode="i2v", seconds=1.5)
    page.locator("#i2v-preset label").filter(has_text="Draft").click()
    keep_seed(page, 4711, "i2v")
    page.wait_for_function(f"localStorage.getItem('{FORM}i2v').includes('4711')")
    kept = page.evaluate(f"localStorage.getItem('{FORM}i2v')")
    choose(page, "t2v")
    for _ in range(2):
        page.reload()
        expect(page.locator("#i2v-found textarea")).not_to_have_value("")
        expect(page.locator("#t2v-told")).to_contain_text("256×192")
        page.wait_for_timeout(300)
        assert json.loads(page.evaluate(f"localStorage.getItem('{FORM}i2v')")) == json.loads(kept)

    choose(page, "i2v")
    expect(page.locator("#i2v-prompt textarea")).to_have_value("kept")
    expect(page.locator("#i2v-preset label.selected")).to_contain_text("Draft")
    expect(page.locator("#i2v-seed input")).to_have_value("4711")
    expect(page.locator("#i2v-new-seed input")).not_to_be_checked()


def keep(page: Page, text: str, name: str = f"{FORM}t2v") -> None:
    page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, text])


@pytest.mark.parametrize(
    "text", ["{", "7", "null", '["t2v"]', '{"t2v": 7}', '{"prompt": {}, "takes": null}', HUGE, HALF]
)
def test_a_form_is_as_new_where_a_browser_has_kept_nonsense(page: Page, page_url: str, text: str, watch: Watch) -> None:
    page.goto(page_url)
    expect(page.locator("#t2v-told")).to_contain_text("256×192, 2.04 s")
    keep(page, text)
    page.reload()
    expect(page.locator("#t2v-told")).to_contain_text("256×192, 2.04 s")

    page.locator("#t2v-prompt textarea").fill("kept")
    reload(page, "kept")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("kept")
    assert [error for error in watch.errors if "Abort" not in error and "errored out" not in error] == []


def test_why_a_picture_is_none_is_told(page: Page, page_url: str, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("hello", encoding="utf-8")
    write(page, page_url, "night", mode="i2v")
    page.locator("#i2v-image input[type=file]").first.set_input_files(text)

    expect(page.locator("#i2v-told")).to_contain_text("text.png is no picture. Use a PNG, JPEG or WebP file.")
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("text.png is no picture.")


def test_a_form_with_a_seed_that_is_none_is_there_after_a_reload(page: Page, page_url: str, watch: Watch) -> None:
    write(page, page_url, "kept")
    page.locator("#t2v-new-seed input").uncheck()
    page.locator("#t2v-seed input").fill("99999999999999999999")
    page.locator("#t2v-seed input").press("Tab")
    reload(page, "100000000000000000000")

    expect(page.locator("#t2v-prompt textarea")).to_have_value("kept")
    expect(page.locator("#t2v-new-seed input")).not_to_be_checked()
    assert [error for error in watch.errors if "Abort" not in error and "errored out" not in error] == []


def test_a_mode_that_is_chosen_while_the_page_opens_is_the_one_that_is_open(page: Page, page_url: str) -> None:
    page.goto(page_url)
    keep(page, "i2v", MODE)
    keep(page, '{"prompt": "kept"}')
    page.add_init_script(hold(OF_WHAT_IS_KEPT))
    page.goto(page_url)
    page.wait_for_function("Boolean(window.goOn)")
    page.get_by_role("radio", name=MODES["lipsync"].label).click()
    expect(page.locator("#lipsync-told")).to_contain_text("Still needed")
    page.evaluate("goOn()")
    expect(page.locator("#t2v-found textarea")).not_to_have_value("")
    page.wait_for_timeout(500)

    expect(page.locator("#studio-header .tag")).to_have_text(MODES["lipsync"].label)
    expect(page.get_by_role("radio", name=MODES["lipsync"].label)).to_be_checked()
    expect(page.locator("#lipsync-generate")).to_be_visible()
    assert page.evaluate(f"localStorage.getItem('{MODE}')") == "lipsync"


def test_modes_that_are_chosen_one_after_the_other_at_once_end_in_the_last(page: Page, page_url: str) -> None:
    page.goto(page_url)
    expect(page.locator("#t2v-told")).to_contain_text("256×192")
    for mode in ("a2v", "i2v", "style", "keyframe"):
        page.get_by_role("radio", name=MODES[mode].label).click()

    expect(page.locator("#keyframe-generate")).to_be_visible()
    expect(page.locator("#studio-header .tag")).to_have_text(MODES["keyframe"].label)
    expect(page.get_by_role("radio", name=MODES["keyframe"].label)).to_be_checked()


def test_a_mode_that_is_chosen_after_a_form_was_asked_for_is_the_one_that_is_kept(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "i2v")
    page.add_script_tag(content=hold(OF_A_FILLING))
    page.locator("#i2v-example input").click()
    page.get_by_role("option").nth(1).click()
    page.wait_for_function("Boolean(window.goOn)")
    choose(page, "a2v")
    page.evaluate("goOn()")
    page.wait_for_function(f"localStorage.getItem('{FORM}i2v')?.includes('moves')")
    page.wait_for_timeout(300)

    assert page.evaluate(f"localStorage.getItem('{MODE}')") == "a2v"
    expect(page.get_by_role("radio", name=MODES["a2v"].label)).to_be_checked()
    expect(page.locator("#studio-header .tag")).to_have_text(MODES["a2v"].label)


def test_two_tabs_keep_their_forms_beside_each_other(page: Page, page_url: str) -> None:
    write(page, page_url, "mine")
    other = page.context.new_page()
    other.goto(page_url)
    choose(other, "style")
    other.locator("#style-prompt textarea").fill("theirs")
    other.wait_for_function(f"localStorage.getItem('{FORM}style')?.includes('theirs')")
    page.locator("#t2v-prompt textarea").fill("mine again")
    reload(page, "mine again")

    expect(page.locator("#style-prompt textarea")).to_have_value("theirs")
    choose(page, "t2v")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("mine again")


def test_a_seed_that_generate_drew_is_kept_as_well(page: Page, page_url: str) -> None:
    write(page, page_url, "night")
    page.locator("#t2v-generate").click()
    expect(page.locator("#stop")).to_be_visible()
    seed = page.locator("#t2v-seed input").input_value()
    reload(page, seed)

    expect(page.locator("#t2v-seed input")).to_have_value(seed)


def test_what_a_browser_kept_is_not_believed(page: Page, page_url: str, watch: Watch) -> None:
    write(page, page_url, "kept")
    keep(page, json.dumps({"preset": "best", "seconds": 9e9, "takes": "x", "prompt": ["x"]}))
    keep(page, "'none\"]", MODE)
    page.reload()

    expect(page.locator("#t2v-told")).to_contain_text("256×192, 2.04 s")
    assert [error for error in watch.errors if "Abort" not in error and "errored out" not in error] == []


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
    expect(negative).to_contain_text("does nothing in Fast")

    page.locator("#t2v-preset label").filter(has_text="Balanced").click()

    expect(negative.locator("textarea")).to_be_enabled()
    expect(page.locator("#t2v-camera-strength")).to_contain_text("does nothing without a camera move")


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
