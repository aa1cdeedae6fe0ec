"""The page's panel for a workflow of the user's own, with a form built from it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.advice import texts_of
from ltx_studio.errors import Remedy, RequestError, StudioError
from ltx_studio.graph.form import FILES, Field, Kind, Role
from ltx_studio.graph.values import shown
from ltx_studio.models.defaults import PREVIEW
from ltx_studio.studio import Studio, WorkflowSpec, unforeseen
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.forms.fields import MOST_EXACT
from ltx_studio.web.gradio_compat.quiet import QUIET
from ltx_studio.web.hints import hint_of, message_of
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.models import ModelsPanel
from ltx_studio.web.panels.run import RunPanel
from ltx_studio.web.panels.screen import Updates

log = logging.getLogger(__name__)

MOST_SHOWN = 200
"""Fields of one form: a browser takes about a second for these."""
MOST_NAMED = 5
"""Fields that the card names."""
MOST_IN_ROW = 3
LONGEST_NUMBER = 30
"""Characters of a text that may be a number."""


class WorkflowPanel:
    """The panel for a file, and the form in the page's main column. Workflows run in the page's run panel.

    Attributes:
        file: The field for a file; setting it shows the file's form.
    """

    file: gr.File

    def __init__(self, studio: Studio, owners: Owners, run: RunPanel) -> None:
        self._studio, self._owners, self._run_panel = studio, owners, run
        self._redaction = Redaction(studio.settings, owners)

    def build(self) -> None:
        """Add the panel, where a file is given, to the open Blocks."""
        # takes any file: the card refuses others in words of its own
        self.file = gr.File(label=texts.WORKFLOW_FILE, type="filepath", height=110, elem_id="workflow-file")
        card = gr.HTML(cards.message(texts.WORKFLOW_HELP), elem_id="workflow-card")
        self.file.change(self._tell, [self.file], [card], **QUIET)
        self.file.clear(None, None, None, js="() => window.ltxOwn.close()", **QUIET)

    def build_form(self, place: gr.Column, models: ModelsPanel) -> None:
        """Add the form, which is built anew for each file, to a column; the panels must be built."""
        with place:
            wanted = gr.State([])
            gr.render(inputs=[self.file], show_progress="hidden")(lambda path: self._form(path, wanted, models))

    def _tell(self, path: str | None) -> str:
        """Return the card for a file that was dropped, or for none."""
        if path is None:
            return cards.message(texts.WORKFLOW_HELP)
        try:
            opened = self._studio.workflows.open(Path(path))
            told = cards.message(
                told_of(opened.fields, [*map(translated, texts_of(opened.notes))], in_words(opened.problems))
            )
            return f'{told}<button type="button" class="own-open">{texts.SHOW_FORM}</button>'
        except StudioError as error:
            return self._redaction.error(error)

    def _form(self, path: str | None, wanted: gr.State, models: ModelsPanel) -> None:
        if path is None:
            return
        try:
            opened = self._studio.workflows.open(Path(path))
        except StudioError:
            return  # the card says why
        fields = opened.fields[:MOST_SHOWN]
        name = escape(Path(path).stem)
        gr.HTML(
            f'<div class="own-head"><h2>{name}</h2>'
            f'<button type="button" class="own-close">{texts.CLOSE_FORM}</button></div>',
            js_on_load="window.ltxOwn.open()",
            apply_default_css=False,
            key=f"{path} head",
        )
        self._show_missing(opened.graph, wanted, models)
        try:
            components = _lay_out(fields, path)
        except Exception as error:  # a value that Gradio does not accept
            log.exception("the form of %s could not be built", Path(path).name)
            gr.HTML(self._redaction.error(unforeseen.in_words(error, self._studio.settings)))
            return
        with gr.Row():
            options: dict[str, Any] = {"value": False, "container": False, "interactive": True}
            trusted = gr.Checkbox(label=texts.TRUST, elem_id="trust", key=f"{path} trust", **options)
            mapped = gr.Checkbox(label=words.MAP_POCKET, elem_id="map-pocket", key=f"{path} map", **options)
        with gr.Column(elem_classes=["dock"]):
            told = " ".join([*map(translated, texts_of(opened.notes)), *in_words(opened.problems)])
            if told:
                gr.HTML(cards.line(told))
            run = gr.Button(texts.RUN, variant="primary", elem_id="run-workflow", elem_classes=["generate"])

        # with the file of this form: another one may have been dropped, whose form is not here yet
        def hand_in(request: gr.Request, trusts: bool, maps: bool, *values: Any) -> Iterator[Updates]:
            yield from self._run(path, fields, values, request, trusted=trusts, mapped=maps)

        run.click(
            hand_in,
            [trusted, mapped, *components],
            self._run_panel.outputs,
            concurrency_limit=None,
            **QUIET,
        )

    def _show_missing(self, graph: Mapping[str, Any], wanted: gr.State, models: ModelsPanel) -> None:
        """Show which model files are missing, with a button that fetches them if the studio knows where from."""
        try:
            missing = self._studio.workflows.missing(graph)
        except StudioError:
            return  # it is told when the workflow is run
        if missing is None:
            return
        names = list(dict.fromkeys(each.rpartition("/")[2] for each in missing.files))
        listed = "".join(f"<li>{escape(each)}</li>" for each in names)
        count, hint = texts.WORKFLOW_MISSING.format(count=len(names)), self._redaction.said(hint_of(missing))
        gr.HTML(
            f'<div class="card missing" role="alert"><p class="what">{count}</p><p class="summary">{escape(hint)}</p>'
            f"<details><summary>{texts.WORKFLOW_MISSING_NAMES}</summary><ul>{listed}</ul></details></div>",
            elem_id="workflow-missing",
        )
        if Remedy.FETCH in missing.remedies:
            get = gr.Button(words.REMEDY_FETCH, size="sm", elem_id="workflow-get")
            keys = get.click(lambda: list(missing.files), None, [wanted], **QUIET)
            models.wire_fetch(keys.then, wanted)

    def _run(
        self,
        path: str,
        fields: Sequence[Field],
        values: Sequence[Any],
        request: gr.Request,
        *,
        trusted: bool,
        mapped: bool,
    ) -> Iterator[Updates]:
        """Submit the workflow, and follow it on the page."""
        given = {field.key: value for field, value in zip(fields, values, strict=True) if value is not None}
        try:
            spec = self._spec(Path(path), given, trusted=trusted, mapped=mapped)
            jobs = self._studio.jobs.submit(self._owners.of(request), [spec])
        except StudioError as error:
            yield self._run_panel.problem(error)
            return
        except Exception as error:
            log.exception("%s could not be handed in", Path(path).name)
            yield self._run_panel.problem(unforeseen.in_words(error, self._studio.settings))
            return
        yield from self._run_panel.follow(jobs, request, spec.notes())

    def _spec(self, path: Path, given: Mapping[str, Any], *, trusted: bool, mapped: bool) -> WorkflowSpec:
        if trusted and self._owners.apart:
            raise RequestError(words.NOT_TRUSTED, words.NOT_TRUSTED_HINT)
        workflows, map_to = self._studio.workflows, PREVIEW if mapped else None
        return workflows.request(path.stem, workflows.open(path), given, trusted=trusted, map_to=map_to)


def _lay_out(fields: Sequence[Field], path: str) -> list[gr.components.Component]:
    """Add the components of a form to the open Blocks, and return them in the order of its fields.

    Files are in one row, numbers and choices in others; what the author has neither chosen nor titled is folded.
    """
    made: dict[str, gr.components.Component] = {}
    first = [each for each in fields if is_foremost(each, fields)]
    for row in rows_of(first):
        with gr.Row():
            made |= {each.key: component(each, path) for each in row}
    rest = [each for each in fields if each.key not in made]
    if rest:
        with gr.Accordion(texts.MORE_INPUTS.format(count=len(rest)), open=False, key=f"{path} more"):
            for row in rows_of(rest):
                with gr.Row():
                    made |= {each.key: component(each, path) for each in row}
    return [made[each.key] for each in fields]


def is_foremost(field: Field, fields: Sequence[Field]) -> bool:
    """Return whether a field is in the open: what the author has chosen; without such, what most people change."""
    if any(each.chosen for each in fields):
        return field.chosen
    return field.titled or field.kind in FILES or field.role is not Role.NONE or not field.fits


def rows_of(fields: Sequence[Field]) -> list[list[Field]]:
    """Return the fields in rows: a text alone, files together, and up to three others together."""
    rows: list[list[Field]] = []
    for field in fields:
        last = rows[-1] if rows else []
        is_like = bool(last) and (last[0].kind in FILES) == (field.kind in FILES)
        if is_like and not field.lines and not last[0].lines and len(last) < MOST_IN_ROW:
            last.append(field)
        else:
            rows.append([field])
    return rows


def label_of(field: Field) -> str:
    """Return a field's title; of a text or seed that the author has not titled what it is for."""
    if field.titled:
        return field.title
    usual = {Role.PROMPT: texts.OWN_PROMPT, Role.NEGATIVE: texts.OWN_NEGATIVE}
    return usual.get(field.role, texts.OWN_SEED if field.kind is Kind.SEED else field.title)


def in_words(problems: Sequence[StudioError]) -> list[str]:
    """Return each problem's message and what to do."""
    return [f"{message_of(problem)} {hint_of(problem)}" for problem in problems]


def told_of(fields: Sequence[Field], notes: Sequence[str] = (), problems: Sequence[str] = ()) -> str:
    """Return the card's text: how many fields there are and are shown, the values to correct, notes and problems."""
    told = [texts.FIELDS.format(count=len(fields))]
    if len(fields) > MOST_SHOWN:
        told.append(texts.FIELDS_SHOWN.format(count=MOST_SHOWN))
    unfit = [field for field in fields[:MOST_SHOWN] if not shown_value(field).fits]
    if unfit:
        named = ", ".join(shown(field.title) for field in unfit[:MOST_NAMED])
        more = texts.AND_MORE.format(count=len(unfit) - MOST_NAMED) if len(unfit) > MOST_NAMED else ""
        told.append(texts.FIELDS_UNFIT.format(names=named + more))
    told += notes
    if problems:
        told.append(texts.PROBLEMS.format(problems=" ".join(problems)))
    return " ".join(told)


@dataclass(frozen=True, slots=True)
class Shown:
    """A field's initial value.

    Attributes:
        value: The value; empty if the workflow's does not fit.
        fits: Whether it is the workflow's value.
    """

    value: Any
    fits: bool = True


def shown_value(field: Field) -> Shown:
    """Return a field's initial value. A workflow may have any value in any input, such as a list for a number."""
    value = field.value
    match field.kind:
        case Kind.PICTURE | Kind.SOUND | Kind.CLIP:
            return Shown(None)
        case Kind.SWITCH:
            return Shown(bool(value), fits=value in (True, False))
        case Kind.CHOICE:
            return Shown(value) if value in field.choices else Shown(None, fits=False)
        case Kind.TEXT:
            is_text = isinstance(value, str) or _as_number(value) is not None
            return Shown(str(value)) if is_text else Shown("", fits=False)
    number = _as_number(value)
    if number is None or (field.kind is not Kind.NUMBER and number != int(number)) or not _is_within(field, number):
        return Shown(None, fits=False)
    return Shown(number if field.kind is Kind.NUMBER else int(number))


def _as_number(value: Any) -> int | float | None:
    """Return the number in an input's value, or None if there is none that a browser represents exactly."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -MOST_EXACT <= value <= MOST_EXACT else None


def _is_within(field: Field, number: float) -> bool:
    if not field.is_limited or field.minimum is None or field.maximum is None:
        return True
    return field.minimum <= number <= field.maximum


def component(field: Field, workflow: str) -> gr.components.Component:
    """Return the input component for a field of a workflow; the workflow's path is part of its key."""
    value = shown_value(field).value
    named: dict[str, Any] = {
        "label": label_of(field),
        "elem_id": f"field-{field.key.replace('.', '-')}",
        "key": f"{workflow} {field.key}",
        "interactive": True,
    }
    if field.kind in FILES:
        kinds = {Kind.PICTURE: gr.Image, Kind.SOUND: gr.Audio, Kind.CLIP: gr.Video}
        is_path: dict[str, Any] = {"type": "filepath"}
        extras = {Kind.PICTURE: {**is_path, "image_mode": None}, Kind.SOUND: is_path}
        made: gr.components.Component = kinds[field.kind](**named, **extras.get(field.kind, {}))
        return made
    match field.kind:
        case Kind.SWITCH:
            return gr.Checkbox(value=value, **named)
        case Kind.CHOICE:
            return gr.Dropdown(choices=list(field.choices), value=value, **named)
        case Kind.TEXT:
            lines = 1 if not field.lines else 4 if field.role is Role.PROMPT else 2
            return gr.Textbox(value=value, lines=lines, max_lines=8 if field.lines else 1, **named)
    limits: dict[str, Any] = {"minimum": field.minimum, "maximum": field.maximum} if field.is_limited else {}
    return gr.Number(value=value, precision=None if field.kind is Kind.NUMBER else 0, **limits, **named)
