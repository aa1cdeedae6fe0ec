"""`ltx-studio workers`, and the workers in `doctor`."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from ltx_studio.cli.workers import NO_CLUSTER, show_workers
from ltx_studio.errors import RequestError, SetupError
from ltx_studio.runners.cluster_state import WorkerState, forget_states, read_states, write_states
from ltx_studio.settings import Settings
from ltx_studio.studio.cluster import open_studio
from ltx_studio.studio.health import examine

GIB = 1 << 30


def written(home: Settings) -> None:
    ready = WorkerState("one/1", "cuda:0", 20 * GIB, 80 * GIB, "abc123", "fp8", time.time() - 3)
    write_states(home, [ready, WorkerState("two/1", problem="It has no ComfyUI.", heard=time.time())])


def test_each_worker_has_a_line(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    written(home)
    show_workers(home, as_json=False)
    one, two = capsys.readouterr().out.splitlines()

    assert one == "one/1 · cuda:0, 20 of 80 GB in use · job abc123 · fp8 loaded · last seen 3 s ago"
    assert two == "two/1 · It has no ComfyUI. · last seen 0 s ago"


def test_scripts_get_json(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    written(home)
    show_workers(home, as_json=True)
    one, two = json.loads(capsys.readouterr().out)

    assert (one["name"], one["job"], one["model_set"]) == ("one/1", "abc123", "fp8")
    assert two["problem"] == "It has no ComfyUI."


def test_without_a_cluster_it_says_how_to_have_one(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    written(home)
    forget_states(home)
    show_workers(home, as_json=False)

    assert capsys.readouterr().out.strip() == NO_CLUSTER


def test_what_a_killed_studio_has_left_is_not_shown(home: Settings) -> None:
    written(home)
    os.utime(home.workers_dir / "cluster.json", (0, 0))

    assert read_states(home) == ()


def test_doctor_names_workers_that_get_no_jobs(home: Settings) -> None:
    written(home)
    found = [(each.good, each.found) for each in examine(home) if each.name == "Worker"]

    assert found == [(True, "one/1: cuda:0, fp8, abc123"), (False, "two/1: It has no ComfyUI.")]


def test_two_ways_to_say_where_jobs_run_are_refused(home: Settings) -> None:
    with pytest.raises(RequestError, match="not both"):
        open_studio(home, workers=2, address="host:1")


def test_without_ray_the_error_says_how_to_install_it(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SetupError, match="not installed") as caught:
        open_studio(home, workers=2)

    assert "ltx-studio[cluster]" in caught.value.hint


def test_ray_is_not_imported_where_it_is_not_used() -> None:
    code = "import sys, ltx_studio.cli, ltx_studio.studio.studio, ltx_studio.web; print('ray' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)

    assert ended.stdout.strip() == "False"


JOINED = """
import sys
import ltx_studio.runners.ray.join as module
ray = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
module.join_command = lambda address, slots: [sys.executable, "-c", ray]
from ltx_studio.studio.cluster import join
sys.exit(join("host:1", 1))
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signal")
def test_a_worker_that_is_terminated_leaves_nothing_running() -> None:
    with subprocess.Popen([sys.executable, "-c", JOINED], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        ray = int(worker.stdout.readline())
        worker.terminate()
        worker.wait(20)
        is_left = psutil.pid_exists(ray) and psutil.Process(ray).status() != psutil.STATUS_ZOMBIE
        if is_left:
            os.kill(ray, signal.SIGKILL)

    assert not is_left
