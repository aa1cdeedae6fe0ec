"""Fields that are never shown: with them, handlers and the page's scripts tell each other what has changed."""

from typing import Any

import gradio as gr

NEVER: dict[str, Any] = {"visible": "hidden", "elem_classes": ["internal"]}
"""Options of a component that is never shown. Gradio alone would show it with the column that it is in."""


def text(elem_id: str, name: str, **options: Any) -> gr.Textbox:
    """Return an empty text; `name` is its label, for requests alone."""
    return gr.Textbox("", label=name, elem_id=elem_id, **NEVER, **options)


def number(elem_id: str, name: str) -> gr.Number:
    """Return a number, 0 at first; `name` is its label, for requests alone."""
    return gr.Number(0, label=name, elem_id=elem_id, **NEVER)
