"""The form of any workflow, whatever is in its inputs, without a browser."""

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr
import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import FILES, Field, Kind, form_of, others_of
from ltx_studio.graph.form_order import with_chosen
from ltx_studio.web.panels.own_fields import (
    FEW,
    MOST_OPEN,
    drawn,
    drawn_groups,
    given_values,
    label_of,
    layout_of,
    shown_value,
)
from ltx_studio.web.panels.own_workflow import MOST_SHOWN, file_field, in_words, told_of
from tests.graph.test_form import node

UNFIT = [
    [], [1, 2], {}, {"x": 1}, [[["deep"]]], float("nan"), float("inf"), -float("inf"), 2**64, -(2**64), 10**400,
    "not a number", "1e999", "nan", "9" * 5_000, "9" * 25, None,
]  # fmt: skip
"""What is no number that a browser could show."""


def field(kind: Kind, value: Any, *, key: str = "1.x", **more: Any) -> Field:
    return Field(key, "Title", kind, value, **more)


@pytest.mark.parametrize("value", UNFIT, ids=range(len(UNFIT)))
def test_every_kind_of_field_takes_every_value(value: Any) -> None:
    made = {kind: field(kind, value, minimum=0, maximum=10, choices=("a", "b")) for kind in Kind}

    with gr.Blocks():  # building one costs more than all fields
        files = {kind: file_field(made[kind], "w.json").get_config() for kind in FILES}
    told = files | {kind: drawn(each) for kind, each in made.items() if kind not in FILES}

    for kind, each in told.items():
        assert json.dumps(each["value"], allow_nan=False), kind
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
        (field(Kind.SEED, 2**53 + 1), "9007199254740993"),
        (field(Kind.SEED, "9007199254740993"), "9007199254740993"),
        (field(Kind.SEED, "18446744073709551615"), "18446744073709551615"),
        (field(Kind.INTEGER, -(2**63)), "-9223372036854775808"),
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
        (field(Kind.INTEGER, 2**60, minimum=0, maximum=10), None),
        (field(Kind.NUMBER, 2**53 + 1), None),
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


def open_fields(fields: Sequence[Field], graph: dict[str, Any]) -> list[list[str]]:
    """Return the labels of the fields in the open, in their blocks."""
    return [[label_of(each) for each in block] for block in layout_of(fields, graph).blocks]


def folded(fields: Sequence[Field], graph: dict[str, Any]) -> dict[str, list[str]]:
    """Return the labels of the folded fields by the title of their group."""
    groups = drawn_groups(layout_of(fields, graph))
    return {group["title"]: [each["label"] for each in group["fields"]] for group in groups}


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
    assert open_fields(fields, graph) == [["Prompt"], ["Load Image"], ["Negative prompt", "Width", "Height", "Enhance"]]
    assert folded(fields, graph) == {"": ["Seed"]}


def test_what_the_author_has_chosen_comes_first_in_their_order(definitions: Definitions) -> None:
    graph = {
        "1": node("CLIPTextEncode", clip=["9", 0], text="a red ball"),
        "2": node("KSamplerSelect", sampler_name="euler"),
        "3": node("PrimitiveInt", "Width", value=1280),
        "4": node("LoadImage", "Photo", image="a.png"),
    }
    chosen = [("2", "sampler_name", ""), ("3", "value", "How wide"), ("1", "text", "what you see"), ("8", "text", "")]

    fields = with_chosen(form_of(graph, definitions), chosen, others_of(graph, definitions))

    assert open_fields(fields, graph) == [["Sampler name", "Width", "What you see"], ["Photo"]], "no run without a file"
    assert folded(fields, graph) == {}
    fields = with_chosen(form_of(graph, definitions), chosen[:1], others_of(graph, definitions))
    assert open_fields(fields, graph) == [["Sampler name"], ["Photo"]]
    assert sorted(folded(fields, graph)[""]) == ["Prompt", "Width"]


def test_the_rest_is_folded_in_groups_by_node(definitions: Definitions) -> None:
    graph = {
        "1": node("RandomNoise", noise_seed=1),
        "2": node("EmptyImage", "Canvas", width=8, height=8, batch_size=1, color=0),
        "3": node("EmptyImage", "Wall", width=8, height=8, batch_size=1, color=0),
    }
    names = ["Width", "Height", "Batch size", "Color"]

    fields = form_of(graph, definitions)

    assert open_fields(fields, graph) == []
    assert len(fields) > FEW
    assert {title: sorted(group) for title, group in folded(fields, graph).items()} == {
        "Canvas": sorted(names),
        "Wall": sorted(names),
        "Others": ["Seed"],
    }
    few = [each for each in fields if each.key.startswith("2.")]
    assert sorted(folded(few, graph)[""]) == sorted(names), "one node needs no group"


def test_of_very_many_titled_fields_the_first_are_in_the_open(definitions: Definitions) -> None:
    graph = {str(i): node("PrimitiveInt", f"Number {i}", value=i) for i in range(MOST_OPEN + 3)}

    fields = form_of(graph, definitions)

    assert [len(block) for block in open_fields(fields, graph)] == [MOST_OPEN]
    assert [len(group) for group in folded(fields, graph).values()] == [3]


def test_the_browser_sends_what_was_edited_and_an_unfit_value_is_what_its_field_shows() -> None:
    number, switch = field(Kind.NUMBER, [1], key="1.a"), field(Kind.SWITCH, "no", key="1.b")
    fields = [number, switch, field(Kind.TEXT, "as it is", key="1.c"), field(Kind.PICTURE, "a.png", key="1.d")]

    assert given_values(fields, [{}, None]) == {"1.b": True}
    assert given_values(fields, [{"1.a": "5"}, {"1.b": False}]) == {"1.a": "5", "1.b": False}


@pytest.mark.parametrize("sent", [["1.a"], "1.a", {"1.z": 1}, {"1.d": "/etc/passwd"}], ids=str)
def test_what_the_page_does_not_send_is_refused(sent: Any) -> None:
    fields = [field(Kind.NUMBER, 1, key="1.a"), field(Kind.PICTURE, "a.png", key="1.d")]

    with pytest.raises(RequestError):
        given_values(fields, [sent])
