"""A mode's form, built from its declaration: the fields, what they will make, and which of them have no effect."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import gradio as gr
from pydantic.fields import FieldInfo

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet, Preset
from ltx_studio.media.input_store import is_here
from ltx_studio.modes import Limit, Media, Mode, drawn_seed
from ltx_studio.modes.examples import Example
from ltx_studio.modes.sizes import SHAPES, fitting, nearest_shape
from ltx_studio.studio import Cost, Estimate, JobSpec
from ltx_studio.studio.recipes import Recipes
from ltx_studio.studio.will_it_run import Suggestion
from ltx_studio.web import cards, words
from ltx_studio.web.files import private_copy
from ltx_studio.web.forms import fields
from ltx_studio.web.forms.fillings import Fillings
from ltx_studio.web.gradio_compat.components import Slider
from ltx_studio.web.gradio_compat.quiet import QUIET
from ltx_studio.web.hints import hint_of

LORA_ROWS = 4
MOST_TAKES = 16
OWN_SHAPE, SHAPE_OF_FILE = "own", "file"
AREAS = (0.25, 4.0)
"""Smallest and largest area that the slider offers, as factors of the model set's own."""
_PLAIN = ("prompt", "width", "height", "seconds", "seed", "loras", "edge_threshold")
"""Fields that are laid out separately, or not shown at all: the edge threshold is fitted to the clip."""

Told = Callable[[JobSpec], Estimate | None]
Costs = Callable[[JobSpec], Cost | None]
Updates = dict[str, Any]


class Form:
    """The form of one mode. Its components have names: those of the mode's parameters, and the form's own.

    Attributes:
        mode: The mode.
        components: The components by name, in the order in which handlers take and return their values.
        told: The line that says what will be made.
        generate: The button that submits a request.
        example: The list of examples, by label.
        fillings: The updates that wait to be filled in.
        filling: Receives a key of `fillings`; its change event must call `take_up`. (Not a `gr.State`: for one that an
            event skips, Gradio's browser side reports a change once.)
        found: Receives what a browser kept, for the browser to restore.
        changed: Changes whenever the form has changed, to trigger `tell`.
        below_more: Space above the line that says what will be made, in forms that take a control clip.
    """

    told: gr.HTML
    generate: gr.Button
    example: gr.Dropdown
    filling: gr.Textbox
    found: gr.Textbox
    changed: gr.Number
    below_more: gr.Column

    def __init__(
        self,
        mode: Mode,
        model_set: ModelSet,
        estimate: Told,
        preset: Preset | None = None,
        cost: Costs = lambda _spec: None,
        misfit: Callable[[JobSpec], Suggestion | None] = lambda _spec: None,
    ) -> None:
        self.mode, self._set, self._estimate, self._cost, self._misfit = mode, model_set, estimate, cost, misfit
        usual = model_set.family.usual_preset
        self._default = usual if preset is None or preset.refusal(model_set) else preset
        self.components: dict[str, gr.components.Component] = {}
        self._fields: Mapping[str, FieldInfo] = mode.params.model_fields
        self._follows_file = self._fields["seconds"].is_required()
        self.fillings = Fillings()
        self._pictured = any(
            kind is not Media.SOUND and self._fields[name].is_required() for name, kind in mode.media.items()
        )

    def build(self) -> None:
        """Add the components to the open Blocks."""
        needed = [name for name in self.mode.media if self._fields[name].is_required()]
        labels = [(words.EXAMPLES, ""), *((self._named(each), each.label) for each in self.mode.examples)]
        self.example = gr.Dropdown(
            labels, value="", label=words.EXAMPLES, show_label=False, container=False, elem_id=self.id("example")
        )
        if needed:
            with gr.Row(equal_height=True):
                for name in needed:
                    self._field(name)
        self._field("prompt", lines=3, placeholder=self.mode.placeholder)
        with gr.Row():
            self._add_size()
            self._add_length()
        self._add_preset()
        self._add_seed()
        with gr.Accordion(words.MORE_SETTINGS, open=False, elem_id=self.id("more")):
            self._add_more(needed)
        if "control" in self._fields:
            with gr.Column(elem_id=self.id("below-more")) as self.below_more:
                pass
        with gr.Column(elem_classes=["dock"]):
            self.told = gr.HTML(elem_id=self.id("told"))
            self.generate = gr.Button(
                words.GENERATE, variant="primary", elem_id=self.id("generate"), elem_classes=["generate"]
            )

    def _named(self, example: Example) -> str:
        """Return an example's label in the list; it says so if a preview model set cannot make it."""
        return (
            words.FOR_REAL.format(label=example.label) if self._set.notice and not example.for_pocket else example.label
        )

    def id(self, name: str) -> str:
        """Return the HTML id of a component."""
        return f"{self.mode.id}-{name.replace('_', '-')}"

    @property
    def limited(self) -> list[str]:
        """The names of the components that `tell` may disable."""
        return [name for name in self.components if name in self._fields and name not in (*_PLAIN, *self.mode.media)]

    @property
    def tellers(self) -> list[gr.components.Component]:
        """The components that `tell` returns updates for."""
        return [self.told, self.components["preset"], *(self.components[name] for name in self.limited)]

    def build_hidden(self) -> None:
        """Add the hidden components, outside of any column that is shown and hidden: Gradio would show them with it."""
        self.filling = gr.Textbox("", visible="hidden", label="filling", elem_id=self.id("filling"))
        self.found = gr.Textbox("", visible="hidden", label="found", elem_id=self.id("found"))
        self.changed = gr.Number(0, visible="hidden", label="changed", elem_id=self.id("changed"))

    def take_up(self, word: str) -> list[Any]:
        """Return the updates of the components that `fillings` keeps under `word`."""
        updates = self.fillings.take(word)
        return [updates.get(name, gr.skip()) for name in self.components]

    def raw(self, given: Sequence[Any]) -> dict[str, Any]:
        """Return the values that a handler received, by name."""
        return dict(zip(self.components, given, strict=True))

    def spec(self, raw: Mapping[str, Any]) -> JobSpec:
        """Return the request that the form holds.

        Raises:
            RequestError: A file is missing, or the request cannot be carried out.
        """
        for name in self.mode.media:
            if self._fields[name].is_required() and not raw[name]:
                raise RequestError(words.IS_MISSING.format(name=self._fields[name].title), words.DROP_ONE)
        return JobSpec.from_request(self.mode.id, self._values(raw), self._set, raw["preset"])

    def tell(self, raw: Mapping[str, Any]) -> list[Any]:
        """Return updates of the `tellers` for what the form holds."""
        tried = {**raw, "prompt": (raw["prompt"] or "").strip() or "…"}  # an empty prompt is reported on submit
        preset = self._set.family.get_preset(raw["preset"])
        missing = [
            str(self._fields[name].title)
            for name in self.mode.media
            if self._fields[name].is_required() and not raw[name]
        ]
        labels = {each.id: each.label for each in self._presets()}
        if missing:
            told = cards.told(words.NEEDS.format(files=words.AND.join(missing).lower()))
        else:
            try:
                spec = self.spec(tried)
                labels = {each: self._label(tried, each) for each in labels}
                measures = self.mode.measures(spec.params, preset)
                notes = [*(each.message for each in [self._misfit(spec)] if each), *spec.notes()]
                told = cards.told(measures, notes, seconds=self._seconds(spec), cost=self._cost(spec))
            except StudioError as problem:
                told = cards.told(f"{problem.message} {hint_of(problem)}", wrong=True)
        choices = [(label, each) for each, label in labels.items()]
        return [told, gr.update(choices=choices, info=self._about(preset)), *self._limits(raw, preset)]

    def fill(self, spec: JobSpec) -> Updates:
        """Return updates by name that fill the form with an earlier request; its seed is kept."""
        params = spec.params
        filled: Updates = {name: getattr(params, name) for name in self.components if name in self._fields}
        for name in self.mode.media:
            path = filled[name]
            filled[name] = private_copy(path) if path is not None and is_here(path) else None
        loras = [lora for lora in params.loras if is_here(lora.file)][:LORA_ROWS]
        for row in range(LORA_ROWS):
            lora = loras[row] if row < len(loras) else None
            filled[f"lora_{row}"] = private_copy(lora.file) if lora else None
            filled[f"lora_{row}_strength"] = lora.strength if lora else 1.0
        preset = spec.preset if spec.preset in {each.id for each in self._presets()} else self._default.id
        filled |= {"preset": preset, "new_seed": False, "takes": 1, "shape": OWN_SHAPE}
        if self._follows_file:
            filled["as_long"] = False
        return self.updates(filled)

    def lost(self, spec: JobSpec) -> list[str]:
        """Return what `fill` cannot restore of a request, as phrases."""
        lost = [words.LOST_FILE.format(name=title) for title in Recipes.missing_files(spec)]
        more = sum(is_here(lora.file) for lora in spec.params.loras) - LORA_ROWS
        if more > 0:
            lost.append(words.LOST_LORAS.format(count=more, rows=LORA_ROWS))
        threshold = spec.own_threshold()
        if threshold is not None:
            lost.append(words.LOST_THRESHOLD.format(value=threshold))
        if spec.preset not in {each.id for each in self._presets()}:
            lost.append(words.LOST_PRESET.format(preset=spec.sampling.label, other=self._default.label))
        if spec.model_set.id != self._set.id:
            lost.append(words.LOST_SET.format(id=spec.model_set.id, other=self._set.label))
        return lost

    def put(self, values: Mapping[str, Any]) -> Updates:
        """Return updates by name for some values, such as an example's; files are copied to Gradio's cache."""
        filled = {name: value for name, value in values.items() if name in self.components}
        for name in self.mode.media:
            if filled.get(name) is not None:
                filled[name] = private_copy(Path(filled[name]))
        if self._follows_file and "seconds" not in values:
            filled["as_long"] = True
        return self.updates(filled)

    def updates(self, values: Mapping[str, Any]) -> Updates:
        """Return updates by name for these values.

        The fields of a custom size are shown if it is chosen. Lists that `tell` has shortened get all choices back:
        Gradio refuses every event of a form with a value that is not a choice.
        """
        made = {name: gr.update(value=value) for name, value in values.items() if name in self.components}
        for name in made.keys() & set(self.limited):
            if isinstance(self.components[name], gr.Dropdown):
                made[name] = gr.update(**made[name], choices=self.components[name].choices)  # type: ignore[attr-defined]
        if "shape" in values:
            for name in ("width", "height"):
                made[name] = gr.update(**made.get(name, {}), visible=values["shape"] == OWN_SHAPE)
            made["megapixels"] = gr.update(**made.get("megapixels", {}), visible=values["shape"] != OWN_SHAPE)
        if "as_long" in values:
            made["seconds"] = gr.update(**made.get("seconds", {}), interactive=not values["as_long"])
        return made

    def _values(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: raw[name] for name in self._fields if name in raw}
        given |= self._size(raw)
        if raw["new_seed"]:
            given["seed"] = None
        if raw.get("as_long"):
            given["seconds"] = None
        rows = ((raw[f"lora_{row}"], raw[f"lora_{row}_strength"]) for row in range(LORA_ROWS))
        given["loras"] = [{"file": file, "strength": strength} for file, strength in rows if file]
        return given

    def _size(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        if raw["shape"] == OWN_SHAPE:
            return {name: raw[name] for name in ("width", "height")}
        shape = SHAPES.get(raw["shape"]) or self.mode.shape(raw) or (self._set.width, self._set.height)
        return fitting(*shape, {}, float(raw["megapixels"]) * 1e6, self._set.family.geometry)

    def _label(self, raw: Mapping[str, Any], preset: str) -> str:
        """Return a preset's label, with the estimated time if there is one."""
        label = self._set.family.presets[preset].label
        try:
            seconds = self._seconds(self.spec({**raw, "preset": preset}))
        except StudioError:
            return label  # the line below says why
        return label if seconds is None else f"{label} · {words.in_seconds(seconds)}"

    def _seconds(self, spec: JobSpec) -> float | None:
        estimate = self._estimate(spec)
        return None if estimate is None else estimate.seconds

    def _limits(self, raw: Mapping[str, Any], preset: Preset) -> Iterator[Any]:
        values = {name: raw[name] or None for name in self._fields if name in raw}
        found = list(self.mode.limits(values, preset, self._set))
        for name in self.limited:
            yield self._limit(name, raw[name], [limit for limit in found if limit.field == name])

    def _limit(self, name: str, now: Any, found: Sequence[Limit]) -> Any:
        """Return the update of a component that holds `now`, under the limits `found` for it."""
        field = self._fields[name]
        whole = next((limit for limit in found if not limit.choice), None)
        info = f"{field.title} {whole.reason}." if whole else field.description
        update: dict[str, Any] = {"interactive": whole is None, "info": info}
        choices = get_args(field.annotation)
        if isinstance(self.components[name], gr.Dropdown):
            refused = {limit.choice for limit in found if limit.refuses}
            # the current value stays among the choices, and the line below says what is wrong with it: Gradio refuses
            # every event of a form with a value that is not a choice
            update["choices"] = fields.choices(each for each in choices if each not in refused or each == now)
        return gr.update(**update)

    def _about(self, preset: Preset) -> str:
        return preset.description(self._set, stages=self.mode.samplings)

    def _presets(self) -> list[Preset]:
        return [preset for preset in self._set.family.presets.values() if not preset.refusal(self._set)]

    def _add(self, name: str, component: gr.components.Component) -> None:
        self.components[name] = component

    def _field(self, name: str, **more: Any) -> None:
        kind = self.mode.media.get(name)
        self._add(name, fields.component(self._fields[name], kind, elem_id=self.id(name), **more))

    def _add_size(self) -> None:
        ratio = nearest_shape(self._set.width, self._set.height)
        of_file = [(words.SHAPE_OF_FILE, SHAPE_OF_FILE)] if self._pictured else []
        area = self._set.width * self._set.height / 1e6
        with gr.Column(min_width=220):
            self._add(
                "shape",
                gr.Dropdown(
                    [*of_file, *((shape, shape) for shape in SHAPES), (words.SHAPE_OWN, OWN_SHAPE)],
                    value=SHAPE_OF_FILE if of_file else ratio,
                    label=words.SHAPE,
                    elem_id=self.id("shape"),
                ),
            )
            self._add(
                "megapixels",
                Slider(
                    round(area * AREAS[0], 3),
                    round(area * AREAS[1], 3),
                    value=round(area, 3),
                    step=0.001 if area < 0.1 else 0.01,
                    label=words.MEGAPIXELS,
                    elem_id=self.id("megapixels"),
                ),
            )
            for name, value in (("width", self._set.width), ("height", self._set.height)):
                self._field(name, value=value, visible=False)
        shape, own = self.components["shape"], [self.components[name] for name in ("width", "height")]
        js = f"shape => window.ltxForms.showSize(shape === '{OWN_SHAPE}')"
        shape.input(None, [shape], [*own, self.components["megapixels"]], js=js, **QUIET)  # type: ignore[attr-defined]

    def _add_length(self) -> None:
        with gr.Column(min_width=220):
            self._field("seconds", value=2.0, interactive=not self._follows_file)
            if self._follows_file:
                self._add(
                    "as_long", gr.Checkbox(label=words.AS_LONG, value=True, elem_id=self.id("as_long"), container=False)
                )
                as_long, seconds = self.components["as_long"], self.components["seconds"]
                js = "isAsLong => window.ltxForms.enable(!isAsLong)"
                as_long.input(None, [as_long], [seconds], js=js, **QUIET)  # type: ignore[attr-defined]
            takes = Slider(1, MOST_TAKES, value=1, step=1, label=words.TAKES, elem_id=self.id("takes"))
            self._add("takes", takes)

    def _add_preset(self) -> None:
        choices = [(preset.label, preset.id) for preset in self._presets()]
        preset = gr.Radio(
            choices,
            value=self._default.id,
            label=words.PRESET,
            info=self._about(self._default),
            elem_id=self.id("preset"),
            elem_classes=["presets"],
        )
        self._add("preset", preset)

    def _add_seed(self) -> None:
        with gr.Row(elem_classes=["seeds"]):
            title = self._fields["seed"].title
            seed = gr.Number(value=0, precision=0, label=title, elem_id=self.id("seed"), min_width=140, scale=2)
            dice = gr.Button(words.DICE, elem_id=self.id("dice"), elem_classes=["dice"], min_width=90, scale=1)
            new = gr.Checkbox(label=words.RANDOM_SEED, value=True, elem_id=self.id("new-seed"), min_width=150, scale=2)
        self._add("seed", seed)
        self._add("new_seed", new)
        dice.click(lambda: (drawn_seed(), False), None, [seed, new], **QUIET)

    def _add_more(self, shown: Sequence[str]) -> None:
        for name in self._fields:
            if name not in (*_PLAIN, *shown):
                self._field(name)
        gr.HTML(cards.line(words.LORAS))
        for row in range(LORA_ROWS):
            with gr.Row(equal_height=True, elem_classes=["lora"]):
                self._add(
                    f"lora_{row}",
                    gr.File(
                        label=words.LORA.format(number=row + 1),
                        file_types=[".safetensors"],
                        type="filepath",
                        height=90,
                        elem_id=self.id(f"lora-{row}"),
                    ),
                )
                self._add(
                    f"lora_{row}_strength",
                    Slider(
                        -4,
                        4,
                        value=1,
                        step=0.05,
                        label=words.STRENGTH.format(number=row + 1),
                        elem_id=self.id(f"lora-{row}-strength"),
                    ),
                )
