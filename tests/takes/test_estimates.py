"""How long a run will take is told from takes that were made here."""

from dataclasses import replace

import pytest

from ltx_studio.events import Event, PhaseStarted, Step, Waiting
from ltx_studio.media import by_name
from ltx_studio.queue import JobSpec, Progress
from ltx_studio.queue.progress import advance
from ltx_studio.studio import Studio
from ltx_studio.takes.estimates import Estimate, Seen, expected, start_of
from tests.studios import Make
from tests.support import MODEL_SETS


def t2v(preset: str = "draft", **values: object) -> JobSpec:
    return JobSpec.from_request(
        "t2v", {"prompt": "night", "seconds": 1, "seed": 1, **values}, MODEL_SETS["pocket"], preset
    )


def test_what_was_never_sampled_is_not_told() -> None:
    assert expected({"stage1": 1.0}, {"decode": [Seen(1, 1)]}) is None


def test_twice_the_work_takes_twice_as_long() -> None:
    known = {"stage1": [Seen(2.0, 6.0)], "decode": [Seen(1.0, 0.5)], "load": [Seen(1.0, 0.25)]}

    found = expected({"load": 1.0, "stage1": 4.0, "decode": 2.0}, known)

    assert found == Estimate({"load": 0.25, "stage1": 12.0, "decode": 1.0})


def test_loading_is_not_taken_for_sampling() -> None:
    seen = Seen(8.0, 5.0, start_of({"id": "stage1", "seconds": 5.0, "steps": 8, "first": 4.3}))

    found = expected({"stage1": 120.0}, {"stage1": [seen]})

    assert seen.start == pytest.approx(4.2)
    assert found is not None
    assert found.seconds == pytest.approx(4.2 + 120 * 0.1)
    for told in ({"seconds": 5.0, "steps": 8}, {"seconds": 5.0, "steps": 1, "first": 5.0}, {"seconds": 0.0}):
        assert start_of(told) == 0.0


def test_a_stage_that_was_never_seen_is_told_by_another_that_is_sampled() -> None:
    found = expected({"stage1": 2.0, "stage2": 3.0}, {"stage1": [Seen(2.0, 4.0)]})

    assert found is not None
    assert found.phases["stage2"] == 6.0


def test_takes_of_about_the_same_size_count() -> None:
    small, large = [Seen(1.0, 5.0)] * 5, [Seen(100.0, 100.0)] * 5

    for amount, seconds in ((1.0, 5.0), (90.0, 90.0)):
        found = expected({"stage1": amount}, {"stage1": [*small, *large]})
        assert found is not None
        assert found.seconds == pytest.approx(seconds)


def test_what_is_left_shrinks_with_each_step_and_follows_the_run_s_own_pace() -> None:
    estimate = Estimate({"load": 1.0, "stage1": 8.0, "decode": 1.0})

    first = Progress("Stage 1", 1, 8, 1, 3, since=100.0, done_then=1.125)
    half, last = replace(first, step=4), replace(first, phase="Decode", step=0, steps=0, index=2)
    assert estimate.left(Progress(), 100.0) == 10.0
    assert estimate.left(first, 100.0) == pytest.approx(8.0)
    assert estimate.left(half, 103.0) == pytest.approx(5.0)
    assert estimate.left(half, 106.0) == pytest.approx(10.0)  # half as fast as expected
    assert estimate.left(half, 100.1) == pytest.approx(1.0)  # no pace is believed without bounds
    assert estimate.left(last, 107.0) == pytest.approx(1.0)


def test_starting_comfyui_and_loading_models_is_not_taken_for_the_run_s_pace() -> None:
    """The first run after a start: ComfyUI is up after 20 s, models are loaded until the first step's end."""
    estimate, progress = Estimate({"load": 1.0, "stage1": 8.0, "decode": 1.0}), Progress()
    told: list[tuple[Event, float]] = [(Waiting("start"), 0.0), (PhaseStarted("load", "Load models", 0, 3), 20.0)]
    told += [(PhaseStarted("stage1", "Stage 1", 1, 3), 40.0)]
    told += [(Step("stage1", step, 8), 60.0 + step) for step in range(1, 9)]

    left = []
    for event, now in told:
        progress = advance(progress, event, now)
        left.append(estimate.left(progress, now))

    assert left == pytest.approx([10.0, 10.0, *range(9, 0, -1)])


def test_a_take_s_own_seconds_are_expected_of_the_next(studio: Studio, make: Make) -> None:
    taken = make(t2v())

    found = studio.takes.estimate(t2v(seed=2))

    assert found is not None
    assert list(found.phases) == [phase.id for phase in t2v(seed=2).build(by_name).phases]
    assert found.seconds > 0
    more = studio.takes.estimate(t2v("balanced", seed=2))
    assert more is not None
    assert more.phases["stage1"] > found.phases["stage1"]
    assert taken.measured["stages"]
