"""What is refused of a request's values, and what passes."""

from typing import Any

import gradio as gr
import pytest

from ltx_studio.errors import RequestError
from ltx_studio.limits import REQUEST_DEPTH
from ltx_studio.web.access.values import MOST, MOST_OF_BROWSER, check_inputs, check_values, filled, told


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (10**30, "too large"),
        (-(10**19), "too large"),
        ({"a": [{"b": 1 << 63}]}, "too large"),
        ("a\ud800b", "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ([["x", ["\udc00"]]], "lone surrogate"),
        (float("nan"), "infinite or NaN"),
        ([float("-inf")], "infinite or NaN"),
        (nested(REQUEST_DEPTH.most + 1), "levels of lists"),
        (nested(100_000), "levels of lists"),
    ],
)
def test_what_nothing_can_use_is_refused(value: Any, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        check_values(value)


@pytest.mark.parametrize(
    "value",
    [None, True, MOST, -MOST, 1e300, "", "tschüß 😀", [], {}, {"a": [1, "x", None, {"b": 2.5}]}, nested(30)],
)
def test_what_can_be_meant_passes(value: Any) -> None:
    check_values(value)


def test_a_field_may_bring_what_javascript_writes_as_a_whole_number() -> None:
    field = gr.Number(render=False)

    check_inputs([field], [10**20])
    with pytest.raises(RequestError, match="too large"):
        check_inputs([field], [MOST_OF_BROWSER * 10])


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (gr.Textbox(render=False), 5),
        (gr.Textbox(render=False), {"a": 1}),
        (gr.Number(render=False), "5"),
        (gr.Slider(render=False), [5]),
        (gr.Checkbox(render=False), "true"),
        (gr.Dropdown(["a"], render=False), {"a": 1}),
        (gr.File(render=False), "/etc/passwd"),
    ],
)
def test_a_value_of_another_kind_than_the_browser_sends_is_refused(component: Any, value: Any) -> None:
    check_inputs([component], [None])
    with pytest.raises(RequestError, match="does not understand"):
        check_inputs([component], [value])


def test_more_values_than_inputs_are_refused() -> None:
    with pytest.raises(RequestError, match="does not understand"):
        check_inputs([], ["x"])


def test_null_is_no_text_where_the_browser_never_sends_it() -> None:
    fields = [gr.Textbox("", render=False), gr.Number(3, visible="hidden", render=False), gr.Number(3, render=False)]

    assert filled(fields, [None, None, None]) == ["", 3, None]
    assert filled(fields, ["a", 1, 2]) == ["a", 1, 2]
    assert filled(fields, [None]) == [None]


@pytest.mark.parametrize(
    ("data", "said"),
    [({"act": "up"}, "up"), ({"act": 5}, "5"), ({}, ""), (None, ""), ([1], ""), ({"act": "x" * 9_999}, "x" * 1_000)],
)
def test_what_an_event_tells_is_a_short_text(data: Any, said: str) -> None:
    assert told(gr.EventData(None, data), "act") == said


def test_what_a_browser_has_kept_never_keeps_the_page_from_opening() -> None:
    check_inputs([gr.JSON()], [{"t2v": {"prompt": "x \ud800", "seed": 10**40}}])
