"""What screen readers read out: one voice, a message every two seconds at most, and only what is news."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from ltx_studio.web.files import asset

PAGE = """
<div id="result"><p id="run" data-say></p></div>
<div id="panel"><p id="card"></p></div>
<p id="quiet"></p>
"""
HEARD = """
window.heard = [];
new MutationObserver(() => heard.push([performance.now(), document.getElementById("announcer").textContent]))
    .observe(document.getElementById("announcer"), { childList: true });
"""
CHANGE = "([id, html]) => document.getElementById(id).innerHTML = html"


@pytest.fixture
def heard(page: Page) -> Callable[[], list[str]]:
    """A page with the announcer that has been used; call it for what was read out since the last call."""
    page.clock.install()
    page.goto("about:blank")
    page.set_content(PAGE)
    for name in ("dom.js", "announcer.js"):
        page.add_script_tag(content=asset(name))
    page.evaluate(HEARD)

    def listen() -> list[str]:
        page.clock.run_for(5_000)
        found = page.evaluate("heard.splice(0)")
        assert all(after - before >= 2000 for (before, _), (after, _) in pairwise(found))
        return [text for _, text in found]

    return listen


def use(page: Page) -> None:
    page.keyboard.press("Tab")


def change(page: Page, id_: str, html: str) -> None:
    page.evaluate(CHANGE, [id_, html])


def test_many_changes_are_one_message_in_two_seconds_and_it_says_the_latest(
    page: Page, heard: Callable[[], list[str]]
) -> None:
    use(page)
    change(page, "card", "<p data-say>Deleted.</p>")
    page.clock.run_for(500)
    for step in range(8):
        change(page, "run", f"Step {step}")
        change(page, "card", "<p data-say>Deleted.</p><p data-say>2 clips</p>")
        page.clock.run_for(100)
    assert heard() == ["Deleted.", "Step 7. 2 clips."]
    for step in range(4):
        page.evaluate("ltxAnnouncer.say('Said.')")
        page.evaluate(f"ltxAnnouncer.say('Number {step}')")
    assert heard() == ["Said. Number 3."]


def test_what_is_there_when_the_page_opens_is_not_read_out(page: Page, heard: Callable[[], list[str]]) -> None:
    change(page, "card", "<p data-say>Mark two clips.</p>")
    use(page)
    assert heard() == []
    change(page, "card", "<p data-say>1 of 2 marked.</p>")
    assert heard() == ["1 of 2 marked."]


def test_the_same_text_is_read_out_again_only_when_it_was_gone(page: Page, heard: Callable[[], list[str]]) -> None:
    use(page)
    for _ in range(3):
        change(page, "card", "<p data-say>Deleted.</p>")
        page.clock.run_for(200)
    assert heard() == ["Deleted."]
    change(page, "card", "")
    assert heard() == []
    change(page, "card", "<p data-say>Deleted.</p>")
    assert heard() == ["Deleted."]


def test_hidden_panels_are_silent_but_not_the_result_on_a_phone(page: Page, heard: Callable[[], list[str]]) -> None:
    use(page)
    page.add_style_tag(content="#panel, #result { display: none; }")
    change(page, "card", "<p data-say>12 clips, 3 min.</p>")
    change(page, "run", "Done in 3 s")
    assert heard() == ["Done in 3 s."]
    page.add_style_tag(content="#panel { display: block; }")
    change(page, "quiet", "what opens a panel changes more")
    assert heard() == []


def test_an_attribute_says_it_in_fewer_words(page: Page, heard: Callable[[], list[str]]) -> None:
    use(page)
    for percent in (10, 20, 30):
        change(page, "card", f'<p data-say="Sampling">Sampling {percent} %</p>')
        page.clock.run_for(3_000)
    assert heard() == ["Sampling."]
