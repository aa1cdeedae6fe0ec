"""How far a run is, is told from its events."""

from ltx_studio.events import Event, Heartbeat, PhaseStarted, Step, Waiting
from ltx_studio.queue import Progress
from ltx_studio.queue.progress import advance
from ltx_studio.text.phrases import WAITING


def after(*events: Event) -> Progress:
    """The progress after these, one of them in each second."""
    progress = Progress()
    for now, event in enumerate(events):
        progress = advance(progress, event, float(now))
    return progress


LOADED = PhaseStarted("load", "Load models", 0, 3), Step("load", 1, 2), PhaseStarted("stage1", "Stage 1", 1, 3)


def test_stages_and_steps_are_counted() -> None:
    assert after(Waiting("lane")) == Progress(WAITING["lane"])
    assert after(*LOADED) == Progress("Stage 1", 0, 0, 1, 3)
    sampling = after(*LOADED, Step("stage1", 2, 8))
    assert (sampling.step, sampling.steps, sampling.done, sampling.part) == (2, 8, 1.25, 1.25 / 3)
    assert advance(sampling, Heartbeat(1.0), 9.0) is sampling


def test_the_pace_counts_from_the_first_step_that_is_sampled() -> None:
    assert not after(*LOADED).since
    first = after(*LOADED, Step("stage1", 1, 8))
    assert (first.since, first.done_then) == (3.0, 1.125)

    decoding = after(*LOADED, Step("stage1", 1, 8), Step("stage1", 8, 8), PhaseStarted("decode", "Decode", 2, 3))

    assert decoding == Progress("Decode", 0, 0, 2, 3, since=3.0, done_then=1.125)
