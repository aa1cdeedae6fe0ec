"""The keyboard's focus is at no time on the body: it goes on from what goes, and waits nearby for what comes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from ltx_studio.web.files import asset

PAGE = """
<div id="studio"><div id="main">
  <div id="forms"><p><input id="near"></p><div class="row"><button id="add">Add</button></div></div>
  <div id="result">
    <div id="run"><p tabindex="-1">Done</p></div><div id="take"><button id="take-again">Again</button></div>
  </div>
  <button class="generate" id="t2v-generate">Generate</button>
</div></div>
"""
BY_KEY = "(id) => document.getElementById(id).focus()"
HOLDER = "document.activeElement.id || document.activeElement.tagName"
AFTER = """([act, time]) => {
    act = new Function(act);
    act();
    return new Promise((done) => requestAnimationFrame(() => setTimeout(done, time)));
}"""


@pytest.fixture
def focused(page: Page) -> Callable[[str], None]:
    """A page of three parts; call it with an id to give that element the focus by the keyboard."""
    page.goto("about:blank")
    page.set_content(PAGE)
    for name in ("dom.js", "focus.js"):
        page.add_script_tag(content=asset(name))

    def focus(id_: str) -> None:
        page.keyboard.press("Shift")
        page.evaluate(BY_KEY, id_)

    return focus


def holder(page: Page, act: str, *, after: int = 0) -> str:
    """Change the page, and return what has the focus a number of milliseconds after it was drawn."""
    page.evaluate(AFTER, [act, after])
    return str(page.evaluate(HOLDER))


COMES = """
const stop = document.createElement("button");
stop.id = "stop";
document.getElementById("run").append(stop);
"""
TAKEN = {
    "removed": "document.getElementById('take').innerHTML = ''",
    "hidden": "document.getElementById('take').style.display = 'none'; document.getElementById('take').hidden = true",
    "disabled": "document.getElementById('take-again').disabled = true",
}


@pytest.mark.parametrize("act", TAKEN.values(), ids=TAKEN)
def test_the_part_around_what_goes_has_the_focus_until_what_is_next_is_there(
    page: Page, focused: Callable[[str], None], act: str
) -> None:
    focused("take-again")

    assert holder(page, act) == "result"

    assert holder(page, COMES, after=200) == "stop"
    assert page.locator("[tabindex]").count() == 1, "the part is no stop of its own"


def test_what_comes_back_at_once_has_the_focus_again(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")
    button = "document.getElementById('take-again').disabled"

    assert holder(page, f"{button} = true") == "result"
    assert holder(page, f"{button} = false", after=200) == "take-again"


def test_in_a_form_what_is_nearest_is_next(page: Page, focused: Callable[[str], None]) -> None:
    focused("add")

    assert holder(page, "document.querySelector('.row').innerHTML = ''") == "forms"
    assert holder(page, "", after=200) == "near"


def test_a_part_that_goes_too_leaves_the_focus_on_the_page(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")

    leave = "document.getElementById('result').style.display = 'none'; document.documentElement.dataset.tab = 'make'"
    assert holder(page, leave) == "main"
    assert holder(page, "", after=200) == "t2v-generate"


def test_what_the_user_goes_to_meanwhile_keeps_the_focus(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")
    holder(page, TAKEN["removed"])

    page.keyboard.press("Tab")

    assert holder(page, "", after=200) == "t2v-generate"


def test_a_click_in_a_form_takes_the_focus_away_as_everywhere(page: Page, focused: Callable[[str], None]) -> None:
    page.locator("#add").click()

    assert holder(page, "document.querySelector('.row').innerHTML = ''", after=200) == "BODY"
