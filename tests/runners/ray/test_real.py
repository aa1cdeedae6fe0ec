"""The same with Ray itself, which these tests find in a folder of its own: `make test-cluster` puts it there."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.support import ROOT

RAY = Path(os.environ.get("RAY_DIR", ROOT / ".venv" / "ray")).absolute()
REAL = ROOT / "tests" / "runners" / "ray" / "real.py"

pytestmark = [
    pytest.mark.skipif(not (RAY / "ray").is_dir(), reason="needs Ray: run `make test-cluster`"),
    pytest.mark.thorough,
    pytest.mark.timeout(600),
]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a short name: Ray puts sockets into it."""
    with TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        for process in psutil.process_iter(["environ"]):
            if (process.info["environ"] or {}).get("RAY_TMPDIR") == folder:
                process.kill()


def test_with_ray_itself(scratch: Path) -> None:
    ours = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(RAY)]),
        "HOME": str(scratch),
        "RAY_TMPDIR": str(scratch),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": uuid.uuid4().hex,
        "RAY_USAGE_STATS_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-s", "--show-capture=no", "-p", "no:cacheprovider"]
    command += [f"--basetemp={scratch}/t", str(REAL)]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **ours}, capture_output=True, text=True, timeout=580, check=False
    )

    print(ended.stdout)
    assert ended.returncode == 0, ended.stderr
