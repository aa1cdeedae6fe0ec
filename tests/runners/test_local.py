from dataclasses import replace

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.engine import CancelToken, Engine
from ltx_studio.errors import ModelMissingError
from ltx_studio.events import Cancelled
from ltx_studio.media import by_name
from ltx_studio.models import get_registry
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.runners.preparing import Preparer
from ltx_studio.settings import Settings
from tests.support import MODEL_SETS, outcome_of, small_spec


def test_missing_files_come_with_the_advice_that_fetches_them(settings: Settings) -> None:
    spec = JobSpec.from_request("t2v", {"prompt": "a red ball"}, MODEL_SETS["fp8"])

    with pytest.raises(ModelMissingError) as missing:
        Preparer(settings).prepare(spec, CancelToken())

    assert "ltx-2.3-22b-dev-fp8.safetensors" in missing.value.message
    whole = Advice.to(Do.FETCH_MODE, mode="t2v", model_set="fp8")
    assert missing.value.advice == replace(whole, otherwise=Do.USE_POCKET)


def test_an_optional_file_that_is_missing_is_fetched_by_its_name(settings: Settings) -> None:
    spec = JobSpec.from_request("t2v", {"prompt": "a red ball", "camera": "jib-up"}, MODEL_SETS["fp8"])
    registry = get_registry(settings)
    jib = registry.get_file("ltx-2-19b-lora-camera-control-jib-up.safetensors")
    usual = registry.needs(spec.build(by_name).graph)

    assert spec.fetch_advice([file for file in usual if file != jib], registry).do is Do.FETCH_MODE
    assert spec.fetch_advice(usual, registry) == Advice.to(Do.FETCH_MODELS)


def test_cancel_reaches_the_engine(engine: Engine, settings: Settings) -> None:
    cancel = CancelToken()
    cancel.cancel()

    assert outcome_of(LocalRunner(settings, engine).run(small_spec(), cancel, job_id="x")) == Cancelled()
