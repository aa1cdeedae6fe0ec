"""The worker itself, without a cluster around it."""

import os
import time
from itertools import islice
from pathlib import Path

import pytest

from ltx_studio.engine import run_folders
from ltx_studio.runners.ray.transport import ReceivedInputs
from ltx_studio.runners.ray.worker import ClusterWorker, Post
from ltx_studio.settings import Settings
from tests.runners.ray.standin import EndlessRunner
from tests.support import small_spec


def test_a_stop_of_the_next_attempt_outlives_the_end_of_this_one(home: Settings) -> None:
    worker, stored = ClusterWorker(Post("one", "token"), EndlessRunner, home), small_spec().as_dict()
    first = worker.run(stored, "job", "first")
    next(first)
    worker.cancel("second")
    worker.cancel("first")
    ended = [each["type"] for each in first]
    second = worker.run(stored, "job", "second")
    told = [each["type"] for each in islice(second, 10)]
    second.close()  # type: ignore[attr-defined]

    assert ended[-1] == "Cancelled"
    assert told[-1] == "Cancelled"


def test_inputs_that_were_not_needed_for_a_day_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, needed = tmp_path / "old.png", tmp_path / "needed.png"
    for path in (old, needed):
        path.touch()
        os.utime(path, (0, 0))
    monkeypatch.setattr(run_folders, "TEMP_SECONDS", 1.0)  # nobody can set when a file changed, so a day is short
    time.sleep(1.1)

    assert ReceivedInputs(tmp_path).missing(["needed.png", "new.png"]) == ["new.png"]
    assert list(tmp_path.iterdir()) == [needed]
