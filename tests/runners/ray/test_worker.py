"""The worker itself, without a cluster around it."""

import os
import time
from io import BytesIO
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image

from ltx_studio.engine import run_folders
from ltx_studio.events import Preview, Step, from_dict
from ltx_studio.runners.ray.previews import LatestPreview
from ltx_studio.runners.ray.transport import ReceivedInputs
from ltx_studio.runners.ray.worker import MOST_TOKENS, ClusterWorker, Post
from ltx_studio.settings import Settings
from tests.runners.quick import picture
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


def test_stops_of_runs_that_have_ended_are_not_kept_for_ever(home: Settings) -> None:
    worker = ClusterWorker(Post("one", "token"), EndlessRunner, home)
    for number in range(300):
        worker.cancel(f"ended-{number}")
    worker.cancel("next")

    assert len(worker._tokens) == MOST_TOKENS
    assert [each["type"] for each in worker.run(small_spec().as_dict(), "job", "next")][-1] == "Cancelled"


def test_one_preview_is_under_way_at_a_time_and_newer_ones_replace_the_one_that_waits(home: Settings) -> None:
    worker = ClusterWorker(Post("one", "token"), EndlessRunner, home)
    told = worker.run(small_spec().as_dict(), "job", "first")
    sent = [from_dict(each) for each in islice(told, 30)]
    worker.seen("first")
    sent += [from_dict(each) for each in islice(told, 2)]
    worker.cancel("first")
    ended = [each["type"] for each in told]

    steps = [event.step for event in sent if isinstance(event, Step)]
    first, second = [event for event in sent if isinstance(event, Preview)]
    assert first == Preview("stage1", 1, (picture(1),))
    assert second.step == steps[-1] > 20, "those between were never sent"
    assert ended[-1] == "Cancelled"
    assert Preview.__name__ not in ended


def test_large_pictures_are_made_small_before_they_are_sent(home: Settings) -> None:
    latest = LatestPreview()
    latest.put(Preview("stage1", 2, (picture(1, (1000, 500)), picture(2), b"no picture")))
    sent = from_dict(latest.next() or {})

    assert isinstance(sent, Preview)
    large, small, odd = sent.frames
    assert Image.open(BytesIO(large)).size == (512, 256)
    assert (small, odd) == (picture(2), b"no picture")


def test_inputs_that_were_not_needed_for_a_day_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, needed = tmp_path / "old.png", tmp_path / "needed.png"
    for path in (old, needed):
        path.touch()
        os.utime(path, (0, 0))
    monkeypatch.setattr(run_folders, "TEMP_SECONDS", 1.0)  # nobody can set when a file changed, so a day is short
    time.sleep(1.1)

    assert ReceivedInputs(tmp_path).missing(["needed.png", "new.png"]) == ["new.png"]
    assert list(tmp_path.iterdir()) == [needed]
