"""Why nothing was handed in: it is told in words, is seen, and goes when the form is changed."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.conftest import Watch
from tests.web.driver import choose, choose_shape, keep_seed, press, step, upload_lora


def by_mouse(page: Page) -> None:
    choose_shape(page, "1:1")


def by_keyboard(page: Page) -> None:
    page.locator("#t2v-shape input:checked").focus()
    page.keyboard.press("ArrowDown")


def by_preset(page: Page) -> None:
    page.locator("#t2v-preset input").first.check()


def by_dice(page: Page) -> None:
    page.locator("#t2v-dice").click()


def by_length(page: Page) -> None:
    page.locator("#t2v-seconds input[type=number]").press("ArrowUp")


def by_mode(page: Page) -> None:
    choose(page, "a2v")
    expect(page.locator("#a2v-generate")).to_be_visible()
    choose(page, "t2v")


CHANGES = by_mouse, by_keyboard, by_preset, by_dice, by_length, by_mode


def refused(page: Page) -> None:
    """Press Generate, which tells that the prompt is empty."""
    press(page, "Generate")
    expect(page.locator("#told")).to_contain_text("The prompt is empty")


def test_why_nothing_was_handed_in_is_told_until_the_form_is_changed(page: Page, page_url: str, watch: Watch) -> None:
    page.goto(page_url)
    told = page.locator("#told")
    for change in CHANGES:
        with step(change.__name__):
            refused(page)
            change(page)
            expect(told).to_be_hidden()
    with step("only folds and lists are opened"):
        refused(page)
        page.locator("#t2v-more > button").click()
        expect(page.locator("#t2v-fps")).to_be_visible()
        page.get_by_role("button", name="Recent prompts").filter(visible=True).click()
        page.locator("#t2v-preset .help").click()
        expect(told).to_contain_text("The prompt is empty")
    with step("a prompt of spaces"):
        page.locator("#t2v-prompt textarea").fill("   ")
        expect(told).to_be_hidden()
        press(page, "Generate")
        card = page.get_by_role("alert").first
        expect(card).to_contain_text("The prompt is empty")
        expect(card).to_contain_text("Write a prompt")
        expect(page.get_by_role("button", name="Generate", exact=True)).to_be_enabled()
    page.locator("#t2v-prompt textarea").fill("night")
    for seed in ("-5", "9007199254740993"):
        with step(f"the seed {seed}"):
            keep_seed(page, seed)
            expect(told).to_be_hidden()
            press(page, "Generate")
            expect(page.get_by_role("alert").first).to_contain_text("Use a value from 0 to")

    assert watch.errors == []


IS_SEEN = """() => {
    const told = document.querySelector("#told .card");
    const { x, y, width, height } = told.getBoundingClientRect();
    return told.contains(document.elementFromPoint(x + width / 2, y + height / 4));
}"""


def test_where_the_run_lies_below_the_form_what_is_told_is_seen_and_breaks(
    page: Page, page_url: str, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(page_url)
    for width, height in ((320, 640), (390, 844), (740, 450)):
        with step(f"{width}×{height}"):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("scrollTo(0, 0)")
            refused(page)
            page.wait_for_function(IS_SEEN)
            expect(page.locator("#told .card")).to_be_in_viewport(ratio=1)
            if width < 640:
                expect(page.locator("#t2v-prompt textarea")).to_be_in_viewport(ratio=0.5)
            by_dice(page)
            expect(page.locator("#told")).to_be_hidden()
    with step("a long name that is told with Generate"):
        name = f"{'very_long_name_' * 12}.safetensors"
        (tmp_path / name).write_text("no LoRA")
        page.set_viewport_size({"width": 390, "height": 844})
        upload_lora(page, "t2v", tmp_path / name)
        expect(page.locator("#t2v-told")).to_contain_text(name[:20])
        assert page.locator("#t2v-told").evaluate("each => each.scrollWidth <= each.clientWidth")
