"""A mode's form by itself: what it is filled in with."""

import gradio as gr
import pytest

from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.settings import Settings
from ltx_studio.ui.form import MOST_FILLINGS, Form


@pytest.fixture
def form(home: Settings) -> Form:
    made = Form(MODES["t2v"], get_registry(home).get_set("pocket"), lambda spec: None)
    with gr.Blocks():
        made.build()
    return made


def values(form: Form, word: str) -> dict[str, object]:
    """What the form takes up, without what stays."""
    told = zip(form.components, form.take_up(word), strict=True)
    return {name: update["value"] for name, update in told if "value" in update}


def test_what_a_form_is_filled_in_with_is_asked_for_once_by_a_word_that_nobody_guesses(form: Form) -> None:
    word = form.to_fill(form.put({"prompt": "night", "seconds": 3.0, "image": "/etc/passwd"}))

    assert values(form, "") == values(form, "0" * len(word)) == {}
    assert values(form, word) == {"prompt": "night", "seconds": 3.0}
    assert values(form, word) == {}


def test_what_nobody_asks_for_is_forgotten(form: Form) -> None:
    first, *_, last = (form.to_fill(form.put({"prompt": str(number)})) for number in range(MOST_FILLINGS + 1))

    assert values(form, first) == {}
    assert values(form, last) == {"prompt": str(MOST_FILLINGS)}
