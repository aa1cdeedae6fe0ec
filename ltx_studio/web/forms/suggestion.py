"""The button that applies what "Will it run?" suggests in the line before Generate, and the Undo for it."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ltx_studio.web.access.values import told
from ltx_studio.web.forms.form import Form
from ltx_studio.web.gradio_compat.quiet import QUIET


def wire(form: Form, fill: Callable[[str, dict[str, Any]], tuple[Any, ...]], outputs: Sequence[Any]) -> None:
    """Wire the button and its Undo in the open Blocks; `fill` returns updates of `outputs` that fill in a form."""

    def apply(*given: Any) -> tuple[Any, ...]:
        found = form.suggested(form.raw(given))
        if found is None:
            return (gr.skip(),) * (len(outputs) + 1)
        updates, before = found
        return *fill(form.mode.id, updates), gr.update(undo=form.fillings.keep(before))

    def take_back(event: gr.EventData) -> str:
        return told(event, "word")

    applied = form.told.suggest(apply, [*form.components.values()], [*outputs, form.tools], **QUIET)
    applied.then(None, None, None, js=f"() => window.ltxStudio.toPrompt('{form.mode.id}')", **QUIET)
    form.tools.undo(take_back, None, [form.filling], **QUIET)
