"""Deleted clips can be put back for a while, whatever else is done meanwhile."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ltx_studio.queue import LOCAL
from ltx_studio.studio import Studio
from ltx_studio.takes.records import NewTake
from tests.samples import write_film
from tests.support import queue_of, small_spec
from tests.web.driver import step
from tests.web.still import quiet, studio, url

__all__ = ["quiet", "studio", "url"]


@pytest.fixture
def takes(studio: Studio, tmp_path: Path) -> list[str]:
    """The ids of three clips, the oldest first."""
    for take in studio.takes.page(LOCAL, limit=50).takes:
        studio.takes.delete(take.id, LOCAL)
    film = write_film(tmp_path / "film.mp4", frames=8)
    studio.settings.outputs_dir.mkdir(exist_ok=True)
    ids = []
    for prompt in ("one", "two", "three"):
        spec = small_spec(prompt=prompt)
        (job,) = studio.jobs.submit(LOCAL, [spec])
        queue_of(studio).claim(only=[job])
        file = shutil.copyfile(film, studio.settings.outputs_dir / f"{job}.mp4")
        recipe = {"params": spec.params.model_dump(mode="json"), "mode": "t2v"}
        made = NewTake(job, job, LOCAL, "t2v", 1.0, file.name, file.stat().st_size, prompt, recipe, {"seconds": 1.0})
        assert queue_of(studio).finish(job, made)
        ids.append(job)
    return ids


FALLS = """
window.falls = 0;
const look = () => (window.falls += document.activeElement === document.body);
new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
"""
"""A script that counts how often the focus is nowhere after a change of the page."""


def delete(page: Page, take: str) -> None:
    """Open a clip and delete it."""
    card = page.locator(f'.take[data-take="{take}"]')
    prompt = card.locator(".prompt").inner_text()
    card.locator(".open").click()
    expect(page.locator("#result")).to_contain_text(prompt)
    while not page.locator("#take-delete").is_visible():  # the menu closes when the rest of the clip's facts arrive
        page.locator("#take-more").click()
        page.wait_for_timeout(200)
    page.locator("#take-delete").click()
    expect(card).to_have_count(0)


def test_all_that_were_just_deleted_can_be_put_back_after_a_reload_too(page: Page, url: str, takes: list[str]) -> None:
    page.goto(url)
    toast, marks = page.locator("#toast .deleted"), page.locator(".takes-bar .marks")
    with step("a mark goes with its clip"):
        first = page.locator(f'.take[data-take="{takes[0]}"]')
        first.hover()
        first.locator(".mark").click()
        expect(marks).to_contain_text("1 of 2")
        delete(page, takes[0])
        expect(toast).to_contain_text("Deleted.")
        expect(marks).not_to_contain_text("1 of 2")
    with step("another one"):
        delete(page, takes[1])
        expect(toast).to_contain_text("Deleted: 2.")
    with step("after a reload"):
        page.reload()
        expect(toast).to_contain_text("Deleted: 2.")
        toast.get_by_role("button", name="Undo").press("Enter")
        expect(page.locator(".takes .take")).to_have_count(3)
        expect(toast).to_have_count(0)
    with step("the same one again, for as long"):
        delete(page, takes[0])
        until = page.evaluate("JSON.parse(sessionStorage.getItem('ltx-studio.deleted')).pending[0][1] - Date.now()")
        assert until > 15_000


def test_the_card_names_only_those_that_can_still_be_put_back(page: Page, url: str, takes: list[str]) -> None:
    page.clock.install()
    page.goto(url)
    toast = page.locator("#toast .deleted")
    delete(page, takes[0])
    expect(toast).to_be_visible()
    page.clock.fast_forward(12_000)
    delete(page, takes[1])
    expect(toast).to_contain_text("Deleted: 2.")

    page.clock.fast_forward(9_000)

    expect(toast).to_contain_text("Deleted.")
    toast.get_by_role("button", name="Undo").focus()
    page.evaluate(FALLS)
    page.clock.fast_forward(12_000)
    expect(toast).to_have_count(0)
    page.clock.run_for(1_000)
    assert page.evaluate("window.falls") == 0, "the focus goes on before the card does"
    assert page.evaluate("document.activeElement !== document.body")
