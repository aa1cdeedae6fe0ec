"""A mode's form: what its fields will make, which of them have no effect, and what fills them in."""

import bisect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet, Preset
from ltx_studio.media.input_store import is_here
from ltx_studio.modes import Limit, Mode
from ltx_studio.modes.fields import MAX_LORAS
from ltx_studio.studio import Cost, Estimate, JobSpec
from ltx_studio.studio.recipes import Recipes
from ltx_studio.studio.will_it_run import Suggestion
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, words
from ltx_studio.web.files import private_copy
from ltx_studio.web.forms import fields
from ltx_studio.web.forms.fillings import Fillings
from ltx_studio.web.forms.layout import OWN_SHAPE, PLAIN, SHAPE_OF_FILE, SIZE_CLASSES, FormLayout
from ltx_studio.web.forms.loras import LoraShelf
from ltx_studio.web.forms.sizes import SHAPES, Pixels
from ltx_studio.web.hints import hint_of, message_of

Told = Callable[[JobSpec], Estimate | None]
Costs = Callable[[JobSpec], Cost | None]
Updates = dict[str, Any]


class Form(FormLayout):
    """The form of one mode: what it holds, what that will make, and what fills it in.

    Attributes:
        fillings: The updates that wait to be filled in.
    """

    def __init__(
        self,
        mode: Mode,
        model_set: ModelSet,
        estimate: Told,
        loras: LoraShelf,
        preset: Preset | None = None,
        cost: Costs = lambda _spec: None,
        misfit: Callable[[JobSpec], Suggestion | None] = lambda _spec: None,
    ) -> None:
        super().__init__(mode, model_set, loras, preset)
        self._estimate, self._cost, self._misfit = estimate, cost, misfit
        self.fillings = Fillings()

    @property
    def limited(self) -> list[str]:
        """The names of the components that `tell` may hide or disable."""
        left_out = {*PLAIN, *self.mode.media}
        return [name for name in self.components if name in self._fields and name not in left_out]

    @property
    def tellers(self) -> list[gr.components.Component]:
        """The components that `tell` returns updates for."""
        shown = [self.told, self.components["preset"], self.components["size"], self.tuning_hint]
        return [*shown, *(self.components[name] for name in self.limited)]

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
        missing = self._missing(raw)
        if missing:
            raise RequestError(missing, words.DROP_ONE)
        return JobSpec.from_request(self.mode.id, self._values(raw), self._set, raw["preset"])

    def tell(self, raw: Mapping[str, Any]) -> list[Any]:
        """Return updates of the `tellers` for what the form holds."""
        tried = {**raw, "prompt": (raw["prompt"] or "").strip() or "…"}  # an empty prompt is reported on submit
        preset, clips = self._set.family.get_preset(raw["preset"]), int(raw["takes"] or 1)
        missing = self._missing(raw)
        labels = {each.id: translated(each.label) for each in self._presets()}
        sizes: Updates = {"choices": self._size_choices(raw)}
        if missing:
            told = cards.told(missing)
        else:
            try:
                spec = self.spec(tried)
                labels = {each: self._label(tried, each) for each in labels}
                notes = [*map(translated, spec.notes())]
                if self._uses_seed_once(raw):
                    notes = [words.SEED_ONCE.format(seed=spec.params.seed), *notes]
                measures = translated(self.mode.measures(spec.params, preset))
                misfit = self._misfit(spec)
                notes = [translated(misfit.message), *notes] if misfit else notes
                cost = self._cost(spec)
                longest = self._longest(tried) if cost is not None and not cost.fits else None
                if cost is not None:
                    over = self._over(tried)
                    sizes["elem_classes"] = [*SIZE_CLASSES, *(f"over-{size}" for size in over)]
                    notes = [*notes, *self._why_over(over, raw["size"])]
                told = cards.told(
                    measures, notes, seconds=self._seconds(spec), cost=cost, longest=longest, clips=clips,
                    offer=_offer(misfit),
                )  # fmt: skip
            except StudioError as problem:
                told = cards.told(f"{message_of(problem)} {hint_of(problem)}", wrong=True)
        cards_of = gr.update(choices=[(label, each) for each, label in labels.items()], info=self._about(preset))
        guided = "" if preset.guided else self._guided()
        hint = words.TUNED_ONLY_WITH.format(presets=guided) if guided else ""
        return [told, cards_of, gr.update(**sizes), cards.line(hint) if hint else "", *self._limits(raw, preset)]

    def _guided(self) -> str:
        """Return the presets with guidance, as a phrase; empty if the model set has none."""
        return words.OR.join(translated(each.label) for each in self._presets() if each.guided)

    def suggested(self, raw: Mapping[str, Any]) -> tuple[Updates, Updates] | None:
        """Return the updates that apply what would fit on this machine, and those that take it back; None if none is.

        Raises:
            RequestError: The request cannot be carried out.
        """
        spec = self.spec({**raw, "prompt": (raw["prompt"] or "").strip() or "…"})
        found = self._misfit(spec)
        if found is None or not found.values:
            return None
        values: dict[str, Any] = dict(found.values)
        if "width" in values:
            smaller = replace(spec, params=spec.params.model_copy(update=values))
            shape = self._shape_of(smaller)
            values = {**values, **shape} if shape["shape"] == OWN_SHAPE else dict(shape)
        elif self._follows_file:
            values["as_long"] = False
        return self.updates(values), self.updates({name: raw[name] for name in values})

    def fill(self, spec: JobSpec) -> Updates:
        """Return updates by name that fill the form with an earlier request; its seed is used for the next clip."""
        params = spec.params
        filled: Updates = {name: getattr(params, name) for name in self.components if name in self._fields}
        for name in self.mode.media:
            path = filled[name]
            filled[name] = private_copy(path) if path is not None and is_here(path) else None
        here = [lora for lora in params.loras if is_here(lora.file)][:MAX_LORAS]
        filled["loras"] = self._loras.filled([(lora.file, lora.strength) for lora in here])
        preset = spec.preset if spec.preset in {each.id for each in self._presets()} else self._default.id
        filled |= {"preset": preset, "new_seed": True, "once": str(params.seed), "takes": 1}
        filled |= self._shape_of(spec)
        if self._follows_file:
            filled["as_long"] = False
        return self.updates(filled)

    def lost(self, spec: JobSpec) -> list[str]:
        """Return what `fill` cannot restore of a request, as phrases."""
        lost = [words.LOST_FILE.format(name=title) for title in map(translated, Recipes.missing_files(spec))]
        threshold = spec.own_threshold()
        if threshold is not None:
            lost.append(words.LOST_THRESHOLD.format(value=threshold))
        if spec.preset not in {each.id for each in self._presets()}:
            lost.append(
                words.LOST_PRESET.format(preset=translated(spec.sampling.label), other=translated(self._default.label))
            )
        if spec.model_set.id != self._set.id:
            lost.append(words.LOST_SET.format(id=spec.model_set.id, other=translated(self._set.label)))
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
            is_own = values["shape"] == OWN_SHAPE
            for name, is_shown in (("width", is_own), ("height", is_own), ("size", not is_own)):
                made[name] = gr.update(**made.get(name, {}), visible=is_shown)
        if "as_long" in values:
            made["seconds"] = gr.update(**made.get("seconds", {}), visible=not values["as_long"])
        return made

    def loras_kept(self, kept: Any) -> list[Any]:
        """Return what of the LoRAs that a browser kept can be had here."""
        return self._loras.kept(kept)

    def _missing(self, raw: Mapping[str, Any]) -> str:
        """Return the sentence that asks for the files that the form lacks; empty if it has them."""
        titles = [words.within(str(self._fields[name].title)) for name in self._needed if not raw[name]]
        return words.NEEDS.format(files=words.AND_A.join(titles)) if titles else ""

    def _values(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: raw[name] for name in self._fields if name in raw}
        given |= self._size(raw)
        if raw["new_seed"] and not self._uses_seed_once(raw):
            given["seed"] = None
        if raw.get("as_long"):
            given["seconds"] = None
        return {**given, "loras": self._loras.chosen(raw["loras"])}

    @staticmethod
    def _uses_seed_once(raw: Mapping[str, Any]) -> bool:
        """Return whether the next clip has the seed that is shown, and those after it new ones."""
        return bool(raw["new_seed"]) and raw.get("once") == str(raw["seed"])

    def _size(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        if raw["shape"] == OWN_SHAPE:
            return {name: raw[name] for name in ("width", "height")}
        pixels = self._sizes.pixels(raw["size"], self._shape(raw), self._step(raw))
        return dict(zip(("width", "height"), pixels, strict=True))

    def _step(self, raw: Mapping[str, Any]) -> int:
        """Return the pixels that width and height are multiples of: more with a control clip (`Mode.size_step`)."""
        legal, preset = self._set.family.geometry, self._set.family.get_preset(raw["preset"])
        is_halved = preset.draft or self.mode.samplings == 2
        is_controlled = "control" in self._fields and bool(raw.get("control_clip", True))
        return legal.control_size_step if is_halved and is_controlled else legal.size_step

    def _shape(self, raw: Mapping[str, Any]) -> Pixels:
        """Return the shape that is chosen, as width and height.

        Raises:
            RequestError: It is that of a file which cannot be used.
        """
        return SHAPES.get(raw["shape"]) or self.mode.shape(raw) or SHAPES[self._sizes.shape]

    def _size_choices(self, raw: Mapping[str, Any]) -> list[tuple[str, str]]:
        try:
            shape = self._shape(raw)
        except StudioError:  # the line below says why
            shape = SHAPES[self._sizes.shape]
        return self._sizes.choices(shape, self._step(raw))

    def _over(self, raw: Mapping[str, Any]) -> Mapping[str, Cost]:
        """Return the cost of each size that needs more time on a GPU than a visitor may have."""
        if raw["shape"] == OWN_SHAPE:
            return {}
        costs = {size: self._cost_with(raw, size=size) for size in self._sizes.labels}
        return {size: cost for size, cost in costs.items() if cost is not None and not cost.fits}

    def _why_over(self, over: Mapping[str, Cost], chosen: str) -> list[str]:
        """Return the sentence that says why other sizes than the chosen one are greyed, if any are."""
        others = {self._sizes.labels[size]: cost for size, cost in over.items() if size != chosen}
        if not others:
            return []
        needs = ", ".join(words.SIZE_NEEDS.format(size=name, seconds=cost.seconds) for name, cost in others.items())
        cost = next(iter(others.values()))
        account = words.ACCOUNTS[cost.account]
        return [words.SIZES_NEED_TOO_MUCH.format(sizes=needs, most=cost.most, account=account)]

    def _longest(self, raw: Mapping[str, Any]) -> float | None:
        """Return the longest clip that fits into a visitor's time on a GPU, in half seconds; None if none does."""
        if raw.get("as_long"):
            return None
        halves = range(1, math.ceil(2 * (raw["seconds"] or 0)))
        fitting = bisect.bisect_left(halves, True, key=lambda each: not self._fits(raw, each / 2))  # noqa: FBT003
        return halves[fitting - 1] / 2 if fitting else None

    def _fits(self, raw: Mapping[str, Any], seconds: float) -> bool:
        cost = self._cost_with(raw, seconds=seconds)
        return cost is not None and cost.fits

    def _cost_with(self, raw: Mapping[str, Any], **changes: Any) -> Cost | None:
        """Return what the form's request would cost with some other values; None if it cannot be made."""
        try:
            return self._cost(self.spec({**raw, **changes}))
        except StudioError:
            return None

    def _shape_of(self, spec: JobSpec) -> Mapping[str, Any]:
        """Return the shape and size that mean the width and height of a request."""
        params, shapes = spec.params, dict(SHAPES)
        if self._pictured:
            try:
                own = self.mode.shape(params.model_dump())
            except StudioError:
                own = None
            shapes = {SHAPE_OF_FILE: own, **shapes} if own else shapes
        step = self.mode.size_step(params, spec.sampling)
        found = self._sizes.find((params.width, params.height), shapes, step)
        return {"shape": found[0], "size": found[1]} if found else {"shape": OWN_SHAPE}

    def _label(self, raw: Mapping[str, Any], preset: str) -> str:
        """Return a preset's label, with the estimated time below it if there is one."""
        label = translated(self._set.family.presets[preset].label)
        try:
            seconds = self._seconds(self.spec({**raw, "preset": preset}))
        except StudioError:
            return label  # the line below says why
        return label if seconds is None else f"{label}\n{words.in_seconds(seconds)}"

    def _seconds(self, spec: JobSpec) -> float | None:
        estimate = self._estimate(spec)
        return None if estimate is None else estimate.seconds

    def _limits(self, raw: Mapping[str, Any], preset: Preset) -> Iterator[Any]:
        values = {name: raw[name] or None for name in self._fields if name in raw}
        found = list(self.mode.limits(values, preset, self._set))
        for name in self.limited:
            yield self._limit(name, raw[name], [limit for limit in found if limit.field == name], preset)

    def _limit(self, name: str, now: Any, found: Sequence[Limit], preset: Preset) -> Any:
        """Return the update of a component that holds `now`, under the limits `found` for it.

        What has no effect is hidden. The negative prompt says what would make it act, because that is a click away;
        an empty field of what changes the preset shows the preset's own value.
        """
        acts = all(limit.choice for limit in found)
        if name == "negative_prompt":
            title, guided = translated(str(self._fields[name].title)), self._guided()
            label = title if acts else words.ONLY_WITH.format(name=title, presets=guided)
            return gr.update(interactive=acts, label=label, visible=bool(guided))
        update: dict[str, Any] = {"visible": acts}
        if isinstance(self.components[name], gr.Number) and name in preset.tunable():
            update["placeholder"] = f"{preset.tunable()[name]:g}"
        if isinstance(self.components[name], gr.Dropdown):
            refused = {limit.choice for limit in found if limit.refuses}
            # the current value stays among the choices, and the line below says what is wrong with it: Gradio refuses
            # every event of a form with a value that is not a choice
            left = [each for each in get_args(self._fields[name].annotation) if each not in refused or each == now]
            update |= {"choices": fields.choices(self._fields[name], left), "visible": acts and len(left) > 1}
        return gr.update(**update)


def _offer(found: Suggestion | None) -> str:
    """Return what the button says that applies a suggestion; empty if there is nothing to apply."""
    if found is None or not found.values:
        return ""
    return (words.USE_LENGTH if "seconds" in found.values else words.USE_SIZE).format(**found.values)
