"""A worker of this host whose process ended is gone at once; one of another host is when its lease is over."""

import subprocess
import sys
from pathlib import Path

from ltx_studio.queue.workers import WorkerId, any_alive, host, is_gone
from tests.support import ROOT

HOLD = """
import sys, time
from pathlib import Path
from ltx_studio.queue.workers import WorkerId
worker = WorkerId(Path(sys.argv[1]))
worker.hold()
print(worker.id, flush=True)
time.sleep(60)
"""


def test_a_worker_that_holds_its_lock_is_not_gone_however_old_its_lease_is(tmp_path: Path) -> None:
    worker = WorkerId(tmp_path / "workers")
    worker.hold()
    worker.hold()

    assert not is_gone(worker.id, 0.0, tmp_path / "workers", now=1e12)
    assert any_alive(tmp_path / "workers")
    worker.release()
    assert is_gone(worker.id, 1e12, tmp_path / "workers", now=0.0)
    assert not any_alive(tmp_path / "workers")
    assert list((tmp_path / "workers").iterdir()) == []


def test_a_killed_worker_is_gone_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    worker = process.stdout.readline().strip()
    assert not is_gone(worker, 1e12, tmp_path, now=0.0)

    process.kill()
    process.wait()

    assert is_gone(worker, 1e12, tmp_path, now=0.0)
    assert not list(tmp_path.glob("*.lock")), "its file is removed"


def test_a_worker_of_another_host_is_gone_when_its_lease_is_over(tmp_path: Path) -> None:
    elsewhere = f"not-{host()}:7:abcd"

    assert not is_gone(elsewhere, 100.0, tmp_path, now=99.0)
    assert is_gone(elsewhere, 100.0, tmp_path, now=101.0)


def test_a_job_of_an_earlier_version_has_no_worker(tmp_path: Path) -> None:
    assert is_gone(None, None, tmp_path, now=0.0)
