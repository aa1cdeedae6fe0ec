"""A run that failed after it had sampled: the retry goes on where it stopped."""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ltx_studio.engine import CancelToken, Engine
from ltx_studio.engine.boot import boot
from ltx_studio.engine.rescue import MOST_ENTRIES, RescuedLatents
from ltx_studio.events import Event, Failed, Finished, Step
from ltx_studio.graph import Workflow
from ltx_studio.settings import Settings
from tests.support import brief_workflow, collect, finish, frames_digest

Break = Callable[..., None]
FAULTS = [RuntimeError("CUDA out of memory"), MemoryError()]


def sampled(events: list[Event]) -> list[str]:
    """The phases that were sampled."""
    return sorted({event.phase for event in events if isinstance(event, Step) and event.phase.startswith("stage")})


def digest(events: list[Event]) -> str:
    last = events[-1]
    assert isinstance(last, Finished), last
    return frames_digest(last.outputs[0].path)


@pytest.fixture(scope="module")
def clean(engine: Engine) -> str:
    """What the frames are without a fault."""
    return frames_digest(finish(engine, brief_workflow(seed=201)))


@pytest.fixture
def break_once(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Break:
    """Make the next call of a node class fail, or one `after` so many others."""
    classes = boot(settings).nodes.NODE_CLASS_MAPPINGS

    def break_node(class_type: str, error: Exception, after: int = 0) -> None:
        node, faults = classes[class_type], [error, *[None] * after]
        name = "execute" if hasattr(node, "GET_NODE_INFO_V1") else node.FUNCTION
        found = inspect.getattr_static(node, name)
        real = found.__func__ if isinstance(found, classmethod) else found

        def fail(*given: Any, **named: Any) -> Any:
            fault = faults.pop() if faults else None
            if fault is not None:
                raise fault
            return real(*given, **named)

        monkeypatch.setattr(node, name, classmethod(fail) if isinstance(found, classmethod) else fail)

    return break_node


def class_of(workflow: Workflow, title: str) -> str:
    return next(str(node["class_type"]) for node in workflow.graph.values() if node["_meta"]["title"] == title)


@pytest.mark.parametrize("fault", FAULTS, ids=["RuntimeError", "MemoryError"])
@pytest.mark.parametrize("title", ["Decode video", "Decode audio", "Save t2v"])
def test_a_retry_after_a_failed_decode_or_save_samples_nothing_again(
    engine: Engine, clean: str, break_once: Break, title: str, fault: Exception
) -> None:
    workflow = brief_workflow(seed=201)
    break_once(class_of(workflow, title), fault)
    failed = collect(engine.run(workflow))
    assert isinstance(failed[-1], Failed)
    assert sampled(failed) == ["stage1", "stage2"]

    retried = collect(engine.run(workflow))

    assert sampled(retried) == []
    assert digest(retried) == clean


@pytest.mark.parametrize("fault", FAULTS, ids=["RuntimeError", "MemoryError"])
@pytest.mark.parametrize(("title", "after"), [("Upscale", 0), ("Stage 2", 1)])
def test_a_retry_after_a_fault_between_the_stages_samples_only_the_second(
    engine: Engine, clean: str, break_once: Break, title: str, after: int, fault: Exception
) -> None:
    workflow = brief_workflow(seed=201)
    break_once(class_of(workflow, title), fault, after)
    assert sampled(collect(engine.run(workflow))) == ["stage1"]

    retried = collect(engine.run(workflow))

    assert sampled(retried) == ["stage2"]
    assert digest(retried) == clean


def test_it_also_goes_on_after_other_runs_and_after_the_models_were_unloaded(engine: Engine, break_once: Break) -> None:
    workflow = brief_workflow(seed=203)
    break_once(class_of(workflow, "Decode video"), FAULTS[0])
    collect(engine.run(workflow))
    finish(engine, brief_workflow(seed=204))
    engine.unload()

    assert sampled(collect(engine.run(workflow))) == []


def test_a_run_that_finished_leaves_nothing_to_go_on_from(engine: Engine, break_once: Break) -> None:
    workflow = brief_workflow(seed=205)
    break_once(class_of(workflow, "Decode video"), FAULTS[0])
    collect(engine.run(workflow))
    collect(engine.run(workflow))

    assert sampled(collect(engine.run(workflow))) == ["stage1", "stage2"]


def test_another_seed_does_not_go_on_from_it(engine: Engine, break_once: Break) -> None:
    break_once(class_of(brief_workflow(), "Decode video"), FAULTS[0])
    collect(engine.run(brief_workflow(seed=206)))

    assert sampled(collect(engine.run(brief_workflow(seed=207)))) == ["stage1", "stage2"]


def test_verifying_samples_everything(engine: Engine, break_once: Break) -> None:
    workflow = brief_workflow(seed=208)
    break_once(class_of(workflow, "Decode video"), FAULTS[0])
    collect(engine.run(workflow))

    assert sampled(collect(engine.run(workflow, CancelToken(), fresh=True))) == ["stage1", "stage2"]


def test_the_oldest_latents_go_when_there_are_too_many_or_they_are_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    rescued = RescuedLatents()
    entry = SimpleNamespace(outputs=[[{"samples": torch.zeros(1000)}]])
    rescued.keep(dict.fromkeys(range(MOST_ENTRIES + 5), entry))
    assert len(rescued) == MOST_ENTRIES

    monkeypatch.setattr("ltx_studio.engine.rescue.MOST_BYTES", 10_000)
    rescued.keep({"new": entry})

    assert len(rescued) == 2
