"""The workers of a cluster on the page."""

from ltx_studio.studio import WorkerState
from ltx_studio.web.panels.workers import workers_card

GIB = 1 << 30


def test_without_a_cluster_nothing_is_shown() -> None:
    assert workers_card([]) == ""


def test_each_worker_says_what_it_does() -> None:
    busy = WorkerState("one/1", "cuda:0 NVIDIA H200 : native", 20 * GIB, 80 * GIB, "abc123", "fp8", 100.0)
    free = WorkerState("one/2", heard=97.0)
    shown = workers_card([busy, free], 102.0)

    assert "rendering job abc123 · cuda:0 NVIDIA H200, 20 GB of 80 GB in use · fp8 loaded · last seen 2 s ago" in shown
    assert "free · last seen 5 s ago" in shown


def test_a_refused_worker_says_why() -> None:
    shown = workers_card([WorkerState("<two>/1", problem="It has ComfyUI 0.46.0, this studio has ComfyUI 0.30.0.")])

    assert "gets no jobs: It has ComfyUI 0.46.0" in shown
    assert "&lt;two&gt;" in shown
