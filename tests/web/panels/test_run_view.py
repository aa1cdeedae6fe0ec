"""A job as the status line shows it: the time left, and why it waits."""

import time
from dataclasses import replace

from ltx_studio.queue import LOCAL, Progress, Running
from ltx_studio.settings import Settings
from ltx_studio.studio import Estimate, Studio
from ltx_studio.text.phrases import WAITING
from ltx_studio.web import words
from ltx_studio.web.panels.run_view import DOUBT_SECONDS, RunView, TimeLeft
from tests.runners.quick import QuickRunner
from tests.support import small_spec


class Cluster(QuickRunner):
    """A runner with so many workers."""

    count = 0

    def lanes(self) -> int:
        return self.count

    def workers(self) -> list[None]:
        return []


def test_the_time_left_counts_down_while_the_estimate_wavers() -> None:
    left = TimeLeft()
    shown = [left.look(estimate, now) for now, estimate in enumerate((9, 10, 9, 4, 6, 5, 2))]

    assert shown == sorted(shown, reverse=True)
    assert shown[0] == 9
    assert shown[-1] == 1  # of 4 s at second 3


def test_the_time_left_grows_when_the_estimate_stays_longer() -> None:
    left = TimeLeft()
    assert left.look(5, 0) == 5
    assert left.look(60, 1) == 4

    assert left.look(60, 1 + DOUBT_SECONDS) == 60


def test_no_time_left_is_shown_before_the_run_has_begun(home: Settings) -> None:
    """While ComfyUI starts, which an estimate knows nothing of, and while a finished clip waits for the disk."""
    studio = Studio(home)
    studio.takes.estimate = lambda _spec: Estimate({"stage1": 9.0})  # type: ignore[method-assign, assignment]
    (job_id,) = studio.jobs.submit(LOCAL, [small_spec()])
    view, job = RunView(studio, small_spec()), studio.jobs.get(job_id, LOCAL)

    def shown(progress: Progress) -> str:
        return view.status(replace(job, state=Running(time.time(), progress)), 0)

    for reason in ("start", "disk"):
        assert WAITING[reason] in shown(Progress(WAITING[reason]))
        assert "left" not in shown(Progress(WAITING[reason]))
    assert "s left" in shown(Progress("Stage 1", 1, 8, 0, 1))


def test_a_job_says_that_it_waits_for_a_worker_as_long_as_there_is_none(home: Settings) -> None:
    runner = Cluster(home)
    studio = Studio(home, runner)
    (job_id,) = studio.jobs.submit(LOCAL, [small_spec()])
    view, job = RunView(studio, small_spec()), studio.jobs.get(job_id, LOCAL)

    assert words.WAITS_FOR_WORKER in view.status(job, 0)
    studio.jobs.pause(LOCAL)
    assert words.WAITS_PAUSED in view.status(job, 0)
    studio.jobs.resume(LOCAL)
    runner.count = 1
    assert words.NEXT in view.status(job, 0)
