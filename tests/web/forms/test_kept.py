"""What a browser keeps of the forms over a reload, and what becomes of it when the page opens again."""

import json

from playwright.sync_api import Page, expect

from ltx_studio.modes import MODES
from ltx_studio.settings import Settings
from tests.support import small_spec
from tests.web.conftest import Watch
from tests.web.driver import (
    choose,
    choose_example,
    choose_shape,
    drop,
    expect_mode,
    keep_seed,
    made,
    open_mode,
    press,
    step,
    write,
)

PROMPT = "a red circle moves right on a gray background"
MODE, FORM = "ltx-studio.mode", "ltx-studio.form."
"""Under these names, the latter with a mode's id, the browser keeps which mode was open, and what the forms hold."""
HUGE = '{"seed": 99999999999999999999, "width": 1e300}'
HALF = r'{"prompt": "x \ud800"}'
OF_WHAT_IS_KEPT, OF_A_FILLING = '/"prompt":"kept"/', '/^{"data":\\["[0-9a-f]{16}"\\]/'


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


def reload(page: Page, text: str, mode: str = "t2v") -> None:
    """As soon as the browser has kept `text` of a mode's form."""
    page.wait_for_function(f"localStorage.getItem('{FORM}{mode}')?.includes('{text}')")
    page.reload()


def keep(page: Page, text: str, name: str = f"{FORM}t2v") -> None:
    page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, text])


def begin_with(page: Page, **kept: str) -> None:
    """Have the browser keep these texts, by mode or as `MODE`, before it opens the page for the first time."""
    texts = {name if name == MODE else FORM + name: text for name, text in kept.items()}
    page.add_init_script(f"""
        if (!sessionStorage.getItem("begun")) {{
            sessionStorage.setItem("begun", "yes");
            for (const [name, text] of Object.entries({json.dumps(texts)})) localStorage.setItem(name, text);
        }}
    """)


def open_held(page: Page, url: str, text: str = '{"prompt": "kept"}', **kept: str) -> None:
    """The page where `text` of t2v's form was kept, which has not come into the form before `goOn` is called."""
    begin_with(page, **{"t2v": text, **kept})
    page.add_init_script(hold(OF_WHAT_IS_KEPT))
    page.goto(url)
    page.wait_for_function("Boolean(window.goOn)")


def test_what_is_written_while_the_page_opens_stays(page: Page, page_url: str) -> None:
    open_held(page, page_url, '{"prompt": "kept", "seconds": 3}')
    page.locator("#t2v-prompt textarea").fill("written")
    page.evaluate("goOn()")

    expect(page.locator("#t2v-told")).to_contain_text("3.04 s")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("written")


def test_a_video_that_is_dropped_while_the_page_opens_is_what_the_form_holds(
    page: Page, page_url: str, settings: Settings
) -> None:
    clip = made(settings, small_spec(preset="draft", prompt=PROMPT))
    open_held(page, page_url, '{"prompt": "kept", "takes": 3}', **{MODE: "i2v"})
    drop(page, clip)
    expect(page.locator("#t2v-prompt textarea")).to_have_value(PROMPT)
    page.evaluate("goOn()")
    expect(page.locator("#t2v-found textarea")).not_to_have_value("")

    page.wait_for_timeout(500)
    expect(page.locator("#t2v-prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#t2v-takes input[type=number]")).to_have_value("1")
    expect_mode(page, "t2v")


def complaints(watch: Watch) -> list[str]:
    """What the browser complained of, but for the answers that a reload leaves."""
    left = ("Abort", "errored out", "Unexpected error 404")  # the last of a stream that is gone
    return [error for error in watch.errors if not any(each in error for each in left)]


def test_a_form_is_as_it_was_after_a_reload(page: Page, page_url: str, watch: Watch) -> None:
    write(page, page_url, "kept", seconds=1.5)
    prompt, seed = page.locator("#t2v-prompt textarea"), page.locator("#t2v-seed input")
    new_seed = page.locator("#t2v-new-seed input")
    with step("two forms, one of them open"):
        choose_shape(page, "1:1")
        page.locator("#t2v-dice").click()
        expect(new_seed).not_to_be_checked()
        drawn = seed.input_value()
        choose(page, "style")
        page.locator("#style-prompt textarea").fill("other")
        reload(page, "other", "style")

        expect_mode(page, "style")
        expect(page.locator("#style-prompt textarea")).to_have_value("other")
        choose(page, "t2v")
        expect(prompt).to_have_value("kept")
        expect(page.locator("#t2v-seconds input[type=number]")).to_have_value("1.5")
        expect(page.locator("#t2v-told")).to_contain_text("192×192")
        expect(seed).to_have_value(drawn)
        expect(new_seed).not_to_be_checked()
    with step("a seed that Generate drew"):
        new_seed.check()
        press(page, "Generate")
        expect(page.locator("#stop")).to_be_visible()
        expect(seed).not_to_have_value(drawn)
        drawn = seed.input_value()
        reload(page, drawn)
        expect(seed).to_have_value(drawn)
    with step("a seed that is none"):
        new_seed.uncheck()
        seed.fill("99999999999999999999")
        seed.press("Tab")
        reload(page, "100000000000000000000")
        expect(prompt).to_have_value("kept")
        expect(new_seed).not_to_be_checked()
    assert complaints(watch) == []


NONSENSE = (
    {
        "t2v": "{",
        "i2v": "7",
        "a2v": "null",
        "lipsync": '["t2v"]',
        "keyframe": '{"t2v": 7}',
        "style": '{"prompt": {}, "takes": null}',
    },
    {"t2v": HUGE, "i2v": HALF},
    {"t2v": json.dumps({"preset": "best", "seconds": 9e9, "takes": "x", "prompt": ["x"]})},
)
"""By mode, what a browser may have kept of its form that is none."""


def test_a_form_is_as_new_where_a_browser_has_kept_nonsense(page: Page, page_url: str, watch: Watch) -> None:
    page.goto(page_url)
    for number, texts in enumerate(NONSENSE):
        with step(f"nonsense {number}"):
            expect(page.locator("#t2v-told")).to_contain_text("256×192, 2.04 s")
            for mode, text in texts.items():
                keep(page, text, FORM + mode)
            keep(page, "'none\"]", MODE)
            page.reload()
            expect(page.locator("#t2v-told")).to_contain_text("256×192, 2.04 s")
            for mode in texts:
                choose(page, mode)
                expect(page.locator(f"#{mode}-prompt textarea")).to_have_value("")
                page.locator(f"#{mode}-prompt textarea").fill(f"kept {mode}")
                page.wait_for_function(f"localStorage.getItem('{FORM}{mode}')?.includes('kept {mode}')")
            choose(page, "t2v")
    with step("what is written then is kept"):
        page.reload()
        for mode in MODES:
            choose(page, mode)
            expect(page.locator(f"#{mode}-prompt textarea")).to_have_value(f"kept {mode}")
    assert complaints(watch) == []


WRITTEN = """
    window.written = [];
    const write = Storage.prototype.setItem;
    Storage.prototype.setItem = function (...given) {
        window.written.push(given);
        write.apply(this, given);
    };
"""
"""A script that remembers what is kept."""


def test_a_page_that_is_only_opened_keeps_nothing_anew_and_changes_nothing_of_what_is_kept(
    page: Page, page_url: str
) -> None:
    write(page, page_url, "kept", mode="i2v", seconds=1.5)
    page.locator("#i2v-preset label").filter(has_text="Draft").click()
    keep_seed(page, 4711, "i2v")
    page.wait_for_function(f"localStorage.getItem('{FORM}i2v')?.includes('4711')")
    kept = page.evaluate(f"localStorage.getItem('{FORM}i2v')")
    choose(page, "t2v")
    page.locator("#t2v-prompt textarea").fill("kept")
    page.wait_for_function(f"localStorage.getItem('{FORM}t2v')?.includes('kept')")
    page.add_init_script(WRITTEN)
    for _ in range(2):
        page.reload()
        expect(page.locator("#i2v-found textarea")).not_to_have_value("")
        expect(page.locator("#t2v-told")).to_contain_text("256×192")
        expect(page.locator("#t2v-prompt textarea")).to_have_value("kept")
        page.wait_for_timeout(300)
        assert page.evaluate(f"localStorage.getItem('{FORM}i2v')") == kept
        assert [each for each in page.evaluate("written") if each[0].startswith(FORM)] == []

    choose(page, "i2v")
    expect(page.locator("#i2v-prompt textarea")).to_have_value("kept")
    expect(page.locator("#i2v-preset label.selected")).to_contain_text("Draft")
    expect(page.locator("#i2v-seed input")).to_have_value("4711")
    expect(page.locator("#i2v-new-seed input")).not_to_be_checked()


def test_a_mode_that_is_chosen_while_the_page_opens_is_the_one_that_is_open(page: Page, page_url: str) -> None:
    open_held(page, page_url, **{MODE: "i2v"})
    page.get_by_role("radio", name=MODES["lipsync"].label).click()
    expect(page.locator("#lipsync-told")).to_contain_text("Add a ")
    page.evaluate("goOn()")
    expect(page.locator("#t2v-found textarea")).not_to_have_value("")
    page.wait_for_timeout(500)

    expect_mode(page, "lipsync")
    expect(page.get_by_role("radio", name=MODES["lipsync"].label)).to_be_checked()
    expect(page.locator("#lipsync-generate")).to_be_visible()
    assert page.evaluate(f"localStorage.getItem('{MODE}')") == "lipsync"


def test_a_mode_that_is_chosen_after_a_form_was_asked_for_is_the_one_that_is_kept(page: Page, page_url: str) -> None:
    open_mode(page, page_url, "i2v")
    page.add_script_tag(content=hold(OF_A_FILLING))
    choose_example(page, "i2v", "The ball rolls")
    page.wait_for_function("Boolean(window.goOn)")
    choose(page, "a2v")
    page.evaluate("goOn()")
    page.wait_for_function(f"localStorage.getItem('{FORM}i2v')?.includes('moves')")
    page.wait_for_timeout(300)

    assert page.evaluate(f"localStorage.getItem('{MODE}')") == "a2v"
    expect(page.get_by_role("radio", name=MODES["a2v"].label)).to_be_checked()
    expect_mode(page, "a2v")


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


def test_what_is_written_while_the_page_opens_is_kept_with_what_was_kept_before(page: Page, page_url: str) -> None:
    open_held(page, page_url, '{"prompt": "kept", "takes": 3, "seconds": 3}')
    page.locator("#t2v-prompt textarea").fill("written")
    reload(page, "written")  # before the page has opened

    expect(page.locator("#t2v-told")).to_contain_text("3.04 s")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("written")
    expect(page.locator("#t2v-takes input[type=number]")).to_have_value("3")


def test_what_is_written_while_the_form_is_filled_in_with_what_was_kept_is_kept(page: Page, page_url: str) -> None:
    begin_with(page, t2v='{"prompt": "kept", "takes": 3}')
    page.add_init_script("""
        const wait = window.setTimeout;
        const isHeld = (act) => String(act).includes("goOn([])");
        window.setTimeout = (act, ...more) => (isHeld(act) ? (window.goOn = act) : wait(act, ...more));
    """)
    page.goto(page_url)
    page.wait_for_function("Boolean(window.goOn)")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("kept")
    page.locator("#t2v-prompt textarea").fill("written")
    page.wait_for_timeout(300)
    page.evaluate("goOn()")

    reload(page, "written")
    expect(page.locator("#t2v-prompt textarea")).to_have_value("written")
    expect(page.locator("#t2v-takes input[type=number]")).to_have_value("3")


def test_who_begins_while_the_page_opens_finds_the_same_mode_open_again(page: Page, page_url: str) -> None:
    open_held(page, page_url, **{MODE: "i2v"})
    page.locator("#t2v-prompt textarea").fill("written")
    page.evaluate("goOn()")

    page.wait_for_function(f"localStorage.getItem('{MODE}') === 't2v'")


def test_what_is_written_and_taken_back_while_the_page_opens_is_not_kept(page: Page, page_url: str) -> None:
    open_held(page, page_url)
    page.locator("#t2v-prompt textarea").fill("written")
    page.wait_for_function(f"localStorage.getItem('{FORM}t2v')?.includes('written')")
    page.locator("#t2v-prompt textarea").fill("")
    page.evaluate("goOn()")

    expect(page.locator("#t2v-prompt textarea")).to_have_value("kept")
    page.wait_for_function(f"localStorage.getItem('{FORM}t2v')?.includes('kept')")
