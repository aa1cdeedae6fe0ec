"""The run panel where each job is carried out in the request that follows it, as on ZeroGPU."""

import inspect
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Done, Job, Running, Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels.run import RunPanel
from ltx_studio.web.panels.screen import Screen
from ltx_studio.web.panels.take import TakePanel
from tests.runners.quick import QuickRunner
from tests.support import MODEL_SETS, small_spec
from tests.web.pace import paced


@pytest.fixture
def studio(home: Settings) -> Studio:
    return Studio(home, QuickRunner(home, seconds=2), works=True, in_request=True)


def test_a_look_at_another_job_does_not_end_the_run_that_is_left(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = Owners()
    owners.apart = False
    request: Any = SimpleNamespace(session_hash="tab", cookies={})
    with gr.Blocks():
        screen = Screen(MODES, MODEL_SETS["pocket"])
        take = TakePanel(studio, owners, screen, MODEL_SETS["pocket"])
        panel = RunPanel(studio, owners, screen, take)
        screen.build_toast()
        for each in (screen, take, panel):
            each.build()
    follow, begun = studio.follow, list[Generator[Job, None, None]]()

    def kept(job_id: str, owner: str, *, waits: bool) -> Generator[Job, None, None]:
        begun.append(follow(job_id, owner, waits=waits))
        return begun[-1]

    monkeypatch.setattr(studio, "follow", kept)  # a reference keeps what is not closed
    first, second = studio.jobs.submit(LOCAL, [small_spec(), small_spec(seed=8)])
    followed = paced(panel.watch([first, second], request))
    while not isinstance(studio.jobs.get(first, LOCAL).state, Running):
        next(followed)

    for _ in paced(panel.turn_to(second, request)):
        pass
    for _ in followed:
        pass

    states = [studio.jobs.get(job_id, LOCAL).state for job_id in (first, second)]
    assert [type(state) for state in states] == [Done, Done]
    assert [inspect.getgeneratorstate(each) for each in begun] == [inspect.GEN_CLOSED] * 2, (
        "each is closed when its job has ended"
    )
    assert studio.close(20)
