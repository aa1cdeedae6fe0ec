"""The fields of a form that a browser keeps across reloads, with `assets/forms.js`, and the check of their values."""

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from ltx_studio.web.forms import fields
from ltx_studio.web.forms.form import Form
from ltx_studio.web.gradio_compat.quiet import QUIET

RULERS = {"width": "shape", "height": "shape", "size": "shape", "seconds": "as_long"}
"""By field name, the field that decides whether it is shown or can be edited."""
SILENT = ("prompt", "negative_prompt")
"""Fields that do not change the line that says what the form will make."""


def kept(form: Form) -> dict[str, gr.components.Component]:
    """Return the components that a browser keeps, by name: all but files."""
    return {name: each for name, each in form.components.items() if not isinstance(each, fields.FILES)}


def wire(form: Form) -> dict[str, Any]:
    """Have the browser keep what the form holds, and restore what `form.found` has, in the open Blocks.

    Return the arguments of an event that keeps the form again and updates the line that says what it will make.
    """
    by_name, components = kept(form), form.components.values()
    built = [getattr(each, "value", None) for each in by_name.values()]
    known = json.dumps({"mode": form.mode.id, "names": [*by_name], "built": built})
    now = list(by_name.values())

    def by(what: str, outputs: Any = (form.changed,)) -> dict[str, Any]:
        js = f"(...values) => window.ltxForms.{what}({known}, values)"
        return {"fn": None, "inputs": now, "outputs": list(outputs), "js": js, **QUIET}

    # the browser searches all triggers for each component when it opens the page, so each field has only one
    silent = [by_name[name] for name in SILENT if name in by_name]
    files = [each.change for each in components if each not in now]  # type: ignore[attr-defined]
    remember = by("remember")
    told = [each for each in now if each not in silent]
    gr.on([*files, *(fields.edited(each) for each in told if not isinstance(each, gr.HTML))], **remember)
    by_name["loras"].edited(**remember)  # type: ignore[attr-defined]
    gr.on([fields.edited(each) for each in silent], **by("remember", ()))
    before = f"word => window.ltxForms.toFill('{form.mode.id}', word)"
    filled = form.filling.change(form.take_up, [form.filling], list(components), js=before, **QUIET)
    filled.then(**by("filled", ())).then(**remember)
    restore = f"(found, ...values) => window.ltxForms.restore({known}, found, values)"
    restored = form.found.change(None, [form.found, *now], now, js=restore, **QUIET)
    restored.then(None, None, None, js="() => window.ltxForms.told()", **QUIET).then(**by("settled"))
    return remember


def to_restore(form: Form, found: Any) -> str:
    """Return what a browser has kept, as JSON: by name, the update and the field in `RULERS`.

    The browser restores it by itself, where nothing was changed in the meantime. Invalid values and unknown names are
    left out.
    """
    found = found if isinstance(found, Mapping) else {}
    known = {name: each for name, each in kept(form).items() if name in found}
    good = {name: found[name] for name, each in known.items() if fields.is_one(each, found[name])}
    if "loras" in found:
        good["loras"] = form.loras_kept(found["loras"])
    return json.dumps({name: [update, RULERS.get(name)] for name, update in form.updates(good).items()})
