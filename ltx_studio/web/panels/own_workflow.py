"""The page's panel for a workflow of the user's own, with a form built from it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.advice import texts_of
from ltx_studio.errors import Remedy, RequestError, StudioError
from ltx_studio.graph.form import FILES, Field, Kind
from ltx_studio.graph.values import shown
from ltx_studio.models.defaults import PREVIEW
from ltx_studio.studio import Studio, WorkflowSpec, unforeseen
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.forms.fields import FILE_HEIGHT
from ltx_studio.web.gradio_compat.components import Picture
from ltx_studio.web.gradio_compat.late_props import when_there
from ltx_studio.web.gradio_compat.quiet import AS_LONG_AS_A_RUN, QUIET
from ltx_studio.web.gradio_compat.streams import streamed
from ltx_studio.web.hints import hint_of, message_of
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.models import ModelsPanel
from ltx_studio.web.panels.own_fields import (
    Layout,
    drawn,
    drawn_groups,
    given_values,
    id_of,
    label_of,
    layout_of,
    shown_value,
)
from ltx_studio.web.panels.run import RunPanel
from ltx_studio.web.panels.screen import Updates

log = logging.getLogger(__name__)

MOST_SHOWN = 200
"""Fields of one form."""
MOST_NAMED = 5
"""Fields that the card names."""


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
        card = gr.HTML(cards.hint(texts.WORKFLOW_HELP), elem_id="workflow-card")
        self._path = gr.State(None)
        self.file.change(self._tell, [self.file, self._path], [card, self._path], **QUIET)
        self.file.clear(None, None, None, js="() => window.ltxOwn.forget()", **QUIET)

    def build_form(self, place: gr.Column, models: ModelsPanel) -> None:
        """Add the form, which is built anew for each file, to a column; the panels must be built."""
        with place:
            wanted = gr.State([])
            # the state changes only with the path. Gradio repeats a file's event, and a form that is built anew under
            # the pointer loses the click
            gr.render(inputs=[self._path], show_progress="hidden")(lambda path: self._form(path, wanted, models))

    def _tell(self, path: str | None, before: str | None) -> tuple[str, str | None]:
        """Return the card for a file that was dropped, or for none, and the path of the workflow whose form is shown.

        A file that cannot be opened leaves the form of the one `before`, with what was written into it.
        """
        shows = f'<button type="button" class="own-open">{texts.SHOW_FORM}</button>'
        if path is None:
            return cards.hint(texts.WORKFLOW_HELP), None
        try:
            opened = self._studio.workflows.open(Path(path))
            told = cards.message(
                told_of(opened.fields, [*map(translated, texts_of(opened.notes))], in_words(opened.problems))
            )
            return told + shows, path
        except StudioError as error:
            card = self._redaction.error(error)
        except Exception as error:
            log.exception("%s could not be opened", Path(path).name)
            card = self._redaction.error(unforeseen.in_words(error, self._studio.settings))
        return card + (shows if before else ""), before

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
            f'<div class="own-head"><h2 tabindex="-1">{name}</h2>'
            f'<button type="button" class="own-close">{texts.CLOSE_FORM}</button></div>',
            js_on_load="window.ltxOwn.built()",
            apply_default_css=False,
            key=f"{path} head",
        )
        self._show_missing(opened.graph, wanted, models)
        try:
            parts, files = _lay_out(layout_of(fields, opened.graph), path)
        except Exception as error:  # a value that Gradio does not accept
            log.exception("the form of %s could not be built", Path(path).name)
            gr.HTML(self._redaction.error(unforeseen.in_words(error, self._studio.settings)))
            return
        with gr.Column(elem_classes=["own-options"]):
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
            given = partial(_given, fields, [*files], values)
            yield from self._run(path, given, request, trusted=trusts, mapped=maps)

        run.click(
            streamed(hand_in),
            [trusted, mapped, *files.values(), *parts],
            self._run_panel.outputs,
            **AS_LONG_AS_A_RUN,
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
        given: Callable[[], Mapping[str, Any]],
        request: gr.Request,
        *,
        trusted: bool,
        mapped: bool,
    ) -> Iterator[Updates]:
        """Submit the workflow with the values that `given` returns by key, and follow it on the page."""
        try:
            spec = self._spec(Path(path), given(), trusted=trusted, mapped=mapped)
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


def _lay_out(layout: Layout, path: str) -> tuple[list[gr.HTML], dict[str, gr.components.Component]]:
    """Add a form's components to the open Blocks.

    Only files are Gradio's components. The browser draws the other fields, and those in folds when they are opened:
    200 components of Gradio would take it seconds.

    Returns:
        What holds the edited values of the other fields, and the components for files by key.
    """
    parts: list[gr.HTML] = []
    made: dict[str, gr.components.Component] = {}
    for number, block in enumerate(layout.blocks):
        if block[0].kind in FILES:
            with gr.Row(elem_classes=["files"]):
                made |= {each.key: file_field(each, path) for each in block}
        else:
            parts.append(_drawn_by_browser(f"{path} {number}", fields=[drawn(each) for each in block]))
    groups = drawn_groups(layout)
    if groups:
        says = texts.MORE_INPUTS.format(count=layout.folded_count)
        parts.append(_drawn_by_browser(f"{path} more", groups=groups, more=says))
    return parts, made


def _given(fields: Sequence[Field], files: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Return a form's values by key, from those of the components for `files` and then of its other parts.

    Raises:
        RequestError: They are not what the page sends.
    """
    uploaded = dict(zip(files, values, strict=False))
    return {
        **{key: value for key, value in uploaded.items() if value is not None},
        **given_values(fields, values[len(files) :]),
    }


def _drawn_by_browser(key: str, **props: Any) -> gr.HTML:
    return gr.HTML(
        {},
        html_template='<div class="own-fields"></div>',
        js_on_load=when_there("window.ltxOwn.fields(element, props)", *props),
        apply_default_css=False,
        key=key,
        **props,
    )


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


def file_field(field: Field, workflow: str) -> gr.components.Component:
    """Return the input component for a file of a workflow; the workflow's path is part of its key."""
    named: dict[str, Any] = {
        "label": label_of(field),
        "elem_id": id_of(field),
        "elem_classes": ["file"],
        "key": f"{workflow} {field.key}",
        "interactive": True,
    }
    match field.kind:
        case Kind.PICTURE:
            sources: Any = ["upload", "clipboard"]
            return Picture(type="filepath", image_mode=None, sources=sources, height=FILE_HEIGHT, **named)
        case Kind.SOUND:
            return gr.Audio(
                type="filepath", sources=["upload", "microphone"], buttons=["download"], min_width=320, **named
            )
    return gr.Video(sources=["upload"], height=FILE_HEIGHT, **named)
