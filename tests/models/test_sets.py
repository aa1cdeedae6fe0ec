import pytest

from ltx_studio.errors import RequestError
from ltx_studio.families import CAMERA_MOVES, DETAILER, POSE, UNION, ModelSet
from ltx_studio.families.ltx_2_3 import load_template
from ltx_studio.models import CONTROL_MODELS
from ltx_studio.modes import MODES
from ltx_studio.pocket import files
from tests.support import MODEL_SETS, REGISTRY


@pytest.mark.parametrize("model_set", MODEL_SETS.values(), ids=lambda item: item.id)
def test_brings_every_output_that_the_template_uses(model_set: ModelSet) -> None:
    graph = load_template("t2v")

    graph.attach(model_set.loaders, instead_of=MODEL_SETS["fp8"].loaders)

    assert set(model_set.loaders.nodes) <= set(graph)


def test_the_template_carries_the_template_sets_loaders() -> None:
    before = load_template("t2v")
    after = load_template("t2v")

    after.attach(MODEL_SETS["fp8"].loaders, instead_of=MODEL_SETS["fp8"].loaders)

    assert after.to_api() == before.to_api()


def test_pocket_names_the_files_that_are_built() -> None:
    named = {
        value
        for node in MODEL_SETS["pocket"].loaders.nodes.values()
        for value in node["inputs"].values()
        if isinstance(value, str)
    }

    pocket = MODEL_SETS["pocket"]
    named.add(pocket.preview)
    named |= {lora.file for loras in (pocket.camera, pocket.control) for lora in loras.values()}

    assert named == {name.partition("/")[2] for name in files.ALL if name != files.STYLE_LORA}


def test_the_choices_of_a_request_are_those_of_the_sets() -> None:
    fields = MODES["style"].params.model_fields

    assert fields["camera"].annotation.__args__ == ("none", *CAMERA_MOVES)  # type: ignore[union-attr]
    assert set(fields["ic_lora"].annotation.__args__) == {UNION, DETAILER, POSE}  # type: ignore[union-attr]
    assert set(fields["control"].annotation.__args__) == {"canny", "ready", *CONTROL_MODELS}  # type: ignore[union-attr]


def test_a_preview_is_announced_as_one() -> None:
    assert "says nothing about LTX-2.3" in MODEL_SETS["pocket"].notice


def test_an_unknown_set_is_refused_with_the_choices() -> None:
    with pytest.raises(RequestError, match="no model set 'huge'") as caught:
        REGISTRY.get_set("huge")

    assert "pocket" in caught.value.hint
