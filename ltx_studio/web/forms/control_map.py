"""The preview of a control map in a form: what canny, depth or pose extracts from the clip, before rendering."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import BusyError, StudioError
from ltx_studio.studio import JobSpec, Studio
from ltx_studio.web import cards, words
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.files import made
from ltx_studio.web.forms.form import Form
from ltx_studio.web.gradio_compat.quiet import QUIET


class ControlMap:
    """A button in one form, and the map that it shows."""

    def __init__(self, form: Form, studio: Studio, redaction: Redaction) -> None:
        self._form, self._studio, self._redaction = form, studio, redaction

    def build(self) -> None:
        """Add the components to the form that is being built."""
        button_id, of_map = self._form.id("preview-control"), ["of-control"]
        self._told = gr.HTML("", elem_id=self._form.id("control-told"))
        self._shown = gr.Image(
            label=words.CONTROL_MAP,
            interactive=False,
            visible=False,
            buttons=[],
            elem_id=self._form.id("control-map"),
        )
        self._button = gr.Button(words.PREVIEW_CONTROL, size="sm", elem_id=button_id, elem_classes=of_map)

    def wire(self) -> None:
        """Handle the button's clicks; the form must be built."""
        given = list(self._form.components.values())
        self._button.click(self._preview, given, [self._told, self._shown], **QUIET)

    def _preview(self, *given: Any) -> tuple[Any, Any]:
        """Return the notes on the map, or an error's card, and the update of the map."""
        try:
            spec = self._spec(self._form.raw(given))
            path = made("control-map.png", partial(self._write, spec))
        except StudioError as problem:
            return self._redaction.error(problem), gr.update(value=None, visible=False)
        notes = spec.steering_notes()
        return cards.line(" ".join(notes)) if notes else "", gr.update(value=path, visible=True)

    def _spec(self, raw: Mapping[str, Any]) -> JobSpec:
        return self._form.spec({**raw, "prompt": (raw["prompt"] or "").strip() or "…"})

    def _write(self, spec: JobSpec, destination: Path) -> Path:
        """Write the preview. A map that needs a model does not wait for a run to end: the page would seem to hang.

        Raises:
            BusyError: A job is running, and the map needs a model.
        """
        if getattr(spec.params, "control", "") in ("depth", "pose") and self._studio.jobs.any_running():
            raise BusyError(words.CONTROL_BUSY, words.CONTROL_BUSY_HINT)
        return self._studio.preview_control(spec, destination, CancelToken())
