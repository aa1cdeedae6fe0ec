"""Refuses values that neither the page nor our clients send, before they reach the studio."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import (
    JSON,
    Audio,
    Checkbox,
    Dropdown,
    File,
    Image,
    Number,
    Radio,
    Slider,
    Textbox,
    Video,
)
from gradio.components.api_component import Api
from gradio.data_classes import PredictBody
from starlette.exceptions import HTTPException

from ltx_studio.errors import RequestError
from ltx_studio.limits import REQUEST_DEPTH
from ltx_studio.web import words

SURROGATES = "\ud800", "\udfff"
MOST = (1 << 63) - 1
MOST_OF_BROWSER = 10**21
"""From here on JavaScript writes numbers with an exponent; below it, a field may send a whole number."""
LONGEST_TOLD = 1_000
"""In characters; ids and the names of actions are far shorter."""

_SENT: tuple[tuple[tuple[type, ...], tuple[type, ...]], ...] = (
    ((Number, Slider), (int, float)),
    ((Checkbox,), (bool,)),
    ((Textbox,), (str,)),
    ((Dropdown, Radio), (str, int, float, list)),
    ((File, Image, Audio, Video), (dict, list)),
)
"""The types that the browser sends for each kind of component, besides null."""


def check_values(value: Any, *, most: int = MOST) -> None:
    """Refuse what JSON can express but nothing can use.

    These are lone surrogates, integers beyond `most`, NaN and infinity, and excessive depth.

    Args:
        value: A value of a request, as parsed from JSON.
        most: The largest magnitude of an integer that is accepted.

    Raises:
        RequestError: The value is, or contains, one of these.
    """
    level: Sequence[Any] = [value]
    for depth in range(REQUEST_DEPTH.most + 2):
        REQUEST_DEPTH.check(depth, "A value", is_partial=True)
        level = [inner for each in level for inner in _inner(each, most)]
        if not level:
            return


def check_inputs(components: Sequence[Block], given: Any) -> None:
    """Refuse values that the page's browser side does not send for these components.

    What a browser has kept of the forms (a `gr.JSON`) may be anything, and must not keep the page from opening: `kept`
    picks from it what a form can hold.

    Raises:
        RequestError: There are too many values, or one has the wrong type.
    """
    if not isinstance(given, list):
        raise RequestError(words.NOT_UNDERSTOOD, words.RELOAD)
    if len(given) > len(components):
        raise RequestError(words.NOT_UNDERSTOOD, words.RELOAD)
    is_api = any(isinstance(each, Api) for each in components)
    checked = [value for component, value in zip(components, given, strict=False) if not isinstance(component, JSON)]
    check_values(checked, most=MOST if is_api else MOST_OF_BROWSER)
    for component, value in zip(components, given, strict=False):
        kinds = next((sent for kinds, sent in _SENT if isinstance(component, kinds)), None)
        if kinds is not None and value is not None and not isinstance(value, kinds):
            raise RequestError(words.NOT_UNDERSTOOD, words.RELOAD)


def filled(components: Sequence[Block], given: list[Any]) -> list[Any]:
    """Return the values with null replaced where the browser never sends it: by an empty text, or a hidden counter."""
    if len(given) != len(components):
        return given
    return [_filled(component) if value is None else value for component, value in zip(components, given, strict=True)]


def _filled(component: Block) -> Any:
    value = getattr(component, "value", None)
    if isinstance(component, Textbox) and isinstance(value, str):
        return ""
    is_hidden = isinstance(component, Number) and component.visible in ("hidden", False)
    return value if is_hidden and isinstance(value, int | float) else None


def check_body(body: PredictBody) -> None:
    """Refuse a call that would fail only after Gradio has queued it.

    Raises:
        HTTPException: It names no session, or contains a batch, which no function here accepts.
    """
    if body.session_hash == "" or body.batched:
        raise HTTPException(400, words.NOT_UNDERSTOOD)


def told(event: gr.EventData, name: str) -> str:
    """Return what the browser sends with an event under a name, or an empty text."""
    data = event._data
    return str(data.get(name, ""))[:LONGEST_TOLD] if isinstance(data, dict) else ""


def _inner(value: Any, most: int) -> Sequence[Any]:
    """Return the values that a value contains, after checking the value itself."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, str):
        if not value.isascii() and any(SURROGATES[0] <= letter <= SURROGATES[1] for letter in value):
            raise RequestError(words.HALF_A_CHARACTER, words.HALF_A_CHARACTER_HINT)
    elif isinstance(value, bool):
        return ()
    elif isinstance(value, int):
        if not -most <= value <= most:
            raise RequestError(words.TOO_LARGE_A_NUMBER, words.TOO_LARGE_A_NUMBER_HINT)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RequestError(words.NO_FINITE_NUMBER, words.TOO_LARGE_A_NUMBER_HINT)
    return ()
