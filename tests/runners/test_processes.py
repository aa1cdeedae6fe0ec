"""Real processes on one database: nothing is lost when they write at once, or when one is killed."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltx_studio.queue import LOCAL, Database, Done, Running
from ltx_studio.queue.queue import Queue
from ltx_studio.queue.states import Cancelled, Queued
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.integrity import IntegrityCheck
from tests.support import ROOT, environment, home_apart, run_studio, small_spec

SPEC = ("t2v", {"prompt": "a red ball"})
EACH = 60


SUBMIT_AND_MOVE = f"""
for number in range({EACH}):
    (job,) = queue.submit("ada", [{SPEC}])
    if number % 3 == 0:
        try:
            queue.move(job, "ada", 0)
        except RequestError as error:
            assert "is cancelled" in str(error), error  # by the process that cancels, since it was submitted
"""
CANCEL_EVERY_OTHER = f"""
done = set()
while len(done) < {EACH}:
    for job in queue.of("ada"):
        if job.state.name == "queued" and job.id not in done and len(done) < {EACH}:
            queue.cancel(job.id, "ada")
            done.add(job.id)
"""
WITH_A_QUEUE = """
import sys, pathlib
from ltx_studio.errors import RequestError
from ltx_studio.queue.database import Database
from ltx_studio.queue.queue import Queue
queue = Queue(Database(pathlib.Path(sys.argv[1])))
"""


def test_processes_that_submit_move_cancel_and_watch_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "studio.db"
    queue = Queue(Database(file))
    processes = [
        subprocess.Popen([sys.executable, "-c", WITH_A_QUEUE + work, str(file)], stderr=subprocess.PIPE)
        for work in (SUBMIT_AND_MOVE, SUBMIT_AND_MOVE, CANCEL_EVERY_OTHER)
    ]

    watched = 0
    while any(process.poll() is None for process in processes):
        watched = len(queue.of("ada"))
        time.sleep(0.01)

    assert [process.communicate()[1] for process in processes] == [b"", b"", b""]
    assert [process.returncode for process in processes] == [0, 0, 0]
    jobs = queue.of("ada")
    assert len({job.id for job in jobs}) == len(jobs) == 2 * EACH >= watched
    assert sum(isinstance(job.state, Cancelled) for job in jobs) == EACH
    line = [job.state.ahead for job in jobs if isinstance(job.state, Queued)]
    assert line == list(range(EACH))
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def apart(set_up: Settings, tmp_path: Path) -> Settings:
    """A home of its own, set up."""
    return home_apart(set_up, tmp_path / "home")


WITH_A_QUICK_ENGINE = """
from ltx_studio.runners import local
from tests.runners.quick import QuickEngine
local.Engine = QuickEngine
"""
RUN = "from ltx_studio.cli import main; main()"
RUN_AND_KILL = "from bench.faults.trap import main; main()"
ENGINES = ["quick", pytest.param("real", marks=pytest.mark.thorough)]


def command(engine: str, run: str, *arguments: str) -> list[str]:
    """A process that runs jobs: with ComfyUI, or with a stand-in that makes small clips."""
    return [sys.executable, "-c", (WITH_A_QUICK_ENGINE if engine == "quick" else "") + run, *arguments]


@pytest.mark.parametrize("engine_of", ENGINES)
def test_after_a_kill_in_the_second_of_five_jobs_all_five_end_done_and_none_is_doubled(
    apart: Settings, engine_of: str
) -> None:
    studio = Studio(apart)
    jobs = studio.jobs.submit(LOCAL, [small_spec(seed=seed, seconds=2) for seed in range(5)])
    run_jobs = command(engine_of, RUN, "jobs", "run")
    env = environment(apart)
    with subprocess.Popen(run_jobs, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while not (isinstance(state := studio.jobs.get(jobs[1], LOCAL).state, Running) and state.progress.step > 2):
            assert run.poll() is None, "all was done before it could be killed"
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
    (first,) = studio.takes.page(LOCAL).takes
    before = studio.takes.path(first).stat()

    ended = subprocess.run(run_jobs, env=env, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)

    assert ended.returncode == 0, ended.stderr
    assert all(isinstance(studio.jobs.get(job, LOCAL).state, Done) for job in jobs)
    takes = studio.takes.page(LOCAL).takes
    assert sorted(take.job for take in takes) == sorted(jobs)
    assert [take.recipe["params"]["seed"] for take in takes] == [4, 3, 2, 1, 0]
    after = studio.takes.path(first).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len([path for path in apart.outputs_dir.rglob("*") if path.is_file()]) == 5
    seen = IntegrityCheck(apart).look()
    assert not seen.found, seen


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_clip_is_found_in_staging_when_the_studio_is_killed_there(apart: Settings, when: str) -> None:
    studio = Studio(apart)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    place = ("ltx_studio.engine.run_folders:RunFolder.finish", when, "1")
    killing, running = (
        command("quick", RUN_AND_KILL, "kill", *place, "--", "jobs", "run"),
        command("quick", RUN, "jobs", "run"),
    )
    env = environment(apart)
    killed = subprocess.run(killing, cwd=ROOT, env=env, capture_output=True, timeout=200, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert isinstance(studio.jobs.get(job, LOCAL).state, Running)
    assert list(apart.outputs_dir.rglob("*.*")) == []

    ended = subprocess.run(running, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200, check=False)

    assert ended.returncode == 0, ended.stderr
    (take,) = studio.takes.page(LOCAL).takes
    assert (take.measured["seconds"] == 0) == (when == "after"), "what is whole is not rendered again"
    assert list(apart.staging_dir.iterdir()) == []
    assert list(apart.outputs_dir.rglob("*.*")) == [studio.takes.path(take)]


def test_a_job_that_was_lost_twice_fails_with_the_reason(apart: Settings) -> None:
    queue = Queue(Database(apart.database_file))
    (job,) = queue.submit(LOCAL, [SPEC])
    for _ in range(2):
        queue.claim()
        queue.recover()

    shown = run_studio(apart, "jobs", "show", job, "--json")

    assert json.loads(shown.stdout)["state"] == "failed"
    assert "twice" in json.loads(shown.stdout)["error"]["message"]
