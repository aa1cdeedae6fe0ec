from ltx_studio.engine import CancelToken, Engine
from ltx_studio.errors import ModelMissingError
from ltx_studio.events import Cancelled, Failed, Finished
from ltx_studio.jobs import JobSpec, LocalRunner
from ltx_studio.settings import Settings
from tests.support import outcome_of, small_spec


def test_a_job_becomes_a_clip(engine: Engine, settings: Settings) -> None:
    assert isinstance(outcome_of(LocalRunner(settings, engine).run(small_spec())), Finished)


def test_a_missing_file_comes_with_the_sets_own_advice(engine: Engine, settings: Settings) -> None:
    spec = JobSpec.from_request("t2v", {"prompt": "a red ball"}, "fp8")

    outcome = outcome_of(LocalRunner(settings, engine).run(spec))

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ModelMissingError)
    assert str(settings.models_dir) in outcome.error.hint
    assert "--model-set pocket" in outcome.error.hint


def test_cancel_reaches_the_engine(engine: Engine, settings: Settings) -> None:
    cancel = CancelToken()
    cancel.cancel()

    assert outcome_of(LocalRunner(settings, engine).run(small_spec(), cancel)) == Cancelled()
