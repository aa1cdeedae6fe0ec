"""The form of any workflow: what can be set, within what limits, and where it is written."""

from typing import Any

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import Kind, fill, form_of


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, **({"_meta": {"title": title}} if title else {})}


GRAPH = {
    "1": node("CLIPTextEncode", "Prompt", text="a ball", clip=["9", 0]),
    "2": node("RandomNoise", noise_seed=7),
    "3": node("LoadImage", image="somebody.png"),
    "4": node("KSamplerSelect", "How to sample", sampler_name="euler"),
    "5": node("KSamplerSelect", sampler_name="euler"),
    "6": node("PrimitiveBoolean", "Loud", value=True),
    "7": node("SaveImage", "Out", filename_prefix="x", images=["3", 0]),
    "8": node("EmptyImage", "Canvas", width=512, height=512, batch_size=1, color=0),
    "9": node("CheckpointLoaderSimple", "Model", ckpt_name="a.safetensors"),
}


def test_titled_inputs_texts_files_and_seeds_are_fields(definitions: Definitions) -> None:
    fields = {field.key: field for field in form_of(GRAPH, definitions)}

    assert {key: field.kind for key, field in fields.items()} == {
        "1.text": Kind.TEXT,
        "2.noise_seed": Kind.SEED,
        "3.image": Kind.PICTURE,
        "4.sampler_name": Kind.CHOICE,
        "6.value": Kind.SWITCH,
        "8.width": Kind.INTEGER,
        "8.height": Kind.INTEGER,
        "8.batch_size": Kind.INTEGER,
        "8.color": Kind.INTEGER,
    }
    assert fields["1.text"].title == "Prompt"
    assert fields["8.width"].title == "Canvas: width"
    assert (fields["8.width"].minimum, fields["8.width"].maximum) == (1, 16384)
    assert "euler" in fields["4.sampler_name"].choices


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("Prompt", "x", "x"),
        ("prompt", "x", "x"),
        ("8.width", "64", 64),
        ("Loud", "false", False),
        ("2.noise_seed", 3, 3),
    ],
)
def test_a_value_is_written_by_title_or_key(name: str, value: Any, written: Any, definitions: Definitions) -> None:
    fields = form_of(GRAPH, definitions)

    filled = fill(GRAPH, fields, {name: value})

    changed = [(node_id, given) for node_id in GRAPH for given in GRAPH[node_id]["inputs"]
               if filled[node_id]["inputs"][given] != GRAPH[node_id]["inputs"][given]]  # fmt: skip
    assert [filled[node_id]["inputs"][given] for node_id, given in changed] == [written]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("8.width", 0), ("8.width", "wide"), ("8.width", 1.5), ("8.width", float("nan")), ("Loud", "maybe"),
        ("How to sample", "magic"), ("Nothing", 1), ("Prompt", None),
        ("Prompt", ["9", 0]), ("7.filename_prefix", "../x"), ("9.ckpt_name", "b.safetensors"),
    ],
)  # fmt: skip
def test_a_wrong_value_or_name_is_refused_with_what_fits(name: str, value: Any, definitions: Definitions) -> None:
    with pytest.raises(RequestError) as refused:
        fill(GRAPH, form_of(GRAPH, definitions), {name: value})

    assert refused.value.hint


def test_what_people_change_most_comes_first(definitions: Definitions) -> None:
    graph = {"0": node("CLIPTextEncode", "Negative prompt", text="blurry", clip=["9", 0]), **GRAPH}

    assert [field.key for field in form_of(graph, definitions)][:3] == ["1.text", "3.image", "0.text"]


def test_a_picture_is_a_field_whatever_it_is_called(definitions: Definitions) -> None:
    (field,) = form_of({"1": node("LoadImage", image="x.safetensors")}, definitions)

    assert field.kind is Kind.PICTURE


def test_a_name_that_is_nearly_one_is_told(definitions: Definitions) -> None:
    with pytest.raises(RequestError) as refused:
        fill(GRAPH, form_of(GRAPH, definitions), {"promt": "x"})

    assert "Did you mean 'Prompt'?" in refused.value.hint
