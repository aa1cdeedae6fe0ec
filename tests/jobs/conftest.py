"""A desk whose engine is warm."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ltx_studio.engine import Engine
from ltx_studio.jobs import LOCAL, Desk, Done, LocalRunner, Spec
from ltx_studio.jobs.history import TakeRecord
from ltx_studio.settings import Settings

Make = Callable[[Spec], TakeRecord]


@pytest.fixture
def desk(engine: Engine, settings: Settings) -> Iterator[Desk]:
    desk = Desk(settings, LocalRunner(settings, engine))
    desk.work()
    yield desk
    assert desk.close_worker(60)


@pytest.fixture
def make(desk: Desk) -> Make:
    """Hand a request in, and give its take."""

    def run(spec: Spec) -> TakeRecord:
        (job,) = desk.submit(LOCAL, [spec])
        *_, ended = desk.follow(job, LOCAL)
        assert isinstance(ended.state, Done), ended.state
        return desk.history.get(ended.state.take, LOCAL)

    return run


@pytest.fixture
def path_of(desk: Desk) -> Callable[[TakeRecord], Path]:
    return desk.history.path
