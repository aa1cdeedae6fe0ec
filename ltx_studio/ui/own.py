"""The page's panels for a workflow of one's own, with a form made of it, and for a file of requests."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import RequestError, StudioError
from ltx_studio.graph.definitions import load_definitions
from ltx_studio.graph.files import VIDEOS, read_workflow
from ltx_studio.graph.form import FILES, Field, Kind, form_of
from ltx_studio.graph.safety import check_known
from ltx_studio.jobs import Desk, OwnSpec
from ltx_studio.jobs.batch import read_batch
from ltx_studio.models import ModelSet, Store
from ltx_studio.ui import cards, words
from ltx_studio.ui.discretion import Discretion
from ltx_studio.ui.owners import Owners
from ltx_studio.ui.page import FIRST_MODE
from ltx_studio.ui.quiet import QUIET
from ltx_studio.ui.run import RunPanel


class OwnPanels:
    """What comes of what is handed in here is shown where the page shows its runs."""

    def __init__(self, desk: Desk, owners: Owners, run: RunPanel, model_set: ModelSet) -> None:
        self._desk, self._owners, self._run_panel, self._model_set = desk, owners, run, model_set
        self._discretion = Discretion(desk.settings, owners)

    def build(self) -> None:
        """Add the panels to the Blocks that is open."""
        with gr.Accordion(words.OWN_WORKFLOW, open=False, elem_id="own-workflow"):
            file = gr.File(
                label=words.WORKFLOW_FILE,
                file_types=[".json", *sorted(VIDEOS)],
                type="filepath",
                elem_id="workflow-file",
            )
            trusted = gr.Checkbox(label=words.TRUST, value=False, elem_id="trust")
            card = gr.HTML(cards.message(words.WORKFLOW_HELP), elem_id="workflow-card")
            file.change(self._tell, [file], [card], **QUIET)
            gr.render(inputs=[file], show_progress="hidden")(lambda path: self._form(path, file, trusted))
        with gr.Accordion(words.BATCH, open=False, elem_id="batch"):
            requests = gr.File(
                label=words.BATCH_FILE, file_types=[".csv", ".jsonl"], type="filepath", elem_id="batch-file"
            )
            told = gr.HTML(cards.message(words.BATCH_HELP), elem_id="batch-card")
            gr.Button(words.HAND_IN, elem_id="hand-in").click(self._hand_in, [requests], [told], **QUIET)

    def _tell(self, path: str | None) -> str:
        """What there is to say of a file that was dropped, or of none."""
        try:
            fields = [] if path is None else self._fields(path)
        except StudioError as error:
            return self._discretion.error(error)
        return cards.message(words.WORKFLOW_HELP if path is None else words.FIELDS.format(count=len(fields)))

    def _fields(self, path: str) -> list[Field]:
        definitions = load_definitions(snapshot_path(self._desk.settings))
        graph = read_workflow(Path(path), definitions)
        check_known(graph, definitions)
        return form_of(graph, definitions)

    def _form(self, path: str | None, file: gr.File, trusted: gr.Checkbox) -> None:
        if path is None:
            return
        try:
            fields = self._fields(path)
        except StudioError:
            return  # the card says why
        components = [component(field, path) for field in fields]
        run = gr.Button(words.RUN, variant="primary", elem_id="run-workflow")

        def hand_in(request: gr.Request, path: str, trusts: bool, *values: Any) -> Iterator[tuple[Any, ...]]:
            yield from self._run(path, trusts, fields, values, request)

        run.click(
            hand_in,
            [file, trusted, *components],
            self._run_panel.outputs,
            concurrency_limit=None,
            **QUIET,
        )

    def _run(
        self, path: str, trusted: bool, fields: Sequence[Field], values: Sequence[Any], request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Hand the workflow in, and follow it on the page."""
        given = {field.key: value for field, value in zip(fields, values, strict=True) if value is not None}
        settings = self._desk.settings
        try:
            if trusted and self._owners.apart:
                raise RequestError(words.NOT_TRUSTED, words.NOT_TRUSTED_HINT)
            definitions = load_definitions(snapshot_path(settings))
            spec = OwnSpec.from_file(Path(path), given, definitions, trusted=trusted)
            Store(settings).require(spec.graph, spec.fetch_command)
            jobs = self._desk.submit(self._owners.of(request), [spec])
        except StudioError as error:
            yield self._run_panel.problem(error)
            return
        yield from self._run_panel.follow(jobs, request)

    def _hand_in(self, path: str | None, request: gr.Request) -> str:
        if path is None:
            return cards.message(words.BATCH_HELP)
        try:
            may = not self._owners.apart
            specs = read_batch(Path(path), self._model_set.id, FIRST_MODE, with_files=may, uploaded=True)
            jobs = self._desk.submit(self._owners.of(request), specs)
        except StudioError as error:
            return self._discretion.error(error)
        self._desk.work()
        return cards.message(words.HANDED_IN.format(count=len(jobs)))


def component(field: Field, workflow: str) -> gr.components.Component:
    """The field of a workflow, which is known by its path, as one fills it in."""
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
            return gr.Checkbox(value=bool(field.value), **named)
        case Kind.CHOICE:
            return gr.Dropdown(choices=list(field.choices), value=field.value, **named)
        case Kind.TEXT:
            return gr.Textbox(value=str(field.value), lines=3 if field.lines else 1, **named)
    limits: dict[str, Any] = {"minimum": field.minimum, "maximum": field.maximum} if field.is_limited else {}
    return gr.Number(value=field.value, precision=None if field.kind is Kind.NUMBER else 0, **limits, **named)
