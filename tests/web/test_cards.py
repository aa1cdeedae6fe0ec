import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import StudioError
from ltx_studio.graph import Phase
from ltx_studio.queue import Job, Progress, Queued, Running, State
from ltx_studio.text.phrases import WAITING
from ltx_studio.web import cards

HOSTILE = "<img src=x onerror=alert(1)>\"'`<b>`"


def test_whatever_comes_from_outside_is_escaped() -> None:
    error = StudioError(HOSTILE, HOSTILE, where=HOSTILE, details=HOSTILE)
    running = cards.run(job(Running(0.0, Progress(HOSTILE))), (Phase("a", HOSTILE, ()),), HOSTILE, 1.0)

    for html in (cards.error(error), cards.message(HOSTILE, HOSTILE), cards.header(HOSTILE, HOSTILE), running):
        assert "<img" not in html
        assert "<b>" not in html
        assert "&lt;img" in html


def test_commands_in_an_error_are_set_as_code() -> None:
    html = cards.error(StudioError("It is not there.", "Run `ltx-studio setup`."))

    assert "Run <code>ltx-studio setup</code>." in html


def test_an_error_says_what_to_do_on_the_page() -> None:
    error = StudioError("It may do anything.", "Allow it.", advice=Advice.to(Do.TRUST))

    assert "tick “I trust this workflow”" in cards.error(error)
    assert "--trust" not in cards.error(error)


def test_the_traceback_is_folded() -> None:
    html = cards.error(StudioError("It broke.", "Mend it.", details="Traceback of it"))

    assert "<details>" in html
    assert html.index("<details>") < html.index("Traceback of it")


def job(state: State) -> Job:
    return Job("id", "ada", "t2v", {}, 100.0, state)


STAGES = Phase("load", "Load", ()), Phase("stage1", "Stage 1", ())


def test_a_running_job_shows_its_stage_step_and_time() -> None:
    html = cards.run(job(Running(110.0, Progress("Stage 1", 2, 8, 1, 2))), STAGES, "128×128", 113.0)

    assert "Stage 1: step 2 of 8" in html
    assert '<li class="done">Load</li><li class="now">Stage 1</li>' in html
    assert 'value="0.625"' in html
    assert "3 s" in html


def test_a_run_that_has_lost_its_worker_says_so() -> None:
    html = cards.run(job(Running(110.0, Progress(WAITING["lost"]))), STAGES, "128×128", 113.0)

    assert "A worker was lost. Trying again on another one" in html


@pytest.mark.parametrize(("ahead", "told"), [(0, "next in line"), (3, "3 ahead")])
def test_a_job_that_waits_shows_how_many_come_before_it(ahead: int, told: str) -> None:
    html = cards.run(job(Queued(ahead)), STAGES, "128×128", 105.0)

    assert told in html
    assert "5 s" in html
    assert 'class="now"' not in html


def test_a_run_that_waits_for_space_leads_to_where_clips_are_deleted() -> None:
    waits = cards.run(job(Running(110.0, Progress(WAITING["disk"]))), STAGES, "128×128", 113.0)
    runs = cards.run(job(Running(110.0, Progress("Stage 1", 2, 8, 2, 7))), STAGES, "128×128", 113.0)

    assert 'data-act="room"' in waits
    assert 'data-act="room"' not in runs
