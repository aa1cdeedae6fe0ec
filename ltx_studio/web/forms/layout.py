"""The layout of a mode's form, built from its declaration: prompt, files, size, numbers, preset, LoRAs, the rest."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from pydantic.fields import FieldInfo

from ltx_studio.families import ModelSet, Preset
from ltx_studio.modes import TUNING, Media, Mode, drawn_seed
from ltx_studio.modes.examples import Example
from ltx_studio.text.catalogue import translated
from ltx_studio.web import hidden, words
from ltx_studio.web.forms import fields
from ltx_studio.web.forms.loras import LoraShelf
from ltx_studio.web.forms.sizes import SHAPES, Sizes
from ltx_studio.web.gradio_compat.components import Slider
from ltx_studio.web.gradio_compat.late_props import when_there
from ltx_studio.web.gradio_compat.quiet import QUIET

MOST_TAKES = 16
_STARTS = ("audio_start", "clip_start")
"""Fields that choose the part of a file that the clip follows, shown beside its length."""
SIZE_CLASSES = ("buttons", "sizes")
OWN_SHAPE, SHAPE_OF_FILE = "own", "file"
PLAIN = ("prompt", "width", "height", "seconds", "seed", "loras", "edge_threshold")
"""Fields that are laid out separately, or not shown at all: the edge threshold is fitted to the clip."""
CONTROLS = ("control", "ic_lora", "ic_lora_strength", "control_strength")
"""Fields of a control clip; without one they are not shown."""


TOLD = """
element.addEventListener("click", ({ target }) => target.closest(".suggest") && trigger("suggest"));
watch("value", () => window.ltxAnnouncer?.sayOfForm(element));
"""
"""JavaScript of the line before Generate: its button applies what is suggested, and changes are read out."""


class FormLayout:
    """The components of one mode's form. They have names: those of the mode's parameters, and the form's own.

    Attributes:
        mode: The mode.
        components: The components by name, in the order in which handlers take and return their values.
        told: The line that says what will be made.
        tuning_hint: Says which presets can be changed, where the chosen one cannot.
        generate: The button that submits a request.
        tools: The examples and recent prompts beside the prompt's title.
        filling: Receives a key of `Form.fillings`; its change event must call `Form.take_up`. (Not a `gr.State`: for
            one that an event skips, Gradio's browser side reports a change once.)
        found: Receives what a browser kept, for the browser to restore.
        changed: Changes whenever the form has changed, to trigger `Form.tell`.
    """

    told: gr.HTML
    generate: gr.Button
    tools: gr.HTML
    filling: gr.Textbox
    found: gr.Textbox
    changed: gr.Number

    def __init__(self, mode: Mode, model_set: ModelSet, loras: LoraShelf, preset: Preset | None) -> None:
        self.mode, self._set, self._loras = mode, model_set, loras
        usual = model_set.family.usual_preset
        self._default = usual if preset is None or preset.refusal(model_set) else preset
        self.components: dict[str, gr.components.Component] = {}
        self._fields: Mapping[str, FieldInfo] = mode.params.model_fields
        self._follows_file = self._fields["seconds"].is_required()
        self._sizes = Sizes(model_set)
        by_kind = sorted(mode.media, key=lambda name: mode.media[name] is Media.SOUND)  # pictures and clips first
        self._needed = [name for name in by_kind if self._fields[name].is_required()]
        self._pictured = any(mode.media[name] is not Media.SOUND for name in self._needed)

    def build(self, control_map: Callable[[], None] = lambda: None) -> None:
        """Add the components to the open Blocks; `control_map` adds those that show what a control clip gives."""
        needs_control = "control" in self._fields and "control_clip" not in self._fields
        files = [*self._needed, *(["image"] if needs_control else [])]
        hint = f"{translated(str(self._fields['prompt'].description))}\n“{self._sample_prompt()}”"
        self._field("prompt", lines=4, info=None, placeholder=hint, elem_classes=["prompt"])
        self.tools = gr.HTML(
            html_template='<div class="tools"></div>',
            js_on_load=when_there(
                f"window.ltxPrompt(element, props, trigger, watch, '{self.mode.id}') // sends 'example', 'undo'",
                *("says", "examples"),
            ),
            says=words.PROMPT_TOOLS,
            undo="",
            examples=[[translated(each.label), self._for_real(each.for_pocket)] for each in self._examples()],
            elem_id=self.id("tools"),
            elem_classes=["tools-place"],
        )
        if files:
            with gr.Row(elem_classes=["files"]):
                for name in files:
                    self._field(name)
        self._add_size()
        with gr.Row(elem_classes=["numbers"]):
            self._add_numbers()
        self._add_preset()
        if needs_control:
            self._add_controls(control_map)
        self._add_loras()
        with gr.Accordion(words.MORE_SETTINGS, open=False, elem_id=self.id("more")):
            for name in self._fields:
                if name not in (*PLAIN, *CONTROLS, *_STARTS, *TUNING, *files):
                    self._field(name)
            self._add_tuning()
            if "control_clip" in self._fields:
                self._add_controls(control_map)
        with gr.Column(elem_classes=["dock"]):
            self.told = gr.HTML(elem_id=self.id("told"), js_on_load=TOLD)
            self.generate = gr.Button(
                words.GENERATE, variant="primary", elem_id=self.id("generate"), elem_classes=["generate"]
            )

    def _examples(self) -> list[Example]:
        """Return the mode's examples: first those for the model set in use."""
        return sorted(self.mode.examples, key=lambda each: each.for_pocket != self._set.is_preview)

    def _sample_prompt(self) -> str:
        """Return what an empty prompt shows: a whole short one, or how one for the real model begins."""
        if self._set.is_preview:
            return self.mode.placeholder
        return f"{str(self._examples()[0].values['prompt']).partition('. ')[0]} …"

    def _for_real(self, for_pocket: bool) -> str:
        """Return what is said of an example that a preview model set cannot make."""
        return words.PROMPT_TOOLS["real"] if self._set.is_preview and not for_pocket else ""

    def id(self, name: str) -> str:
        """Return the HTML id of a component."""
        return f"{self.mode.id}-{name.replace('_', '-')}"

    def build_hidden(self) -> None:
        """Add the components that are never shown."""
        self._add("once", hidden.text(self.id("once"), "once"))
        self.filling = hidden.text(self.id("filling"), "filling")
        self.found = hidden.text(self.id("found"), "found")
        self.changed = hidden.number(self.id("changed"), "changed")

    def _about(self, preset: Preset) -> str:
        return translated(preset.description(self._set, stages=self.mode.samplings))

    def _presets(self) -> list[Preset]:
        """Return the presets that the model set can do, the quickest first."""
        able = [preset for preset in self._set.family.presets.values() if not preset.refusal(self._set)]
        return sorted(able, key=lambda preset: not preset.draft)

    def _add(self, name: str, component: gr.components.Component) -> None:
        self.components[name] = component

    def _field(self, name: str, **more: Any) -> None:
        kind = self.mode.media.get(name)
        self._add(name, fields.component(self._fields[name], kind, elem_id=self.id(name), **more))

    def _add_size(self) -> None:
        of_file = [(words.SHAPE_OF_FILE[self._kind_of_shape()], SHAPE_OF_FILE)] if self._pictured else []
        shapes = [*of_file, *((shape, shape) for shape in SHAPES), (words.SHAPE_OWN, OWN_SHAPE)]
        usual = SHAPE_OF_FILE if of_file else self._sizes.shape
        self._add("shape", fields.buttons(shapes, usual, words.SHAPE, self.id("shape"), "shapes"))
        choices = self._sizes.choices(SHAPES[self._sizes.shape])
        self._add("size", fields.buttons(choices, self._sizes.usual, words.SIZE, self.id("size"), "sizes"))
        for name, value in (("width", self._set.width), ("height", self._set.height)):
            self._field(name, value=value, visible=False)
        shape, ruled = self.components["shape"], [self.components[name] for name in ("width", "height", "size")]
        js = f"shape => window.ltxForms.showSize(shape === '{OWN_SHAPE}', '{self.mode.id}')"
        shape.input(None, [shape], ruled, js=js, **QUIET)  # type: ignore[attr-defined]

    def _kind_of_shape(self) -> Media:
        return next(kind for name in self._needed if (kind := self.mode.media[name]) is not Media.SOUND)

    def _add_numbers(self) -> None:
        """Add the length, the number of clips, and the seed."""
        if self._follows_file:
            kind = Media.SOUND if Media.SOUND in self.mode.media.values() else Media.CLIP
            label = words.AS_LONG[kind]
            self._add("as_long", gr.Checkbox(label=label, value=True, elem_id=self.id("as_long"), container=False))
        self._field("seconds", value=2.0, visible=not self._follows_file, info=None, elem_classes=["stepper"])
        for name in _STARTS:
            if name in self._fields:
                self._field(name, info=None, elem_classes=["stepper"])
        if self._follows_file:
            as_long, seconds = self.components["as_long"], self.components["seconds"]
            js = "isAsLong => window.ltxForms.show(!isAsLong)"
            as_long.input(None, [as_long], [seconds], js=js, **QUIET)  # type: ignore[attr-defined]
        clips = Slider(1, MOST_TAKES, value=1, step=1, label=words.TAKES, elem_id=self.id("takes"),
                       elem_classes=["stepper"])  # fmt: skip
        self._add("takes", clips)
        title = translated(str(self._fields["seed"].title))
        seed = gr.Number(value=0, precision=0, label=title, elem_id=self.id("seed"), min_width=120)
        dice = gr.Button(words.DICE, elem_id=self.id("dice"), elem_classes=["dice"], min_width=44)
        new = gr.Checkbox(label=words.RANDOM_SEED, value=True, elem_id=self.id("new-seed"), container=False)
        self._add("seed", seed)
        self._add("new_seed", new)
        dice.click(lambda: (drawn_seed(), False), None, [seed, new], **QUIET)

    def _add_preset(self) -> None:
        choices = [(translated(preset.label), preset.id) for preset in self._presets()]
        about = self._about(self._default)
        preset = fields.buttons(choices, self._default.id, words.PRESET, self.id("preset"), "presets", info=about)
        self._add("preset", preset)

    def _add_tuning(self) -> None:
        """Add what changes the preset, and what says which presets obey it."""
        with gr.Row(elem_classes=["tuning"]):
            for name in self.mode.tuning:
                self._field(name)
        self.tuning_hint = gr.HTML(elem_id=self.id("tuning-hint"), elem_classes=["tuning-hint"])

    def _add_controls(self, control_map: Callable[[], None]) -> None:
        control_map()
        for name in CONTROLS:
            self._field(name)

    def _add_loras(self) -> None:
        loras = gr.HTML(
            [],
            html_template='<div class="loras"></div>',
            js_on_load=when_there(
                f"window.ltxLoras(element, props, trigger, watch, '{self.mode.id}') // sends 'look', 'edited'",
                *("says", "library"),
            ),
            says=words.LORAS,
            library=[],
            elem_id=self.id("loras"),
        )
        self._add("loras", loras)
        loras.look(lambda: gr.update(library=self._loras.library()), None, [loras], **QUIET)
