import gc
import os

import pytest

from ltx_studio.engine.boot import leave_the_processor_to_others
from ltx_studio.garbage import uncollected


def test_threads_that_wait_sleep_unless_the_user_wants_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    leave_the_processor_to_others()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"

    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    leave_the_processor_to_others()
    assert os.environ["OMP_WAIT_POLICY"] == "active"


def test_large_imports_are_not_gone_through_by_the_garbage_collection() -> None:
    before = gc.get_freeze_count()

    with uncollected():
        assert not gc.isenabled()
        made: list[list[int]] = [[] for _ in range(1000)]

    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)
