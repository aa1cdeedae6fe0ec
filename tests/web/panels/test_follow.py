"""What a tab is told of its jobs and takes, by the handlers themselves."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ltx_studio.errors import ExecutionError, Remedy
from ltx_studio.modes import MODES, TUNING
from ltx_studio.queue import LOCAL, Cancelled, Progress
from ltx_studio.settings import Settings
from ltx_studio.studio import Done, Job, Studio
from ltx_studio.takes.records import TakeRecord
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels.gallery import Gallery
from ltx_studio.web.panels.run import SHOWN_AGAIN, RunPanel
from ltx_studio.web.panels.screen import Screen, Updates
from ltx_studio.web.panels.take import TakePanel
from tests.runners.quick import QuickRunner
from tests.support import MODEL_SETS, queue_of, small_spec
from tests.web.pace import paced

FULL = ExecutionError("The memory is full.", "Make it smaller.", remedies=[Remedy.RETRY])
TAB: Any = SimpleNamespace(session_hash="tab", cookies={})


HOME = Owners()
HOME.apart = False


class Panels:
    """The panels of a page at home."""

    def __init__(self, studio: Studio) -> None:
        owners, self.studio = HOME, studio
        with gr.Blocks():
            self.screen = Screen(MODES, MODEL_SETS["pocket"])
            self.take = TakePanel(studio, owners, self.screen, MODEL_SETS["pocket"])
            self.run = RunPanel(studio, owners, self.screen, self.take)
            self.screen.build_toast()
            for each in (self.screen, self.take, self.run):
                each.build()

    def make(self, **changes: Any) -> TakeRecord:
        (job,) = self.studio.jobs.submit(LOCAL, [small_spec(**changes)])
        *_, ended = self.studio.jobs.follow(job, LOCAL)
        assert isinstance(ended.state, Done)
        return self.studio.takes.get(ended.state.take, LOCAL)

    def shown(self, updates: Iterator[Updates]) -> Updates:
        """Return the last update of each component."""
        shown: Updates = {}
        for each in paced(updates):
            shown |= each
        return shown


def opened(home: Settings, seconds: float) -> Iterator[Panels]:
    studio = Studio(home, QuickRunner(home, seconds), works=True)
    yield Panels(studio)
    studio.close()


@pytest.fixture
def panels(home: Settings) -> Iterator[Panels]:
    """With a runner that makes a small clip at once."""
    yield from opened(home, 0.1)


@pytest.fixture
def slow(home: Settings) -> Iterator[Panels]:
    """With a runner that takes long enough to be seen."""
    yield from opened(home, 0.8)


@pytest.fixture
def still(home: Settings) -> Panels:
    """Where nothing runs."""
    return Panels(Studio(home))


def fail(studio: Studio) -> str:
    (job,) = studio.jobs.submit(LOCAL, [small_spec(prompt="it fails")])
    queue_of(studio).claim(only=[job])
    queue_of(studio).fail(job, FULL)
    return job


def test_a_job_becomes_a_clip_on_the_screen_and_the_next_one_goes_on_beside_it(slow: Panels) -> None:
    """Status, screen and actions speak of the same take, and the job that goes on is one line."""
    screen, take = slow.screen, slow.take
    specs = [small_spec(prompt="one"), small_spec(prompt="two", seed=8)]
    told = list(paced(slow.run.hand_in(specs, TAB)))
    first = next(each for each in told if each.get(take.take))
    beside = next(each for each in told if "two" in str(each.get(screen.going)))
    last = slow.shown(iter(told))

    assert "<video" in first[screen.view]
    assert "seed 7" in first[screen.status]
    assert "one" in first[take.about]
    assert beside.get(take.take, first[take.take]) == first[take.take]
    assert "seed 8" in last[screen.status]
    assert "two" in last[take.about]
    assert last[screen.going] == ""
    assert last[screen.stop]["visible"] is False


def test_after_a_stop_the_clips_that_follow_can_be_cancelled(still: Panels) -> None:
    studio, run = still.studio, still.run
    jobs = studio.jobs.submit(LOCAL, [small_spec(prompt=each) for each in ("one", "two", "three")])
    queue_of(studio).claim(only=[jobs[0]])
    following = run.watch(jobs, TAB)
    next(following)
    queue_of(studio).drop(jobs[0])

    told = next(shown[run.told] for shown in following if run.told in shown)

    assert words.OTHERS_CONTINUE in told
    assert words.CANCEL_REST in told
    next(following)
    assert run._stopping.cancel_rest(TAB)[run.told] == ""
    shown = still.shown(following)
    assert words.STOPPED in shown[still.screen.status]
    assert run.told not in shown, "nothing continues"
    assert {type(studio.jobs.get(job, LOCAL).state) for job in jobs} == {Cancelled}


def test_a_visitor_who_comes_back_sees_the_last_result(panels: Panels) -> None:
    panels.make(prompt="the older one")
    newest = panels.make(prompt="the newest one")

    shown = panels.shown(panels.run._resume(TAB))

    assert panels.run._returns(TAB)
    assert shown[panels.take.take] == newest.id
    assert words.MADE.format(seconds=newest.measured["seconds"]) in shown[panels.screen.status]
    assert panels.run._failure not in shown


def test_a_visitor_who_comes_back_sees_the_last_failure_for_some_hours(
    still: Panels, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = fail(still.studio)

    shown = still.shown(still.run._resume(TAB))

    assert "The memory is full." in shown[still.run._failure]
    assert shown[still.run.failed] == job
    now = time.time()
    monkeypatch.setattr("ltx_studio.web.panels.run.time.time", lambda: now + SHOWN_AGAIN + 60)
    assert still.run._failure not in still.shown(still.run._resume(TAB))


def test_a_failure_is_not_shown_again_when_something_was_submitted_since(still: Panels) -> None:
    fail(still.studio)
    still.studio.jobs.submit(LOCAL, [small_spec()])
    tab = still.run._tabs.of(TAB)

    assert still.run._failure not in still.run._last_failure(LOCAL, tab)


def test_a_new_visitor_causes_no_event(still: Panels) -> None:
    assert still.run._returns(TAB) == gr.skip()


def test_a_stop_that_cannot_be_written_is_a_card(still: Panels, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a job that runs in another process; one that runs here stops, see `test_worker`."""
    (job,) = still.studio.jobs.submit(LOCAL, [small_spec()])
    queue_of(still.studio).claim(only=[job])
    queue_of(still.studio).report(job, Progress("Stage 1", 1, 8, 0, 1))
    following = still.run.watch([job], TAB)
    next(following)
    database = still.studio._database
    monkeypatch.setattr(type(database), "write", full)

    shown = still.run._stopping.stop(TAB)

    assert "The disk is full" in shown[still.run.told]
    following.close()  # type: ignore[attr-defined]


def full(database: Any) -> Any:
    from ltx_studio.queue.damage import translated

    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    with translated(database._path):
        raise error


def test_what_nobody_foresaw_while_a_job_is_followed_is_a_card(still: Panels, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = still.studio.jobs.submit(LOCAL, [small_spec()])

    def broken(*_: object, **__: object) -> Iterator[Job]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(still.studio, "follow", broken)

    shown = still.shown(still.run.follow([job], TAB))

    assert 'role="alert"' in shown[still.run.told]
    assert "The disk is full" in shown[still.run.told]
    assert shown[still.screen.stop]["visible"] is False
    assert still.run.followed("tab") is None


def test_quality_is_offered_once(panels: Panels) -> None:
    fast, quality = panels.make(sampler="dpmpp_2m"), panels.make(preset="quality")

    assert 'id="take-quality"' in panels.take.shown(fast)[panels.take.about]
    assert 'id="take-quality"' not in panels.take.shown(quality)[panels.take.about]
    better = panels.take.in_quality(fast)
    assert better is not None
    own = {name: value for name, value in fast.recipe["params"].items() if name not in TUNING}
    assert better.recipe == {**fast.recipe, "preset": "quality", "params": own}, "with its own sampler"


def test_a_clip_that_is_higher_than_wide_gets_a_higher_screen(panels: Panels) -> None:
    take = panels.make(prompt='a "tall" <b>one</b>')

    for width, height, is_tall in ((64, 128, True), (128, 64, False)):
        sized = replace(take, measured={**take.measured, "width": width, "height": height})
        shown = panels.take.shown(sized)
        assert ('class=" tall"' in shown[panels.screen.view]) is is_tall
        assert "<b>" not in shown[panels.screen.view]


def test_each_clip_that_is_ready_while_another_one_is_looked_at_is_told(slow: Panels) -> None:
    panels = slow
    seen = panels.make()
    jobs = panels.studio.jobs.submit(LOCAL, [small_spec(seed=seed) for seed in (8, 9)])
    told: list[str] = []
    for each in paced(panels.run.follow(jobs, TAB)):
        if not told:
            panels.run.open_take(seen.id, TAB)
        told.append(str(each.get(panels.screen.going, "")))

    first, last = (take.id for take in reversed(panels.studio.takes.page(LOCAL, limit=2).takes))
    beside = [line for line in told if words.SHOW_RUN in line and first in line]
    assert beside, "while the second is made, the first can be opened"
    assert all(words.SHOW_READY in line and words.IS_READY in line for line in beside)
    assert last in told[-1]


@pytest.mark.parametrize(("display", "said"), [("", words.LIES_AT), (":0", words.OPENED)])
def test_a_folder_is_shown_where_there_is_a_desktop_and_else_named(
    panels: Panels, monkeypatch: pytest.MonkeyPatch, display: str, said: str
) -> None:
    take, opened = panels.make(), list[list[str]]()
    path = panels.studio.takes.path(take)
    monkeypatch.setattr("ltx_studio.web.panels.take.sys.platform", "linux")
    monkeypatch.setattr("ltx_studio.web.panels.take.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("ltx_studio.web.panels.take.subprocess.Popen", lambda command, **_: opened.append(command))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    shown = str(panels.take._reveal(take.id, TAB))

    assert said.format(path=path.parent if display else path) in shown
    assert opened == ([["/usr/bin/xdg-open", str(path.parent)]] if display else [])


def test_others_of_a_batch_are_deleted_and_put_back_together(panels: Panels) -> None:
    first, second, kept = (panels.make(seed=seed).id for seed in (7, 8, 9))
    takes = panels.studio.takes
    takes.set_favourite(kept, LOCAL)
    panels.run.open_take(first, TAB)
    gallery = Gallery(panels.studio, HOME)
    event: Any = SimpleNamespace(_data={"takes": [first, second, kept, "unknown"]})

    dropped, shown = gallery._drop((0, ()), "", "", False, 24, TAB, event)
    told = panels.take.deleted_now(dropped[1])[panels.screen.toast]

    assert dropped == (1, (first, second)), "a favourite stays, whatever the browser says"
    assert [take.id for take in takes.page(LOCAL).takes] == [kept]
    assert first not in shown
    assert "Deleted: 2." in told
    event = SimpleNamespace(_data={"takes": f"{first} {second}"})
    assert panels.take.take not in panels.run._undo(1, TAB, event), "the screen stays as it is"
    assert len(takes.page(LOCAL).takes) == 3


def test_delete_is_undone_and_gone_for_good_later(panels: Panels) -> None:
    take = panels.make()
    panels.run.open_take(take.id, TAB)

    gone = panels.take._delete(take.id, 0, TAB)

    assert "Deleted." in gone[panels.screen.toast]
    assert gone[panels.take.take] == ""
    assert panels.studio.takes.page(LOCAL).takes == ()
    other = panels.make(seed=8)
    for shown in (panels.run.open_take(other.id, TAB), *panels.run.follow([], TAB)):
        assert panels.screen.toast not in shown, "it stays for its time, whatever is done meanwhile"
    event: Any = SimpleNamespace(_data={"takes": take.id})
    back = panels.run._undo(1, TAB, event)
    assert back[panels.take.take] == take.id
    assert panels.run._undo(2, TAB, event)[panels.take.take] == take.id, "a second click changes nothing"
    panels.studio.takes.delete(take.id, LOCAL)
    assert "permanently" in panels.run._undo(3, TAB, event)[panels.run.told]
