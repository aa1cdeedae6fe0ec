"""The form of any workflow, whatever is in its inputs, without a browser."""

import json
from typing import Any

import gradio as gr
import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import Field, Kind, form_of, others_of
from ltx_studio.graph.form_order import with_chosen
from ltx_studio.web.panels.own_workflow import (
    MOST_SHOWN,
    component,
    in_words,
    is_foremost,
    label_of,
    rows_of,
    shown_value,
    told_of,
)
from tests.graph.test_form import node

UNFIT = [
    [], [1, 2], {}, {"x": 1}, [[["deep"]]], float("nan"), float("inf"), -float("inf"), 2**53 + 1, -(2**64), 10**400,
    "not a number", "1e999", "nan", "9" * 5_000, None,
]  # fmt: skip
"""What is no number that a browser could show."""


def field(kind: Kind, value: Any, **more: Any) -> Field:
    return Field("1.x", "Title", kind, value, **more)


@pytest.mark.parametrize("value", UNFIT, ids=range(len(UNFIT)))
def test_every_kind_of_field_takes_every_value(value: Any) -> None:
    made = {kind: field(kind, value, minimum=0, maximum=10, choices=("a", "b")) for kind in Kind}

    with gr.Blocks():  # building one costs more than all fields
        configs = {kind: component(each, "w.json").get_config() for kind, each in made.items()}

    for kind, config in configs.items():
        assert json.dumps(config["value"], allow_nan=False), kind
        assert told_of([made[kind]]), kind


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.NUMBER, Kind.SEED])
@pytest.mark.parametrize("value", UNFIT, ids=range(len(UNFIT)))
def test_what_is_no_number_leaves_its_field_empty_and_is_named(kind: Kind, value: Any) -> None:
    made = field(kind, value)

    assert shown_value(made).value is None
    assert "empty because the workflow's values don't fit: Title." in told_of([made])


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (field(Kind.INTEGER, 5, minimum=0, maximum=10), 5),
        (field(Kind.INTEGER, 5.0), 5),
        (field(Kind.INTEGER, "5"), 5),
        (field(Kind.NUMBER, 0.5), 0.5),
        (field(Kind.NUMBER, "0.5"), 0.5),
        (field(Kind.SEED, 2**53), 2**53),
        (field(Kind.TEXT, "a"), "a"),
        (field(Kind.TEXT, 5), "5"),
        (field(Kind.SWITCH, True), True),
        (field(Kind.CHOICE, "b", choices=("a", "b")), "b"),
        (field(Kind.PICTURE, "a.png"), None),
    ],
)
def test_what_fits_is_shown(made: Field, value: Any) -> None:
    assert shown_value(made).value == value
    assert shown_value(made).fits


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (field(Kind.INTEGER, 11, minimum=0, maximum=10), None),
        (field(Kind.INTEGER, 0.5), None),
        (field(Kind.INTEGER, True), None),
        (field(Kind.TEXT, ["a"]), ""),
        (field(Kind.SWITCH, [1]), True),
        (field(Kind.SWITCH, "no"), True),
        (field(Kind.CHOICE, "c", choices=("a", "b")), None),
        (field(Kind.CHOICE, ["a"], choices=("a", "b")), None),
    ],
)
def test_what_does_not_fit_is_told(made: Field, value: Any) -> None:
    assert shown_value(made).value == value
    assert not shown_value(made).fits


def test_a_form_of_very_many_fields_says_how_many_it_shows(definitions: Definitions) -> None:
    graph = {str(i): node("KSamplerSelect", f"Sampler {i}", sampler_name=["a"]) for i in range(5_000)}

    told = told_of(form_of(graph, definitions))

    assert told.startswith(f"5000 inputs. Results appear on the screen. The form shows the first {MOST_SHOWN}; ")
    assert told.endswith("Sampler 0, Sampler 1, Sampler 2, Sampler 3, Sampler 4 and 195 more.")


def test_the_card_says_what_was_changed_and_what_is_to_be_set_right() -> None:
    assert told_of([], ["A note."], ["A problem."]).endswith(" A note. It can't run yet: A problem.")


def test_a_problem_is_worded_for_the_page() -> None:
    advice = Advice.to(Do.SET_VALUE, wanted="a number from 0 to 1", given="3.a=0.5")
    problem = WorkflowError("Sampler: a is missing.", "Give it a number.", advice=advice)

    assert in_words([problem]) == ["Sampler: a is missing. Set it to a number from 0 to 1 in its field."]


def named(graph: dict[str, Any], definitions: Definitions) -> list[str]:
    return [label_of(each) for each in form_of(graph, definitions)]


def test_a_form_has_prompt_and_files_first_and_no_formulas(definitions: Definitions) -> None:
    graph = {
        "1": node("ComfyMathExpression", expression="a/2"),
        "2": node("CLIPTextEncode", clip=["9", 0], text="blurry"),
        "3": node("RandomNoise", noise_seed=42),
        "4": node("PrimitiveInt", "Height", value=720),
        "5": node("PrimitiveInt", "Width", value=1280),
        "6": node("PrimitiveBoolean", "Enhance", value=True),
        "7": node("CLIPTextEncode", clip=["9", 0], text="a red ball"),
        "8": node("LoadImage", image="a.png"),
        "9": node("LTXVConditioning", positive=["7", 0], negative=["2", 0], frame_rate=24.0),
    }

    assert named(graph, definitions) == [
        "Prompt",
        "Load Image",
        "Negative prompt",
        "Width",
        "Height",
        "Enhance",
        "Seed",
    ]
    fields = form_of(graph, definitions)
    assert [label_of(each) for each in fields if not is_foremost(each, fields)] == ["Seed"]
    assert [[label_of(each) for each in row] for row in rows_of(fields)] == [
        ["Prompt"],
        ["Load Image"],
        ["Negative prompt"],
        ["Width", "Height", "Enhance"],
        ["Seed"],
    ]


def test_what_the_author_has_chosen_comes_first_in_their_order(definitions: Definitions) -> None:
    graph = {
        "1": node("CLIPTextEncode", clip=["9", 0], text="a red ball"),
        "2": node("KSamplerSelect", sampler_name="euler"),
        "3": node("PrimitiveInt", "Width", value=1280),
    }
    chosen = [("2", "sampler_name", ""), ("3", "value", "How wide"), ("1", "text", "what you see"), ("8", "text", "")]

    fields = with_chosen(form_of(graph, definitions), chosen, others_of(graph, definitions))

    assert [label_of(each) for each in fields] == ["Sampler name", "Width", "What you see"]
    assert all(is_foremost(each, fields) for each in fields)
    fields = with_chosen(form_of(graph, definitions), chosen[:1], others_of(graph, definitions))
    assert [is_foremost(each, fields) for each in fields] == [True, False, False]
