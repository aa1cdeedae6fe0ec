"""The keyboard focus never falls to the body: it moves on, or waits nearby."""

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
  <a id="after" href="#">After</a>
  <button class="generate" id="t2v-generate">Generate</button>
</div></div>
<div id="toast" style="position: fixed"><button id="undo">Undo</button></div>
"""
BY_KEY = "(id) => document.getElementById(id).focus()"
HOLDERS = """async (acts) => {
    const holders = [];
    for (const [act, time] of acts) {
        new Function(act)();
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done, time)));
        holders.push(document.activeElement.id || document.activeElement.tagName);
    }
    return holders;
}"""


@pytest.fixture
def focused(page: Page) -> Callable[[str], None]:
    """A page of four parts; call it with an id to give that element the focus by the keyboard."""
    page.goto("about:blank")
    page.set_content(PAGE)
    for name in ("dom.js", "focus.js"):
        page.add_script_tag(content=asset(name))

    def focus(id_: str) -> None:
        page.keyboard.press("Shift")
        page.evaluate(BY_KEY, id_)

    return focus


def holders(page: Page, *acts: tuple[str, int]) -> list[str]:
    """Change the page; return what has the focus after each change, once the page is drawn and so many ms later."""
    found: list[str] = page.evaluate(HOLDERS, acts)
    return found


COMES = """
const stop = document.createElement("button");
stop.id = "stop";
document.getElementById("run").append(stop);
"""
AGAIN = "document.getElementById('take-again')"
TAKEN = {
    "removed": "document.getElementById('take').innerHTML = ''",
    "hidden": "document.getElementById('take').style.display = 'none'; document.getElementById('take').hidden = true",
    "disabled": f"{AGAIN}.disabled = true",
}
LEAVE = "document.getElementById('result').style.display = 'none'; document.documentElement.dataset.tab = 'make'"


@pytest.mark.parametrize("act", TAKEN.values(), ids=TAKEN)
def test_the_part_around_what_goes_has_the_focus_until_what_is_next_is_there(
    page: Page, focused: Callable[[str], None], act: str
) -> None:
    focused("take-again")

    assert holders(page, (act, 0), (COMES, 200)) == ["result", "stop"]
    assert page.locator("[tabindex]").count() == 1, "the part stays focusable"


def test_what_comes_back_at_once_has_the_focus_again(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")

    assert holders(page, (f"{AGAIN}.disabled = true", 0), (f"{AGAIN}.disabled = false", 200)) == [
        "result",
        "take-again",
    ]


def test_in_a_form_what_is_nearest_is_next(page: Page, focused: Callable[[str], None]) -> None:
    focused("add")

    assert holders(page, ("document.querySelector('.row').innerHTML = ''", 0), ("", 200)) == ["forms", "near"]


def test_a_part_that_goes_too_leaves_the_focus_on_the_page(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")

    assert holders(page, (TAKEN["removed"], 0), (LEAVE, 0), ("", 200)) == ["result", "main", "t2v-generate"]
    assert page.locator("[tabindex]").count() == 1, "neither part stays focusable"


def test_a_card_over_the_page_passes_the_focus_on(page: Page, focused: Callable[[str], None]) -> None:
    focused("undo")

    assert holders(page, ("document.getElementById('toast').innerHTML = ''", 0), ("", 200)) == ["toast", "take-again"]


def test_a_page_that_cannot_have_the_focus_is_not_tried_again(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")
    away = "document.getElementById('main').inert = true"

    holders(page, (away, 0), (TAKEN["removed"], 200), ("document.getElementById('main').inert = false", 0))

    assert page.locator("[tabindex]").count() == 1
    focused("add")
    assert holders(page, ("document.querySelector('.row').innerHTML = ''", 0)) == ["forms"]


def test_what_the_user_goes_to_meanwhile_keeps_the_focus(page: Page, focused: Callable[[str], None]) -> None:
    focused("take-again")
    meanwhile = "document.getElementById('after').focus()"

    assert holders(page, (TAKEN["removed"], 0), (meanwhile, 200)) == ["result", "after"]


def test_a_click_in_a_form_takes_the_focus_away_as_everywhere(page: Page, focused: Callable[[str], None]) -> None:
    page.locator("#add").click()

    assert holders(page, ("document.querySelector('.row').innerHTML = ''", 200)) == ["BODY"]
