"""What the studio can do about an error: which buttons there are, and what they do."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ltx_studio.engine import Engine
from ltx_studio.engine.faults import from_execution
from ltx_studio.errors import ModelMissingError, Remedy, RequestError, StudioError
from ltx_studio.events import Finished
from ltx_studio.media import by_name
from ltx_studio.models import Store
from ltx_studio.queue import LOCAL, Failed, JobSpec, Queued
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.panels.remedies import RemedyButtons, carry_out, files_to_fetch, labels, remedies_of, smaller
from tests.support import MODEL_SETS, carried_out, outcome_of, queue_of, small_spec

OUT_OF_MEMORY = from_execution(
    {"exception_type": "torch.OutOfMemoryError", "node_id": "1"}, {"1": "Stage 1"}, Settings(home=Path("home"))
)
LARGE: dict[str, Any] = {"width": 1280, "height": 704}


@pytest.fixture
def studio(home: Settings) -> Studio:
    return Studio(home)


def failed(studio: Studio, spec: JobSpec, error: StudioError) -> str:
    """The id of a job of which this became."""
    (job,) = studio.jobs.submit(LOCAL, [spec])
    queue_of(studio).claim(only=[job])
    queue_of(studio).fail(job, error)
    return job


def missing(settings: Settings) -> ModelMissingError:
    """What a request for the real model says where none of its files is."""
    spec = JobSpec.from_request("t2v", {"prompt": "a boat", "seed": 1}, MODEL_SETS["fp8"])
    with pytest.raises(ModelMissingError) as caught:
        Store(settings).require(spec.build(by_name).graph, spec.fetch_advice)
    return caught.value


def test_every_remedy_has_a_label() -> None:
    assert [*labels(), Remedy.MAKE_ROOM] == list(Remedy), "the error's card has a button for that one"
    assert len(set(labels().values())) == len(labels())


def test_what_downloads_is_the_button_that_stands_out() -> None:
    buttons = RemedyButtons()
    with gr.Blocks():
        buttons.build()

    kinds = {remedy: (each.variant, each.size) for remedy, each in buttons.by_remedy.items()}
    assert kinds.pop(Remedy.FETCH) == ("primary", "md")
    assert {*kinds.values()} == {("secondary", "md")}


def test_a_wrong_value_has_no_button() -> None:
    assert remedies_of(RequestError("The prompt is empty.", "Write a prompt.")) == ()


def test_a_full_memory_offers_less_of_it() -> None:
    assert remedies_of(OUT_OF_MEMORY) == (Remedy.SMALLER, Remedy.UNLOAD)
    assert remedies_of(OUT_OF_MEMORY, small_spec(width=128, height=128)) == (Remedy.UNLOAD,)


def test_a_step_that_fails_for_its_inputs_has_no_button() -> None:
    assert (
        remedies_of(from_execution({"exception_type": "ValueError", "node_id": "1"}, {}, Settings(home=Path("home"))))
        == ()
    )


def test_missing_files_are_named_for_fetching(home: Settings) -> None:
    error = missing(home)

    assert remedies_of(error) == (Remedy.FETCH, Remedy.RETRY)
    assert [file.key for file in files_to_fetch(error, home)] == list(error.files)
    assert len(error.files) > 1


def test_what_nobody_knows_the_source_of_is_not_offered(home: Settings) -> None:
    store = Store(home)
    graph = {"1": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "my-own.safetensors"}}}
    with pytest.raises(ModelMissingError) as caught:
        store.require(graph)
    forged = StudioError("It is missing.", "Fetch it.", files=["loras/my-own.safetensors", "../../etc/passwd"])

    assert remedies_of(caught.value) == ()
    assert files_to_fetch(forged, home) == []


def test_the_pocket_model_is_built_and_not_fetched(home: Settings) -> None:
    spec = small_spec()
    with pytest.raises(ModelMissingError) as caught:
        Store(home).require(spec.build(by_name).graph, spec.fetch_advice)

    assert remedies_of(caught.value) == ()


def test_remedies_and_files_outlive_the_database(studio: Studio, home: Settings) -> None:
    errors = [OUT_OF_MEMORY, missing(home)]
    states = [Studio(home).jobs.get(failed(studio, small_spec(), error), LOCAL).state for error in errors]

    assert [state.error for state in states if isinstance(state, Failed)] == errors
    assert [state.error.remedies for state in states if isinstance(state, Failed)] == [
        (Remedy.SMALLER, Remedy.UNLOAD),
        (Remedy.FETCH, Remedy.RETRY),
    ]


def test_half_the_size_is_legal_and_everything_else_stays() -> None:
    spec = small_spec(**LARGE)
    half = smaller(spec)
    assert half is not None

    assert (half.params.width, half.params.height) == (640, 384)  # 352 is no multiple of 64
    assert half.params.model_copy(update=LARGE) == spec.params
    assert smaller(small_spec(width=128, height=128)) is None


def test_half_the_size_with_a_control_clip_keeps_to_its_steps(samples: dict[str, Path]) -> None:
    values = {"prompt": "a red ball", "image": samples["image"], "control_clip": samples["clip"], "seconds": 0.7}
    half = smaller(JobSpec.from_request("i2v", {**values, "width": 640, "height": 640}, MODEL_SETS["pocket"]))
    assert half is not None

    assert half.params.width % 128 == half.params.height % 128 == 0


def test_smaller_hands_in_a_smaller_job_and_leaves_the_old_one(studio: Studio) -> None:
    old = studio.jobs.get(failed(studio, small_spec(**LARGE), OUT_OF_MEMORY), LOCAL)

    (new,) = carry_out(studio, Remedy.SMALLER, old)

    assert studio.jobs.get(new, LOCAL).spec["params"]["width"] == 640
    assert isinstance(studio.jobs.get(old.id, LOCAL).state, Failed)


def test_retry_puts_the_same_job_into_the_queue(studio: Studio) -> None:
    old = studio.jobs.get(failed(studio, small_spec(), OUT_OF_MEMORY), LOCAL)

    assert carry_out(studio, Remedy.RETRY, old) == [old.id]
    assert isinstance(studio.jobs.get(old.id, LOCAL).state, Queued)


def test_unload_takes_every_model_out_of_memory(engine: Engine, settings: Settings) -> None:
    runner = LocalRunner(settings, engine)
    assert isinstance(outcome_of(carried_out(runner, small_spec())), Finished)
    studio = Studio(settings, runner)
    old = studio.jobs.get(failed(studio, small_spec(), OUT_OF_MEMORY), LOCAL)
    before = runner.memory()
    assert before is not None
    assert before.models

    assert carry_out(studio, Remedy.UNLOAD, old) == []

    after = runner.memory()
    assert after is not None
    assert after.models == ()


def test_only_what_helps_is_shown() -> None:
    buttons = RemedyButtons()
    with gr.Blocks():
        buttons.build()

    def shown(error: StudioError | None) -> list[str | None]:
        updates = zip(buttons.outputs, buttons.updates(error), strict=True)
        return [button.elem_id for button, update in updates if update["visible"]]

    assert shown(OUT_OF_MEMORY) == ["remedy-smaller", "remedy-unload"]
    assert shown(RequestError("It is wrong.", "Correct it.")) == []
    assert shown(None) == []
