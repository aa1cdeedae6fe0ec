"""Run by `test_real.py` in a process of its own, with Ray on its path: real actors with runners that render nothing."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from ltx_studio.engine import run_folders
from ltx_studio.errors import SetupError
from ltx_studio.queue import LOCAL, Cancelled, Done, Failed, Queued, Running
from ltx_studio.runners.ray import membership
from ltx_studio.runners.ray.cluster import RayCluster
from ltx_studio.runners.ray.membership import Membership
from ltx_studio.runners.ray.runner import RayRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.text.phrases import WAITING
from tests.runners.quick import QuickRunner, clip, picture
from tests.support import small_spec, staged_in

OWNERS = ["ada", "bea", "cyd"]

ALONE = "127.0.0.2"
"""Loopback, by an address for which Ray does not put that of a network card."""


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@contextmanager
def serving(
    settings: Settings, seconds: float, *, workers: int | None = None, address: str | None = None
) -> Iterator[Studio]:
    runner = RayRunner(
        settings,
        RayCluster(
            settings, workers=workers, address=address, make_runner=partial(QuickRunner, seconds=seconds, shows=True)
        ),
    )
    runner.open()
    studio = Studio(settings, runner)
    studio.work()
    try:
        yield studio
    finally:
        assert studio.close(60)


def ready(studio: Studio, count: int) -> None:
    until(lambda: sum(not each.problem for each in studio.workers()) == count)


def members(studio: Studio) -> Membership:
    runner = studio._runner
    assert isinstance(runner, RayRunner)
    return runner._membership


def pid_of(studio: Studio, name: str) -> int:
    (member,) = [each for each in members(studio).roster.members() if each.name == name]
    return int(member.link.ask("describe", timeout=30)["pid"])


def all_done(studio: Studio, jobs: Mapping[str, str]) -> bool:
    return all(isinstance(studio.jobs.get(job, owner).state, Done) for job, owner in jobs.items())


def takes_of(studio: Studio, *owners: str) -> list[str]:
    return sorted(str(take.job) for owner in owners for take in studio.takes.page(owner, limit=1000).takes)


def test_two_hundred_jobs_none_lost_none_doubled_and_three_owners_take_turns(home: Settings) -> None:
    waiting = Studio(home)
    counts = (67, 67, 66)
    jobs = {
        job: owner
        for owner, count in zip(OWNERS, counts, strict=True)
        for job in waiting.jobs.submit(owner, [small_spec(seed=seed) for seed in range(count)])
    }
    began = time.monotonic()
    with serving(home, 0.05, workers=2) as studio:
        until(lambda: all_done(studio, jobs), 240)
        print(f"200 jobs took {time.monotonic() - began:.1f} s, with the start of Ray")

        assert takes_of(studio, *OWNERS) == sorted(jobs)
        ended = [studio.jobs.get(job, owner) for job, owner in jobs.items()]
        started = sorted((job.state.started, job.owner) for job in ended if isinstance(job.state, Done))
        for most in range(len(started) - 3):
            turns = [sum(owner == each for _, owner in started[:most]) for each in OWNERS]
            assert max(turns) - min(turns) <= 1, most
    assert len(list(home.outputs_dir.rglob("*.mp4"))) == 200
    assert staged_in(home) == set()


def test_a_job_whose_actor_is_killed_ends_done_on_the_other_one_and_says_so(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "EARLY_SECONDS", 0.0)
    with serving(home, 3.0, workers=2) as studio:
        ready(studio, 2)
        (job,) = studio.jobs.submit(LOCAL, [small_spec()])
        until(lambda: _step(studio, job) >= 1)
        until(lambda: picture(2) in studio.jobs.preview(job), 2)
        (name,) = [each.name for each in studio.workers() if each.job]
        os.kill(pid_of(studio, name), signal.SIGKILL)
        states = [each.state for each in studio.jobs.follow(job, LOCAL)]
        phases = {state.progress.phase for state in states if isinstance(state, Running)}

        assert isinstance(states[-1], Done), states[-1]
        assert WAITING["lost"] in phases
        (take,) = studio.takes.page(LOCAL).takes
        assert "lost" in take.note
        assert staged_in(home) == set()
        ready(studio, 2)  # another one is hired


def _step(studio: Studio, job: str) -> int:
    state = studio.jobs.get(job, LOCAL).state
    return state.progress.step if isinstance(state, Running) else 0


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind((ALONE, 0))
        return int(opened.getsockname()[1])


@contextmanager
def node(home: Path, *options: str) -> Iterator[None]:
    """A machine of a cluster: its own processes of Ray, and a studio's home of its own."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
    command += [f"--node-ip-address={ALONE}", "--num-cpus=1", "--num-gpus=0", "--object-store-memory=100000000"]
    environment = os.environ | {"LTX_STUDIO_HOME": str(home), "HF_HUB_CACHE": str(home / "hub")}
    environment.pop("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", None)  # set by a studio with workers on one machine
    log = home.with_suffix(".log").open("w")
    with subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=log) as started:
        try:
            yield
        finally:
            root = psutil.Process(started.pid)
            for process in [root, *root.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@pytest.fixture
def cluster(home: Settings) -> Iterator[str]:
    """The address of a cluster whose first machine is the studio's, with room for one worker."""
    home.home.mkdir(parents=True)
    port = free_port()
    with node(home.home, "--head", f"--port={port}", "--include-dashboard=false", '--resources={"ltx_slot": 1}'):
        until(lambda: _answers(port))
        yield f"{ALONE}:{port}"


def _answers(port: int) -> bool:
    with socket.socket() as opened:
        return opened.connect_ex((ALONE, port)) == 0


def test_a_second_machine_without_a_shared_folder_joins_late_and_delivers(
    home: Settings, cluster: str, tmp_path: Path, samples: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    with serving(home, 1.0, address=cluster) as studio:
        ready(studio, 1)
        (here,) = [each.name for each in studio.workers()]
        specs = [small_spec("i2v", image=samples["image"], seed=seed) for seed in range(200)]
        jobs = dict.fromkeys(studio.jobs.submit(LOCAL, specs), LOCAL)
        until(lambda: any(isinstance(studio.jobs.get(job, LOCAL).state, Done) for job in jobs))
        with node(other, f"--address={cluster}", '--resources={"ltx_slot": 1}'):
            ready(studio, 2)
            until(lambda: any(each.job and each.name != here for each in studio.workers()))
            for job in [job for job in jobs if isinstance(studio.jobs.get(job, LOCAL).state, Queued)][4:]:
                if isinstance(studio.jobs.cancel(job, LOCAL).state, Cancelled):
                    del jobs[job]
            until(lambda: all_done(studio, jobs))

            assert takes_of(studio, LOCAL) == sorted(jobs)
            apart = [each for each in members(studio).roster.members() if not each.shares_home]
            assert len(apart) == 1
            assert list((other / "temp" / "received").iterdir()), "it got the picture"
            assert list((other / "staging").iterdir()) == [], "what it delivered is removed"
            jobs |= dict.fromkeys(fetched_after_a_full_disk(studio, home, monkeypatch), LOCAL)
            assert list((other / "staging").iterdir()) == [], "what was fetched is removed"
    made = list(home.outputs_dir.rglob("*.mp4"))
    assert len(made) == len(jobs)
    assert all(path.stat().st_size > len(clip()) / 2 for path in made)


def fetched_after_a_full_disk(studio: Studio, home: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have two jobs run, of which one is on the other machine and cannot be stored at first; return them when done."""
    create = run_folders.create

    def full(staging_dir: Path, run_id: str) -> run_folders.RunFolder:
        if staging_dir == home.staging_dir:  # in this process: a worker that shares the home has its own
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return create(staging_dir, run_id)

    monkeypatch.setattr(run_folders, "create", full)
    jobs = studio.jobs.submit(LOCAL, [small_spec(seed=seed) for seed in (1001, 1002)])
    until(lambda: all(isinstance(studio.jobs.get(job, LOCAL).state, Done | Failed) for job in jobs))
    (failed,) = [job for job in jobs if isinstance(studio.jobs.get(job, LOCAL).state, Failed)]
    monkeypatch.setattr(run_folders, "create", create)
    until(lambda: members(studio).roster.keepers(failed))
    studio.jobs.retry(failed, LOCAL)
    until(lambda: all_done(studio, dict.fromkeys(jobs, LOCAL)))
    (take,) = [each for each in studio.takes.page(LOCAL, limit=1000).takes if each.job == failed]
    assert take.measured["seconds"] == 0.0, "it was fetched, not rendered again"
    return jobs


HEAD = """
import json, sys, time
from pathlib import Path
from ltx_studio.settings import Settings
from tests.runners.ray.real import serving
home = Settings(home=Path(sys.argv[1]), hub_cache=Path(sys.argv[2]))
with serving(home, 1.0, address=sys.argv[3]) as studio:
    while True:
        time.sleep(1)
"""


def test_after_the_head_was_killed_no_job_is_lost_or_doubled(home: Settings, cluster: str, tmp_path: Path) -> None:
    other = tmp_path / "other"  # the home of a second machine, which shares no folder
    with node(other, f"--address={cluster}", '--resources={"ltx_slot": 1}'):
        _kill_the_head_and_go_on(home, cluster)
        assert list((other / "staging").iterdir()) == [], "it keeps nothing that the studio has"
    assert staged_in(home) == set()


def _kill_the_head_and_go_on(home: Settings, cluster: str) -> None:
    waiting = Studio(home)
    jobs = dict.fromkeys(waiting.jobs.submit(LOCAL, [small_spec(seed=seed) for seed in range(10)]), LOCAL)
    command = [sys.executable, "-c", HEAD, str(home.home), str(home.hub_cache), cluster]
    with subprocess.Popen(command) as head:
        until(lambda: any(isinstance(waiting.jobs.get(job, LOCAL).state, Done) for job in jobs))
        until(lambda: sum(isinstance(waiting.jobs.get(job, LOCAL).state, Running) for job in jobs) == 2)
        time.sleep(0.5)
        head.kill()
    with serving(home, 0.2, address=cluster) as studio:
        until(lambda: all_done(studio, jobs))
        assert takes_of(studio, LOCAL) == sorted(jobs)
        time.sleep(2)  # what an actor of the killed head may still have been doing
    assert len(list(home.outputs_dir.rglob("*.mp4"))) == len(jobs)


def test_a_cluster_that_is_not_there_is_an_error_with_a_remedy(home: Settings) -> None:
    with pytest.raises(SetupError, match="cannot be used") as caught:
        RayRunner(home, RayCluster(home, address=f"{ALONE}:{free_port()}")).open()
    assert "auth_token" in caught.value.hint
