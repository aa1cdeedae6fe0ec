from ltx_studio.engine import CancelToken, Engine
from ltx_studio.errors import ModelMissingError
from ltx_studio.events import Cancelled, Failed, Finished
from ltx_studio.jobs import JobSpec, run
from tests.support import outcome_of, small_spec


def test_a_job_becomes_a_clip(engine: Engine) -> None:
    assert isinstance(outcome_of(run(small_spec(), engine)), Finished)


def test_a_missing_file_comes_with_the_sets_own_advice(engine: Engine) -> None:
    spec = JobSpec.from_request("t2v", {"prompt": "a red ball"}, "fp8")

    outcome = outcome_of(run(spec, engine))

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ModelMissingError)
    assert "--model-set pocket" in outcome.error.hint


def test_cancel_reaches_the_engine(engine: Engine) -> None:
    cancel = CancelToken()
    cancel.cancel()

    assert outcome_of(run(small_spec(), engine, cancel)) == Cancelled()
