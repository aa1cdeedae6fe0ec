"""A model set of another family goes the whole way: request, graph, run, take, recipe, replay."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.families import FAMILIES, ModelSet
from ltx_studio.families.default_preset import default_preset
from ltx_studio.graph import Graph
from ltx_studio.media import by_name
from ltx_studio.models import get_registry
from ltx_studio.models.registry import OWN_FILE
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, Done, JobSpec
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes import recipes
from ltx_studio.takes.replay import spec_of
from tests.families.tiny import MODELS_TOML, TINY
from tests.fixtures import Request
from tests.support import SMALL

ASKED = {**SMALL, "seconds": 1.0}


@pytest.fixture
def tiny(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelSet]:
    own = settings.home / OWN_FILE
    own.write_text(MODELS_TOML, encoding="utf-8")
    monkeypatch.setitem(FAMILIES, TINY.id, TINY)
    yield get_registry(settings).get_set("tiny")
    own.unlink()


def test_its_own_geometry_decides_lengths_and_sizes(tiny: ModelSet) -> None:
    spec = JobSpec.from_request("t2v", {**ASKED, "width": 200, "height": 150}, tiny)

    assert (spec.params.frames, spec.params.latent_frames) == (17, 2)
    assert (spec.params.width, spec.params.height) == (256, 128)
    assert spec.preset == "swift"
    assert any("the frame count is a multiple of 16, plus 1" in note for note in spec.notes())


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "range of 0.5 to 4 s"), (5.0, "range of 0.5 to 4 s")])
def test_its_own_limits_refuse(tiny: ModelSet, seconds: float, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        JobSpec.from_request("t2v", {**ASKED, "seconds": seconds}, tiny)


def test_its_own_presets_are_offered(tiny: ModelSet) -> None:
    with pytest.raises(RequestError, match="no preset 'fast'") as refused:
        JobSpec.from_request("t2v", ASKED, tiny, "fast")

    assert "swift, calm" in refused.value.hint


def test_a_preset_of_the_settings_that_it_lacks_leaves_its_usual_one(tiny: ModelSet, settings: Settings) -> None:
    assert default_preset(replace(settings, preset="quality"), tiny.family).id == "swift"
    assert default_preset(replace(settings, preset="calm"), tiny.family).id == "calm"


def test_a_mode_that_it_lacks_is_refused(tiny: ModelSet, small: Request) -> None:
    with pytest.raises(RequestError, match="Tiny does not support Image to video"):
        JobSpec.from_request("i2v", small("i2v"), tiny)
    assert [mode.id for mode in MODES.values() if mode.is_possible(tiny, tiny.family.usual_preset)] == ["t2v"]


def test_its_own_loaders_and_template_make_the_graph(tiny: ModelSet) -> None:
    graph = Graph(JobSpec.from_request("t2v", ASKED, tiny, "calm").build(by_name).graph)

    assert "Model" not in graph
    assert graph.class_type("Decode video") == "VAEDecode"
    assert graph.source("Decode video", "vae") == ("Picture decoder", 2)
    assert graph["Stage 1 sigmas"].sigmas == "1, 0.75, 0.5, 0.25, 0"


def test_it_becomes_a_take_that_can_be_made_again(tiny: ModelSet, studio: Studio) -> None:
    spec = JobSpec.from_request("t2v", ASKED, tiny)
    (job,) = studio.jobs.submit(LOCAL, [spec])
    *_, ended = studio.jobs.follow(job, LOCAL)

    assert isinstance(ended.state, Done), ended.state
    take = studio.takes.get(ended.state.take, LOCAL)
    assert take.measured["frames"] == 17
    assert spec_of(recipes.read(studio.takes.path(take)), studio.settings) == spec
    assert studio.takes.estimate(spec) is not None
