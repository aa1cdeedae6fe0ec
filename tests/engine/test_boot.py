import os

import pytest

from ltx_studio.engine.boot import leave_the_processor_to_others


def test_threads_that_wait_sleep_unless_the_user_wants_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    leave_the_processor_to_others()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"

    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    leave_the_processor_to_others()
    assert os.environ["OMP_WAIT_POLICY"] == "active"
