"""What a run takes is told by phase."""

from ltx_studio.events import Finished, PhaseStarted, Step
from ltx_studio.takes.metrics import RunMetrics


def test_seconds_and_steps_of_each_stage_and_the_peak_of_memory() -> None:
    now, used = iter([10.0, 11.5, 12.5, 13.0]), iter([5, None, 9, 2, 3, 4])
    watch = RunMetrics(lambda: next(used), lambda: next(now))

    begun = PhaseStarted("a", "A", 0, 2), Step("a", 1, 8), Step("a", 3, 8)
    for event in (*begun, PhaseStarted("b", "B", 1, 2), Step("a", 8, 8)):
        watch.see(event)
    watch.see(Finished((), 3.25))

    assert watch.as_dict() == {
        "seconds": 3.25,
        "stages": [
            {"id": "a", "seconds": 2.5, "steps": 8, "first": 1.5},
            {"id": "b", "seconds": 0.5, "steps": 0, "first": 0.0},
        ],
        "peak_memory": 9,
    }
