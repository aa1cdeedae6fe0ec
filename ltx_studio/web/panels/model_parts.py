"""The models panel's components."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ltx_studio.models import get_registry
from ltx_studio.settings import Settings
from ltx_studio.text.catalogue import translated
from ltx_studio.web import hidden, words
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.download_board import DownloadBoard


@dataclass(frozen=True, slots=True)
class ModelParts:
    """The panel's components."""

    chosen: gr.Radio
    needs: gr.HTML
    plan: gr.HTML
    everything: gr.Checkbox
    get: gr.Button
    use: gr.Button
    switched: gr.Number
    stop: gr.Button
    sizes: gr.Button
    contents: gr.Button
    repair: gr.Button
    remove: gr.Button
    card: gr.HTML
    confirm: gr.Row
    remove_now: gr.Button
    keep: gr.Button

    @property
    def controls(self) -> tuple[gr.components.Component, ...]:
        """The components that are disabled while work runs."""
        return self.chosen, self.everything, self.get, self.sizes, self.contents, self.remove

    @property
    def choice(self) -> tuple[gr.Radio, gr.Checkbox]:
        return self.chosen, self.everything

    @property
    def shown(self) -> list[Any]:
        return [*self.controls, self.needs, self.plan, self.use, self.stop, self.repair, self.confirm]

    @property
    def asked(self) -> list[Any]:
        """The outputs of a button's click."""
        return [*self.shown, self.card, self.remove_now]


def lay_out(settings: Settings, board: DownloadBoard, in_use: str) -> ModelParts:
    """Add the components to the open Blocks, with the set `in_use` chosen."""
    chosen = gr.Radio(
        [(translated(each.label), each.id) for each in get_registry(settings).sets.values()],
        value=in_use,
        label=texts.MODEL_SET,
        elem_id="models-set",
    )
    with gr.Row():
        get = _button("", "models-get", variant="primary", visible=False)
        use = _button(words.USE_SET, "models-use", variant="primary", visible=False)
    switched = hidden.number("models-switched", "switched")
    board.build()
    needs = gr.HTML(elem_id="models-needs")
    everything = gr.Checkbox(label=texts.EVERYTHING, elem_id="models-everything")
    plan = gr.HTML(elem_id="models-plan")
    with gr.Row():
        sizes = _button(words.CHECK_SIZES, "models-sizes", interactive=False)
        contents = _button(words.CHECK_CONTENTS, "models-contents", interactive=False)
        stop = _button(words.STOP, "models-stop", interactive=False)
        remove_ = _button(texts.REMOVE, "models-remove", interactive=False)
    card = gr.HTML(elem_id="models-run")
    repair = _button(words.REPAIR, "models-repair", variant="primary", visible=False)
    with gr.Row(visible=False) as confirm:
        keep = _button(texts.KEEP, "models-keep")
        remove_now = _button(texts.REMOVE_NOW, "models-remove-now", variant="stop")
    return ModelParts(
        chosen, needs, plan, everything, get, use, switched, stop, sizes, contents, repair, remove_, card, confirm,
        remove_now, keep,
    )  # fmt: skip


def _button(label: str, name: str, **options: Any) -> gr.Button:
    return gr.Button(label, elem_id=name, min_width=100, **options)
