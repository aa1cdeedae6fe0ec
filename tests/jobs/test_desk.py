"""The desk begins the work whatever is in its way, and keeps what it is given."""

import sqlite3
import time

import pytest

from ltx_studio.jobs import LOCAL, Desk
from ltx_studio.jobs.states import Failed, Queued, Running
from ltx_studio.settings import Settings
from tests.support import small_spec


def test_takes_that_cannot_be_removed_now_do_not_keep_the_work_from_beginning(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(home)
    (job,) = desk.submit(LOCAL, [small_spec()])

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(desk.history, "remove_leaving", full)
    desk.work()
    try:
        end = time.monotonic() + 60
        while isinstance(state := desk.queue.get(job, LOCAL).state, Queued | Running) and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        assert desk.close(60)

    assert isinstance(state, Failed)  # nothing is set up in this home, so that much was tried
