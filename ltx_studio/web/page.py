"""The page's main part: header, the six modes with their forms, the run and its take, and the drawer's wiring."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.errors import Remedy, RequestError, StudioError
from ltx_studio.families import ModelSet
from ltx_studio.families.default_preset import default_preset
from ltx_studio.media.extract import write_picture, write_sound
from ltx_studio.models.loras import SUFFIX
from ltx_studio.modes import MODES, Media, drawn_seed
from ltx_studio.studio import JobSpec, Spec, Studio, TakeRecord
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import in_round_bytes
from ltx_studio.web import cards, hidden, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.access.values import told
from ltx_studio.web.files import made
from ltx_studio.web.forms import kept, suggestion
from ltx_studio.web.forms.control_map import ControlMap
from ltx_studio.web.forms.form import Form
from ltx_studio.web.forms.loras import LoraShelf
from ltx_studio.web.gradio_compat.quiet import AS_LONG_AS_A_RUN, AT_ONCE, QUIET
from ltx_studio.web.gradio_compat.streams import streamed
from ltx_studio.web.hints import hint_of, message_of
from ltx_studio.web.panels.gallery import Gallery
from ltx_studio.web.panels.model_sets import bytes_to_download
from ltx_studio.web.panels.models import ModelsPanel
from ltx_studio.web.panels.queue_panel import QueuePanel
from ltx_studio.web.panels.run import SKIP, RunPanel
from ltx_studio.web.panels.screen import Screen, Updates
from ltx_studio.web.panels.take import TakePanel
from ltx_studio.web.shared import Shared

FIRST_MODE = "t2v"

SET_UP_SECONDS, DOWNLOAD_SECONDS = 2, 10
"""Seconds between two checks of a set-up that runs in the background, and of model files that are not here."""


class Page:
    """One page over one studio."""

    def __init__(self, studio: Studio, owners: Owners, model_set: ModelSet, shared: Shared) -> None:
        self._studio, self._owners, self._model_set, self._shared = studio, owners, model_set, shared
        self._redaction = Redaction(studio.settings, owners)
        preset = default_preset(studio.settings, model_set.family)
        self._loras = LoraShelf(studio.settings, model_set, shared.loras)
        about = studio.takes.estimate, self._loras, preset, studio.cost, studio.misfit
        self.forms = {mode: Form(MODES[mode], model_set, *about) for mode in MODES}
        self._control_maps: list[ControlMap] = []
        self.screen = Screen(MODES, model_set)
        self.take = TakePanel(studio, owners, self.screen, model_set)
        self.run = RunPanel(studio, owners, self.screen, self.take)

    def build_header(self) -> None:
        """Add the header: title, and the model set as a button that opens the models panel.

        The set's notice is what that button says when it is pointed at.
        """
        chosen = self._model_set
        self.header = gr.HTML(
            cards.header(translated(chosen.label), translated(chosen.notice)), elem_id="studio-header"
        )

    def build(self, blocks: gr.Blocks) -> None:
        """Add the forms, the run and the take to the open Blocks."""
        told = self._told()  # from the start, so that nothing moves
        self._banner = gr.HTML(told, visible=bool(told), elem_id="studio-banner")
        self._set_up_timer = gr.Timer(SET_UP_SECONDS, active=False)
        self._mode = gr.Radio(
            [(translated(mode.label), mode.id) for mode in MODES.values()],
            value=FIRST_MODE,
            label=words.MODE,
            show_label=False,
            container=False,
            elem_id="mode",
        )
        with gr.Row(equal_height=False, elem_id="stage"):
            with gr.Column(scale=5, min_width=320, elem_id="forms"):
                self._columns = {mode: self._column(mode, form) for mode, form in self.forms.items()}
                with gr.Column(elem_id="form-workflow") as self.own_place:
                    pass
            with gr.Column(scale=6, min_width=320, elem_id="result"):
                self._result()
        for form in self.forms.values():
            form.build_hidden()
        for control_map in self._control_maps:
            control_map.wire()
        self._build_upload()
        self._saved = gr.JSON(visible=False)
        for form in self.forms.values():
            self._wire(form)
        self._wire_modes(blocks)
        self._wire_take()
        self.run.remedies.wire(self.run, self._studio, self._owners)

    def wire(self, gallery: Gallery, line: QueuePanel, models: ModelsPanel) -> None:
        """Wire the drawer: show what is chosen there, refresh it, and have it fetch the files that a job lacks."""
        take, run = self.take, self.run
        chosen = gallery.chosen.change(self._chosen, [gallery.chosen], run.showing, **QUIET)
        chosen.then(None, None, None, js="() => window.ltxStudio.toResult()", **QUIET)
        gr.on([line.news.change, take.changed.change], gallery.show, gallery.inputs, gallery.outputs, **QUIET)
        gone = [*run.showing, self.screen.toast]
        gallery.dropped.change(self._dropped, [gallery.dropped, take.take], gone, **QUIET)
        gallery.starred.then(take.tell_favourite, [take.take], [take.about], **QUIET)
        gr.on([run.begun.change, run.ended.change], **line.look)
        models.wire_fetch(run.remedies.by_remedy[Remedy.FETCH].click, run.failed)
        line.showing.then(streamed(self._follow), [line.chosen], run.outputs, **AS_LONG_AS_A_RUN)
        line.retried.change(streamed(self._follow_retried), [line.retried], run.outputs, **AS_LONG_AS_A_RUN)
        take.deleted.then(run.let_take_go, None, None, **QUIET)  # no `partial`: Gradio would pass it no request

    def _chosen(self, chosen: tuple[str, int], request: gr.Request) -> Updates:
        """Show a take that was opened in the history, or nothing if it is gone."""
        return self.run.open_take(chosen[0], request)

    def _dropped(self, dropped: tuple[int, Sequence[str]], shown: str, request: gr.Request) -> Updates:
        """Offer to put back takes that were deleted in the history; the screen lets go of one of them."""
        cleared = self.run.open_take("", request) if shown in dropped[1] else {}
        return {**cleared, **self.take.deleted_now(dropped[1])}

    def _follow(self, job: str | None, request: gr.Request) -> Iterator[Updates]:
        """Follow a job that was chosen in the queue."""
        try:
            if job:
                yield from self.run.turn_to(job, request)
            else:
                yield self.run.nothing()
        except StudioError as problem:
            yield self.run.problem(problem)

    def _follow_retried(self, retried: str, request: gr.Request) -> Iterator[Updates]:
        """Follow a job that was retried in the queue."""
        try:
            yield from self.run.follow([retried.partition(" ")[0]], request)
        except StudioError as problem:
            yield self.run.problem(problem)

    @property
    def opening(self) -> list[gr.components.Component]:
        """The outputs of `fill`: the mode, the columns, and the components that receive the fillings.

        Not the forms' own components: the browser checks all outputs of an event again with every later event.
        """
        return [self._mode, *self._columns.values(), *(form.filling for form in self.forms.values())]  # type: ignore[list-item]

    def fill(self, mode: str, updates: dict[str, Any]) -> tuple[Any, ...]:
        """Open a mode with its form filled in."""
        filling = (form.fillings.keep(updates) if each == mode else SKIP for each, form in self.forms.items())
        return mode, *(gr.update(visible=each == mode) for each in self._columns), *filling

    def fill_from(self, spec: Spec) -> tuple[Any, ...]:
        """Open the form of a request, filled in with its values.

        Raises:
            RequestError: It is not a request of a mode.
        """
        if not isinstance(spec, JobSpec):
            raise RequestError(words.OWN_HAS_NO_FORM, words.OWN_DROP_IT)
        return self.fill(spec.mode, self.forms[spec.mode].fill(spec))

    def _column(self, mode: str, form: Form) -> gr.Column:
        with gr.Column(visible=mode == FIRST_MODE, elem_id=f"form-{mode}", elem_classes=["form-of-mode"]) as column:
            control_map = ControlMap(form, self._studio, self._redaction)
            form.build(control_map.build)
            if "control" in form.components:
                self._control_maps.append(control_map)
        made: gr.Column = column
        return made

    def _result(self) -> None:
        """Add the screen with its status, what has to be said, and below it what can be done with the shown take."""
        self.screen.build()
        with gr.Column(elem_id="run-place") as place:
            pass
        self.take.build()
        with place:  # above the take; built after it, because the run updates it
            self.run.build()

    def _wire(self, form: Form) -> None:
        components = list(form.components.values())
        form.tools.example(self._trier(form), None, self.opening, **QUIET)
        suggestion.wire(form, self.fill, self.opening)
        remember = kept.wire(form)
        # all updates of the line go through one event, whose answers arrive in order: the last one is current
        form.changed.change(self._teller(form), components, form.tellers, trigger_mode="always_last", **QUIET)
        shown = [form.components["seed"], form.components["once"], *self.run.outputs]
        running = form.generate.click(streamed(self._generator(form)), components, shown, **AS_LONG_AS_A_RUN)
        running.then(**remember)  # the estimate is better now

    def _wire_modes(self, blocks: gr.Blocks) -> None:
        changed, found = ([getattr(form, name) for form in self.forms.values()] for name in ("changed", "found"))
        modes = json.dumps([*self.forms])
        js = f"mode => window.ltxForms.open(mode, {modes})"  # at once: an answer could arrive after a fill's
        self._mode.input(None, [self._mode], [*self._columns.values(), *changed], js=js, **QUIET)
        saved = "() => [window.ltxForms.kept()]"
        banner = [self._banner, self._set_up_timer]
        opened = blocks.load(self._open, [self._saved], [*banner, *found], js=saved, **QUIET)
        self._set_up_timer.tick(self._begin_or_warn, None, banner, **AT_ONCE)
        opened.then(None, None, None, js="() => window.ltxForms.openKept()", **QUIET)
        self.run.wire_return(blocks)

    def _wire_take(self) -> None:
        about, take = self.take.about, [self.take.take]
        about.again(streamed(self._again), take, self.run.outputs, **AS_LONG_AS_A_RUN)
        about.quality(streamed(self._in_quality), take, self.run.outputs, **AS_LONG_AS_A_RUN)
        outputs = [self.run.told, *self.opening]
        reusing = about.reuse(self._reuse, take, outputs, **QUIET)
        going_on = about.go_on(self._go_on, take, outputs, **QUIET)
        sending = about.send(self._send, take, outputs, **QUIET)
        trying = self.screen.view.example(self._try_example, None, self.opening, **QUIET)
        for filling in (reusing, going_on, sending, trying):
            filling.then(None, [self._mode], None, js="mode => window.ltxStudio.toPrompt(mode)", **QUIET)

    def _trier(self, form: Form) -> Any:
        """Return a handler that fills in a form with the example that the event names."""

        def fill_in(event: gr.EventData) -> tuple[Any, ...]:
            return self._try(form, told(event, "label"))

        return fill_in

    def _try(self, form: Form, label: str) -> tuple[Any, ...]:
        """Fill in a form with one of its examples."""
        found = next((each for each in form.mode.examples if label in (each.label, translated(each.label))), None)
        return self.fill(form.mode.id, form.put(found.values)) if found else self._nothing()

    def _build_upload(self) -> None:
        """Add the upload of LoRAs, which the forms share, to the open Blocks."""
        kinds = [SUFFIX]
        upload = gr.UploadButton(
            words.LORAS["upload"], file_count="multiple", file_types=kinds, elem_id="lora-upload", **hidden.NEVER
        )
        arrived = gr.HTML(
            html_template="", js_on_load="watch('value', () => window.ltxLoras.arrived(props.value))",
            elem_id="lora-arrived", **hidden.NEVER,
        )  # fmt: skip

        def take_in(paths: list[str] | None) -> list[Any]:
            return [self._loras.take_in(Path(path)) for path in paths or ()]

        upload.upload(take_in, [upload], [arrived], **QUIET)

    def _try_example(self, event: gr.EventData) -> tuple[Any, ...]:
        """Fill in a form with an example that was chosen on the empty screen."""
        form = self.forms.get(told(event, "mode"))
        return self._nothing() if form is None else self._try(form, told(event, "example"))

    def _teller(self, form: Form) -> Any:
        """Return a handler that shows what the form will make."""

        def tell(request: gr.Request, *given: Any) -> list[Any]:
            self._studio.work_for(self._owners.of(request))
            return form.tell(form.raw(given))

        return tell

    def _generator(self, form: Form) -> Any:
        """Return a handler that submits the form's request, shows its seed, and follows the jobs."""

        def generate(request: gr.Request, *given: Any) -> Iterator[Updates]:
            try:
                self._shared.check(self._model_set)
                raw = form.raw(given)
                spec = form.spec(raw)
                seed: Updates = {form.components["seed"]: spec.seed, form.components["once"]: ""}
                for each in self.run.hand_in(self._studio.jobs.sweep(spec, int(raw["takes"])), request):
                    yield {**each, **seed} if seed else each
                    seed = {}
            except StudioError as problem:
                yield self.run.problem(problem)

        return generate

    def _open(self, saved: Any) -> tuple[Any, ...]:
        """Show a banner if the set-up is broken, otherwise start ComfyUI; return what the browser kept, if valid."""
        return *self._begin_or_warn(), *self._kept(saved if isinstance(saved, dict) else {})

    def _begin_or_warn(self) -> tuple[Any, Any]:
        """Start ComfyUI, or show in the banner why nothing can run; look again while the studio is being set up."""
        told = self._told()
        shown = gr.update(value=told, visible=bool(told))
        if self._studio.problem() is None:
            self._studio.start()
            return shown, gr.Timer(DOWNLOAD_SECONDS, active=bool(told))
        return shown, gr.Timer(SET_UP_SECONDS, active=self._studio.is_setting_up)

    def _told(self) -> str:
        """Return why nothing can run now, as a card for the banner; empty if all is well."""
        problem = self._studio.problem()
        if problem is None:
            return self._not_downloaded()
        if self._studio.is_setting_up:
            return cards.message(self._redaction.said(message_of(problem)), hint_of(problem))
        return self._redaction.error(problem)

    def _not_downloaded(self) -> str:
        """Return the card that offers to download the model set, or an empty string if it is here."""
        missing = bytes_to_download(self._studio, self._model_set)
        about = translated(self._model_set.label), in_round_bytes(missing)
        return cards.not_downloaded(*about, may_fetch=self._redaction.may_fetch) if missing else ""

    def _kept(self, saved: Mapping[str, Any]) -> Iterator[str]:
        """Yield what a browser kept of each form; the first mode always gets a value, to show what it will make."""
        for mode, form in self.forms.items():
            yield kept.to_restore(form, saved.get(mode)) if mode in saved or mode == FIRST_MODE else SKIP

    def _again(self, take_id: str, request: gr.Request) -> Iterator[Updates]:
        """Submit the take's request again with a new seed."""
        try:
            self._shared.check(self._model_set)
            spec = self._spec_of(self.take.record(take_id, request)).with_seed(drawn_seed())
            yield from self.run.hand_in([spec], request)
        except StudioError as problem:
            yield self.run.problem(problem)

    def _in_quality(self, take_id: str, request: gr.Request) -> Iterator[Updates]:
        """Submit the take's request again with its seed, in Quality."""
        try:
            self._shared.check(self._model_set)
            record = self.take.in_quality(self.take.record(take_id, request))
            if record is None:
                yield self.run.nothing()
                return
            yield from self.run.hand_in([self._spec_of(record)], request)
        except StudioError as problem:
            yield self.run.problem(problem)

    def _reuse(self, take_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Fill in the form with the take's request, including its seed, to change something in it."""
        said, *filled = self._filled(lambda record: self.fill_from(self._spec_of(record)), take_id, request)
        if said:
            return said, *filled
        spec = self._spec_of(self.take.record(take_id, request))
        kept = words.SEED_KEPT.format(seed=spec.seed) if isinstance(spec, JobSpec) else ""
        return cards.message(kept, self._left_out(spec)), *filled

    def _go_on(self, take_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Open image to video with the take's last frame."""
        said, *filled = self._filled(lambda record: self._sent(record, "i2v", last=True), take_id, request)
        return said or cards.message(words.CONTINUES), *filled

    def _send(self, take_id: str, request: gr.Request, event: gr.EventData) -> tuple[Any, ...]:
        """Open another mode with what the take has for it."""
        mode = told(event, "mode")
        if mode not in MODES:
            return SKIP, *self._nothing()
        return self._filled(partial(self._sent, mode=mode, last=False), take_id, request)

    def _filled(self, fill: Any, take_id: str, request: gr.Request) -> tuple[Any, ...]:
        """Return what `fill` returns for the take, or the card that says why it failed."""
        try:
            return "", *fill(self.take.record(take_id, request))
        except FileNotFoundError:
            return self._redaction.error(RequestError(words.FILE_GONE, words.FILE_GONE_HINT)), *self._nothing()
        except StudioError as problem:
            return self._redaction.error(problem), *self._nothing()

    def _sent(self, record: TakeRecord, mode: str, last: bool) -> tuple[Any, ...]:
        """Open a mode's form with what a take has for it: prompt, picture, sound or clip, and the preset."""
        clip, form = self.take.path(record), self.forms[mode]
        values: dict[str, Any] = {"prompt": record.prompt}
        preset = record.recipe.get("preset", "")
        if preset in {value for _, value in form.components["preset"].choices}:  # type: ignore[attr-defined]
            values["preset"] = preset
        for name, kind in form.mode.media.items():
            if not form.mode.params.model_fields[name].is_required():
                continue
            match kind:
                case Media.PICTURE:
                    of_end = last or name == "last_image"
                    values[name] = made("frame.png", partial(write_picture, clip, last=of_end))
                case Media.SOUND:
                    values[name] = made("sound.m4a", partial(write_sound, clip))
                case Media.CLIP:
                    values[name] = clip
        return self.fill(mode, form.put(values))

    def _left_out(self, spec: Spec) -> str:
        """Return a sentence on what the form cannot restore of a request; empty if nothing is lost."""
        lost = self.forms[spec.mode].lost(spec) if isinstance(spec, JobSpec) else []
        return words.NOT_RESTORED.format(lost="; ".join(lost)) if lost else ""

    def _spec_of(self, record: TakeRecord) -> Spec:
        """Return the request of a take; files that are gone are reported on submit."""
        return self._studio.takes.request(record, self._model_set)

    def _nothing(self) -> tuple[Any, ...]:
        return (SKIP,) * len(self.opening)
