"""The page's panels for a custom workflow, with a form built from it, and for a file of requests."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.advice import texts_of
from ltx_studio.errors import ExecutionError, RequestError, StudioError
from ltx_studio.families import ModelSet
from ltx_studio.graph.form import FILES, Field, Kind
from ltx_studio.graph.values import shown
from ltx_studio.models.defaults import PREVIEW
from ltx_studio.studio import JobSpec, Studio, WorkflowSpec
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.forms.fields import MOST_EXACT
from ltx_studio.web.gradio_compat.quiet import QUIET
from ltx_studio.web.hints import hint_of
from ltx_studio.web.page import FIRST_MODE
from ltx_studio.web.panels.run import RunPanel
from ltx_studio.web.panels.screen import Updates
from ltx_studio.workflow_files.embedded_text import ENDINGS

log = logging.getLogger(__name__)

MOST_SHOWN = 200
"""Fields of one form: a browser takes about a second for these."""
MOST_NAMED = 5
"""Fields that the card names."""
MOST_NOTES = 10
"""Notes on the requests of a file that the card names."""
LONGEST_NUMBER = 30
"""Characters of a text that may be a number."""


class OwnPanels:
    """The panels for custom workflows and batches. Workflows run in the page's run panel."""

    def __init__(self, studio: Studio, owners: Owners, run: RunPanel, model_set: ModelSet) -> None:
        self._studio, self._owners, self._run_panel, self._model_set = studio, owners, run, model_set
        self._redaction = Redaction(studio.settings, owners)

    def build_workflow(self) -> None:
        """Add the panel for custom workflows to the open Blocks."""
        file = gr.File(label=words.WORKFLOW_FILE, file_types=list(ENDINGS), type="filepath", elem_id="workflow-file")
        trusted = gr.Checkbox(label=words.TRUST, value=False, elem_id="trust")
        mapped = gr.Checkbox(label=words.MAP_POCKET, value=False, elem_id="map-pocket")
        card = gr.HTML(cards.message(words.WORKFLOW_HELP), elem_id="workflow-card")
        file.change(self._tell, [file], [card], **QUIET)
        gr.render(inputs=[file], show_progress="hidden")(lambda path: self._form(path, file, trusted, mapped))

    def build_batch(self) -> None:
        """Add the panel for batches to the open Blocks."""
        suffixes = [*self._studio.jobs.TABLE_SUFFIXES]
        requests = gr.File(label=words.BATCH_FILE, file_types=suffixes, type="filepath", elem_id="batch-file")
        told = gr.HTML(cards.message(words.BATCH_HELP), elem_id="batch-card")
        gr.Button(words.HAND_IN, elem_id="hand-in").click(self._hand_in, [requests], [told], **QUIET)

    def _tell(self, path: str | None) -> str:
        """Return the card for a file that was dropped, or for none."""
        if path is None:
            return cards.message(words.WORKFLOW_HELP)
        try:
            opened = self._studio.workflows.open(Path(path))
            return cards.message(told_of(opened.fields, texts_of(opened.notes), in_words(opened.problems)))
        except StudioError as error:
            return self._redaction.error(error)

    def _form(self, path: str | None, file: gr.File, trusted: gr.Checkbox, mapped: gr.Checkbox) -> None:
        if path is None:
            return
        try:
            fields = self._studio.workflows.open(Path(path)).fields[:MOST_SHOWN]
        except StudioError:
            return  # the card says why
        try:
            components = [component(field, path) for field in fields]
        except Exception as error:  # a value that Gradio does not accept
            log.exception("the form of %s could not be built", Path(path).name)
            gr.HTML(self._redaction.error(ExecutionError.unexpected(error, details="")))
            return
        run = gr.Button(words.RUN, variant="primary", elem_id="run-workflow")

        def hand_in(request: gr.Request, path: str, trusts: bool, maps: bool, *values: Any) -> Iterator[Updates]:
            yield from self._run(path, fields, values, request, trusted=trusts, mapped=maps)

        run.click(
            hand_in,
            [file, trusted, mapped, *components],
            self._run_panel.outputs,
            concurrency_limit=None,
            **QUIET,
        )

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
            yield self._run_panel.problem(ExecutionError.unexpected(error, details=""))
            return
        yield from self._run_panel.follow(jobs, request, spec.notes())

    def _spec(self, path: Path, given: Mapping[str, Any], *, trusted: bool, mapped: bool) -> WorkflowSpec:
        if trusted and self._owners.apart:
            raise RequestError(words.NOT_TRUSTED, words.NOT_TRUSTED_HINT)
        workflows, map_to = self._studio.workflows, PREVIEW if mapped else None
        return workflows.request(path.stem, workflows.open(path), given, trusted=trusted, map_to=map_to)

    def _hand_in(self, path: str | None, request: gr.Request) -> str:
        if path is None:
            return cards.message(words.BATCH_HELP)
        try:
            may = not self._owners.apart
            table = Path(path)
            specs = self._studio.jobs.read_table(table, self._model_set.id, FIRST_MODE, with_files=may, uploaded=True)
            notes = _notes_of(specs)  # before anything is submitted: a file may be gone
            jobs = self._studio.jobs.submit(self._owners.of(request), specs)
        except StudioError as error:
            return self._redaction.error(error)
        return cards.message(words.HANDED_IN.format(count=len(jobs)), notes)


def in_words(problems: Sequence[StudioError]) -> list[str]:
    """Return each problem's message and what to do."""
    return [f"{problem.message} {hint_of(problem)}" for problem in problems]


def told_of(fields: Sequence[Field], notes: Sequence[str] = (), problems: Sequence[str] = ()) -> str:
    """Return the card's text: how many fields there are and are shown, the values to correct, notes and problems."""
    told = [words.FIELDS.format(count=len(fields))]
    if len(fields) > MOST_SHOWN:
        told.append(words.FIELDS_SHOWN.format(count=MOST_SHOWN))
    unfit = [field for field in fields[:MOST_SHOWN] if not shown_value(field).fits]
    if unfit:
        named = ", ".join(shown(field.title) for field in unfit[:MOST_NAMED])
        more = words.AND_MORE.format(count=len(unfit) - MOST_NAMED) if len(unfit) > MOST_NAMED else ""
        told.append(words.FIELDS_UNFIT.format(names=named + more))
    told += notes
    if problems:
        told.append(words.PROBLEMS.format(problems=" ".join(problems)))
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
        "label": field.title,
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
            return gr.Textbox(value=value, lines=3 if field.lines else 1, **named)
    limits: dict[str, Any] = {"minimum": field.minimum, "maximum": field.maximum} if field.is_limited else {}
    return gr.Number(value=value, precision=None if field.kind is Kind.NUMBER else 0, **limits, **named)


def _notes_of(specs: Sequence[JobSpec]) -> str:
    """Return the notes on requests; of many, the first `MOST_NOTES`."""
    notes = [
        words.NOTE_OF_REQUEST.format(number=number, note=note)
        for number, spec in enumerate(specs, 1)
        for note in spec.notes()
    ]
    more = words.AND_MORE.format(count=len(notes) - MOST_NOTES) if len(notes) > MOST_NOTES else ""
    return " ".join(notes[:MOST_NOTES]) + more
