import pytest

from ltx_studio.errors import RequestError
from ltx_studio.graph import load_template
from ltx_studio.models import MODEL_SETS, TEMPLATE_SET, ModelSet, get_model_set
from ltx_studio.pocket import files


@pytest.mark.parametrize("model_set", MODEL_SETS.values(), ids=lambda item: item.id)
def test_brings_every_output_that_the_template_uses(model_set: ModelSet) -> None:
    graph = load_template("t2v")

    graph.attach(model_set.loaders, instead_of=TEMPLATE_SET.loaders)

    assert set(model_set.loaders.nodes) <= set(graph)


def test_the_template_carries_the_template_sets_loaders() -> None:
    before = load_template("t2v")
    after = load_template("t2v")

    after.attach(TEMPLATE_SET.loaders, instead_of=TEMPLATE_SET.loaders)

    assert after.to_api() == before.to_api()


def test_pocket_names_the_files_that_are_built() -> None:
    named = {
        value
        for node in MODEL_SETS["pocket"].loaders.nodes.values()
        for value in node["inputs"].values()
        if isinstance(value, str)
    }

    assert named <= {name.partition("/")[2] for name in files.ALL}


def test_an_untrained_model_is_announced() -> None:
    assert "random weights" in MODEL_SETS["pocket"].notice


def test_an_unknown_set_is_refused_with_the_choices() -> None:
    with pytest.raises(RequestError, match="no model set 'huge'") as caught:
        get_model_set("huge")

    assert "pocket" in caught.value.hint
