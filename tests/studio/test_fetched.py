"""From a hub to a clip: the files of a user's own set are fetched, linked, and loaded by the real engine."""

from dataclasses import replace

import pytest

from ltx_studio.downloads import ensure_models
from ltx_studio.engine import CancelToken, Engine
from ltx_studio.errors import ModelMissingError
from ltx_studio.events import Finished
from ltx_studio.modes import MODES
from ltx_studio.modes.required_models import model_files
from ltx_studio.pocket import files
from ltx_studio.queue import JobSpec
from ltx_studio.runners import LocalRunner
from ltx_studio.runners.preparing import Preparer
from ltx_studio.settings import Settings
from ltx_studio.takes import measure
from tests.shop import Shop
from tests.support import SMALL, carried_out, outcome_of

SET = """
[sets.mine]
based_on = "pocket"
label = "Mine"
checkpoint = "fetched/model.safetensors"
text_encoder = "fetched-encoder.safetensors"
distilled_lora = "fetched-lora.safetensors"
upscaler = "fetched-upscaler.safetensors"
"""
PARTS = {
    "checkpoints/fetched/model.safetensors": files.CHECKPOINT,
    "text_encoders/fetched-encoder.safetensors": files.TEXT_ENCODER,
    "loras/fetched-lora.safetensors": files.DISTILLED_LORA,
    "latent_upscale_models/fetched-upscaler.safetensors": files.UPSCALER,
}


@pytest.fixture
def studio(shop: Shop, engine: Engine, settings: Settings) -> Shop:
    """A studio whose set is the pocket model under other names, on a hub."""
    for key, part in PARTS.items():
        folder, _, name = key.partition("/")
        shop.hub.put("me/mine", name, (settings.models_dir / part).read_bytes())
        shop.know(name, folder=folder, repo="me/mine")
    with (shop.settings.home / "models.toml").open("a") as own:
        own.write(SET)
    return replace(shop, settings=replace(shop.settings, comfy_dir=settings.comfy_dir))


def test_a_set_that_was_fetched_makes_a_clip(studio: Shop, engine: Engine) -> None:
    spec = JobSpec.from_request("t2v", SMALL, studio.store().registry.get_set("mine"))
    runner = LocalRunner(studio.settings, Engine(studio.settings))
    with pytest.raises(ModelMissingError, match=r"fetched/model\.safetensors"):
        Preparer(studio.settings).prepare(spec, CancelToken())

    store = studio.store()
    needed = model_files([MODES["t2v"]], store.registry.sets["mine"], store.registry)
    *_, fetched = ensure_models(needed, store)
    after = outcome_of(carried_out(runner, spec))

    assert isinstance(fetched, Finished)
    assert {file.key for file in needed} == set(PARTS)
    assert isinstance(after, Finished), after
    assert measure(after.outputs[0].path).frames == 17
