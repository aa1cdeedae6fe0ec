"""Set-up in the background, while the page is open."""

import io
import sys
import threading
import time
from pathlib import Path

import pytest

from ltx_studio.errors import SetupError, StudioError
from ltx_studio.queue import LOCAL, Done, Queued
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.studio.background_set_up import BackgroundSetUp
from ltx_studio.studio.set_up import is_set_up
from tests.runners.quick import QuickRunner
from tests.support import small_spec

MISSING = SetupError("ComfyUI 0.30.0 is not installed.", "Run the set-up to install it.")


class Unready(QuickRunner):
    """A runner that needs a file, as the real one needs ComfyUI."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.needed = settings.home / "comfyui"

    def problem(self) -> StudioError | None:
        return None if self.needed.exists() else MISSING


def run_of(script: str, ended: threading.Event) -> BackgroundSetUp:
    return BackgroundSetUp(ended.set, (sys.executable, "-c", script))


def test_jobs_wait_for_the_set_up_and_then_run(home: Settings, tmp_path: Path) -> None:
    runner, goes_on = Unready(home), tmp_path / "goes-on"
    script = f"""
import pathlib, time
print("  Downloading ComfyUI", flush=True)
while not pathlib.Path({str(goes_on)!r}).exists():
    time.sleep(0.01)
pathlib.Path({str(runner.needed)!r}).touch()
"""
    studio, ended = Studio(home, runner, works=True), threading.Event()

    def done() -> None:
        studio.start()
        ended.set()

    set_up = BackgroundSetUp(done, (sys.executable, "-c", script))
    studio.set_up(set_up)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    while not set_up.step:
        time.sleep(0.01)

    problem = studio.problem()
    assert problem is not None
    assert problem.message == "The studio is being set up: Downloading ComfyUI."
    assert not studio.is_broken()
    assert isinstance(studio.jobs.get(job, LOCAL).state, Queued)

    goes_on.touch()
    assert ended.wait(60)
    *_, last = studio.jobs.follow(job, LOCAL)
    assert isinstance(last.state, Done)
    assert studio.problem() is None
    assert studio.close()


def test_a_request_that_carries_its_job_out_waits_for_the_set_up(home: Settings, tmp_path: Path) -> None:
    runner, goes_on = Unready(home), tmp_path / "goes-on"
    script = f"""
import pathlib, time
while not pathlib.Path({str(goes_on)!r}).exists():
    time.sleep(0.01)
pathlib.Path({str(runner.needed)!r}).touch()
"""
    studio = Studio(home, runner, works=True, in_request=True)
    studio.set_up(run_of(script, threading.Event()))
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    following = studio.follow(job, LOCAL)

    assert isinstance(next(following).state, Queued)
    assert isinstance(next(following).state, Queued)
    goes_on.touch()
    *_, last = following

    assert isinstance(last.state, Done)
    assert studio.close()


@pytest.mark.parametrize(
    ("script", "message", "hint"),
    [
        (
            "import sys; sys.exit('Error: The disk is full.\\nFree some space.')",
            "The set-up failed: The disk is full.",
            "Free some space.",
        ),
        ("import os; print('half way', flush=True); os._exit(3)", "The set-up failed: half way", "Restart the studio."),
        ("import os; os._exit(3)", "The set-up failed: exit code 3", "Restart the studio."),
    ],
    ids=["error", "last line", "nothing"],
)
def test_a_failed_set_up_says_why(home: Settings, script: str, message: str, hint: str) -> None:
    studio, ended = Studio(home, Unready(home)), threading.Event()
    studio.set_up(run_of(script, ended))
    assert ended.wait(60)

    problem = studio.problem()

    assert problem is not None
    assert (problem.message, problem.hint) == (message, hint)
    assert studio.is_broken()
    assert studio.close()


def test_an_error_of_the_set_up_stays_after_comfyui_is_there(home: Settings) -> None:
    """For example, the disk was full when the pocket model was to be stored."""
    runner, ended = Unready(home), threading.Event()
    studio = Studio(home, runner)
    touch = f"import pathlib, sys; pathlib.Path({str(runner.needed)!r}).touch(); "
    studio.set_up(run_of(touch + "sys.exit('Error: The disk is full.\\nFree some space.')", ended))
    assert ended.wait(60)

    problem = studio.problem()

    assert problem is not None
    assert problem.message == "The set-up failed: The disk is full."
    assert studio.close()


def test_a_home_without_comfyui_is_not_set_up(home: Settings) -> None:
    assert not is_set_up(home)


def test_a_home_is_set_up_when_nothing_is_missing(set_up: Settings) -> None:
    assert is_set_up(set_up)


def test_a_closed_studio_begins_nothing_when_its_set_up_ends(home: Settings) -> None:
    runner = Unready(home)
    studio = Studio(home, runner, works=True)
    studio.set_up(BackgroundSetUp(studio.start, (sys.executable, "-c", "import time; time.sleep(300)")))
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    runner.needed.touch()

    assert studio.close()

    time.sleep(0.5)
    assert isinstance(studio.jobs.get(job, LOCAL).state, Queued)


def test_a_terminal_that_is_gone_does_not_stop_the_set_up(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, ended, terminal = Studio(home, Unready(home)), threading.Event(), io.StringIO()
    terminal.close()
    monkeypatch.setattr("sys.stdout", terminal)

    studio.set_up(run_of("print('one step')", ended))

    assert ended.wait(60)
    assert studio.close()


def test_closing_the_studio_ends_the_set_up(home: Settings) -> None:
    studio, ended = Studio(home, Unready(home)), threading.Event()
    studio.set_up(run_of("import time; time.sleep(300)", ended))

    assert studio.close()

    assert ended.wait(60)
