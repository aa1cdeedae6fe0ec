"""Work on model files: cards of a check and a download, and questions that wait for an answer."""

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import RequestError
from ltx_studio.events import Fetching, Finished
from ltx_studio.models.files import ModelFile
from ltx_studio.models.repair import Repair
from ltx_studio.models.verify import Reading
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels import model_work
from ltx_studio.web.panels.model_cards import checked, checking, downloads
from ltx_studio.web.panels.model_work import MOST_ASKED, Asked, Going
from ltx_studio.web.panels.models import ModelsPanel
from ltx_studio.web.rail import Rail
from ltx_studio.web.shared import Shared
from tests.shop import Shop
from tests.web.panels.test_models import with_tiny_set


def test_a_check_reports_on_while_the_disk_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each card disables the panel's buttons again, which a late answer to an earlier click may have enabled."""
    monkeypatch.setattr(model_work, "TELL_SECONDS", 0.01)
    release = threading.Event()
    file = ModelFile("checkpoints", "one.safetensors", size=80)

    def check() -> Iterator[Reading]:
        yield Reading(file, 40, 80)
        assert release.wait(60)
        yield Reading(file, 80, 80)

    cards = model_work.checked(check(), 1, CancelToken())
    seen = [next(cards) for _ in range(4)]
    release.set()

    assert len(set(seen[1:])) == 1
    assert 'value="40"' in seen[-1]
    assert 'value="80"' in list(cards)[-1]


def test_what_changes_all_the_time_is_not_read_out_but_how_it_ended_is() -> None:
    file = ModelFile("checkpoints", "one.safetensors", size=80)
    row = Fetching("checkpoints/one.safetensors", "fetching", 40, 80, 40, 80)
    changing = downloads([row], "Tiny"), checking(Reading(file, 40, 80), 0, 1)

    for each in changing:
        assert "data-say" not in each
    assert "data-say" in checked([], bad=0, contents=True)


def test_an_error_of_a_check_is_raised() -> None:
    file = ModelFile("checkpoints", "one.safetensors", size=80)

    def check() -> Iterator[Reading]:
        yield Reading(file, 40, 80)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(model_work.checked(check(), 1, CancelToken()))


def test_what_is_asked_no_longer_cannot_be_answered_and_old_questions_are_forgotten() -> None:
    asked = Asked()
    for number in range(MOST_ASKED + 1):
        asked.ask(f"tab {number}", Going(()))

    assert asked.answered("tab 1", Going) == Going(())
    for gone in ("tab 0", "tab 1"):
        with pytest.raises(RequestError, match="has expired"):
            asked.answered(gone, Going)
    with pytest.raises(RequestError, match="has expired"):
        asked.answered("tab 2", Repair)


def test_the_bar_for_all_is_that_of_the_latest_news() -> None:
    last_told = Fetching("loras/a", "fetching", 20, 30, 50_000_000, 60_000_000)
    told_before = Fetching("loras/b", "done", 30, 30, 40_000_000, 60_000_000)

    assert "50.0 MB of 60.0 MB" in downloads([last_told, told_before], "Two")


def panel_of(studio: Studio, shop: Shop) -> ModelsPanel:
    panel = ModelsPanel(studio, Owners(), "tiny", Shared(shop.store().registry.get_set("tiny")))
    rail = Rail()
    with gr.Blocks():
        rail.build()
        with rail.panel("models"):
            panel.build(rail)
    return panel


def test_an_answer_that_arrives_after_a_newer_one_is_corrected_by_the_next_tick(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download ends while the panel looks at the files, and a tick that sees it answers before that look does."""
    studio = Studio(with_tiny_set(shop))
    panel, visitor = panel_of(studio, shop), gr.Request(session_hash="a tab")
    seen, card = panel._board.seen, panel._board._card
    download = studio.models.get([shop.store().registry.get_file("one.safetensors")], "One")
    before = panel._look("tiny", False, "", visitor)[seen]
    look_at_files, newer = panel._what_is_here, dict[Any, Any]()

    def look_and_download(*asked: Any) -> dict[Any, Any]:
        found = look_at_files(*asked)
        studio.models.work()
        *_, end = studio.models.follow(download)
        assert isinstance(end, Finished), end
        monkeypatch.undo()
        newer.update(panel._look("tiny", False, before, visitor))
        return found

    monkeypatch.setattr(panel, "_what_is_here", look_and_download)
    shown = panel._ready("tiny", False, before, visitor)
    assert "All files are installed." in newer[card]
    assert "Waiting for another download" in shown[card]
    corrected = panel._look("tiny", False, shown[seen], visitor)
    assert studio.models.close(60)

    assert corrected[card] == newer[card]
    assert "To download: 6.0 MB of 9.0 MB" in corrected[panel._parts.plan]
    assert panel._look("tiny", False, corrected[seen], visitor) == {panel._parts.plan: gr.skip()}


def test_files_can_be_fetched_again_after_a_download_that_ends_as_soon_as_it_is_stopped(shop: Shop) -> None:
    studio = Studio(with_tiny_set(shop))
    panel, visitor = panel_of(studio, shop), gr.Request(session_hash="a tab")
    panel._owners.apart = False
    seen, get = panel._board.seen, panel._parts.get
    studio.models.get(list(shop.store().registry.files.values()), "It waits")
    shown = panel._look("tiny", False, "", visitor)
    assert not shown[get]["interactive"]

    stopped = panel._stop_download("tiny", False, shown[seen], visitor)

    assert "Stopped." in stopped[panel._board._card]
    assert stopped[get]["interactive"]
    assert panel._look("tiny", False, stopped[seen], visitor) == {panel._parts.plan: gr.skip()}


@pytest.mark.parametrize("seen", [None, 7, [], {}, "", " ", "no such download", "a b c d", "x" * 100_000])
def test_what_a_browser_only_claims_to_show_is_shown_anew(seen: Any, shop: Shop) -> None:
    studio = Studio(with_tiny_set(shop))
    panel, visitor = panel_of(studio, shop), gr.Request(session_hash="a tab")
    studio.models.get([shop.store().registry.get_file("one.safetensors")], "One")

    shown = panel._look("tiny", False, seen, visitor)

    assert "Waiting for another download" in shown[panel._board._card]
