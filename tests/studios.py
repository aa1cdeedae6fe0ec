"""A studio whose engine is warm."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ltx_studio.engine import Engine
from ltx_studio.queue import LOCAL, Done, Spec
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.records import TakeRecord

Make = Callable[[Spec], TakeRecord]


@pytest.fixture
def studio(engine: Engine, settings: Settings) -> Iterator[Studio]:
    studio = Studio(settings, LocalRunner(settings, engine))
    studio.work()
    yield studio
    assert studio.close_worker(60)


@pytest.fixture
def make(studio: Studio) -> Make:
    """Hand a request in, and give its take."""

    def run(spec: Spec) -> TakeRecord:
        (job,) = studio.jobs.submit(LOCAL, [spec])
        *_, ended = studio.jobs.follow(job, LOCAL)
        assert isinstance(ended.state, Done), ended.state
        return studio.takes.get(ended.state.take, LOCAL)

    return run


@pytest.fixture
def path_of(studio: Studio) -> Callable[[TakeRecord], Path]:
    return studio.takes.path
