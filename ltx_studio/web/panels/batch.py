"""The page's panel for many requests: pasted lines or a file, and a preview of what they make."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from ltx_studio import limits
from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet
from ltx_studio.families.default_preset import default_preset
from ltx_studio.modes import MODES
from ltx_studio.studio import JobSpec, Studio
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.gradio_compat.quiet import AS_LONG_AS_A_RUN, QUIET
from ltx_studio.web.gradio_compat.streams import streamed
from ltx_studio.web.hints import hint_of
from ltx_studio.web.page import FIRST_MODE
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.run import RunPanel
from ltx_studio.web.shared import Shared

MOST_SHOWN = 5
"""Requests that the preview shows."""
MOST_PROBLEMS = 10
MOST_NOTES = 10
PASTED = "lines.txt"
LONGEST_TEXT = 1_000_000
"""Characters of pasted text; a file may be longer."""
PROMPT_LETTERS = 120


@dataclass(frozen=True, slots=True)
class _Read:
    """What was pasted and dropped: the requests, and what is wrong, in lines of the preview."""

    specs: tuple[JobSpec, ...] = ()
    problems: tuple[str, ...] = ()
    untitled: bool = False


class BatchPanel:
    """The panel; its jobs are followed in the page's run panel.

    Attributes:
        file: The field for a file; setting it shows the file's preview.
    """

    file: gr.File

    def __init__(self, studio: Studio, owners: Owners, run: RunPanel, model_set: ModelSet, shared: Shared) -> None:
        self._studio, self._owners, self._run_panel, self._model_set = studio, owners, run, model_set
        self._shared, self._redaction = shared, Redaction(studio.settings, owners)

    def build(self) -> None:
        """Add the panel to the open Blocks."""
        lines = gr.Textbox(
            "",
            label=texts.BATCH_LINES,
            placeholder=texts.BATCH_PLACEHOLDER,
            lines=5,
            max_lines=14,
            max_length=LONGEST_TEXT,
            elem_id="batch-lines",
        )
        # takes any file: the preview refuses others in words of its own
        self.file = file = gr.File(label=texts.BATCH_FILE, type="filepath", height=150, elem_id="batch-file")
        preset = gr.Dropdown(self._presets(), value=self._default(), label=texts.BATCH_PRESET, elem_id="batch-preset")
        said = gr.HTML(elem_id="batch-said", apply_default_css=False)
        card = gr.HTML(cards.hint(texts.BATCH_HELP), elem_id="batch-card", apply_default_css=False)
        add = gr.Button(texts.ADD_TO_QUEUE, variant="primary", interactive=False, elem_id="hand-in")
        added = gr.State(())
        given = [lines, file, preset]
        changes = [lines.change, file.change, preset.input]
        gr.on(changes, self._preview, given, [said, card, add], trigger_mode="always_last", **QUIET)
        adding = add.click(self._add, given, [said, card, add, lines, file, added], **QUIET)
        adding.then(streamed(self._follow), [added], self._run_panel.outputs, **AS_LONG_AS_A_RUN)

    def _presets(self) -> list[tuple[str, str]]:
        presets = self._model_set.family.presets.values()
        return [(translated(preset.label), preset.id) for preset in presets if not preset.refusal(self._model_set)]

    def _default(self) -> str:
        usual = self._model_set.family.usual_preset
        preset = default_preset(self._studio.settings, self._model_set.family)
        return usual.id if preset is None or preset.refusal(self._model_set) else preset.id

    def _preview(self, lines: str, path: str | None, preset: str) -> tuple[Any, ...]:
        """Show what would be made: said, card, button."""
        if not lines.strip() and path is None:
            return gr.skip(), gr.skip(), _button(0)
        try:
            read = self._read(lines, path, preset)
        except StudioError as error:
            return "", self._redaction.error(error), _button(0)
        return "", self._shown(read), _button(0 if read.problems else len(read.specs))

    def _add(self, lines: str, path: str | None, preset: str, request: gr.Request) -> tuple[Any, ...]:
        """Add all requests to the queue, or none: said, card, button, lines, file, and the jobs."""
        try:
            self._shared.check(self._model_set)
            read = self._read(lines, path, preset)
            if read.problems:
                raise RequestError(texts.BATCH_WRONG.format(count=len(read.problems)), texts.BATCH_WRONG_HINT)
            notes = notes_of(read.specs)  # before anything is submitted: a file may be gone
            jobs = self._studio.jobs.submit(self._owners.of(request), read.specs)
        except StudioError as error:
            return self._redaction.error(error), *[gr.skip()] * 4, ()  # no jobs, so that none is followed again
        said = cards.message(texts.ADDED.format(clips=words.clips(len(jobs))), f"{texts.ADDED_HINT} {notes}".strip())
        return said, "", _button(0), "", None, tuple(jobs)

    def _follow(self, jobs: Sequence[str], request: gr.Request) -> Iterator[Any]:
        """Show the jobs on the screen, one after another."""
        if jobs:
            yield from self._run_panel.follow(jobs, request, [texts.ADDED.format(clips=words.clips(len(jobs)))])

    def _read(self, lines: str, path: str | None, preset: str) -> _Read:
        """Return the requests of the lines and of the file.

        Raises:
            RequestError: Either cannot be read, or they are too many.
        """
        read = _Read()
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(path)] if path is not None else []
            if lines.strip():
                pasted = Path(folder) / PASTED
                pasted.write_text(lines, encoding="utf-8", errors="replace")
                files.insert(0, pasted)
            for file in files:
                table = self._studio.jobs.check_table(
                    file, self._model_set.id, FIRST_MODE, preset, with_files=not self._owners.apart
                )
                problems = [_problem(file.name, row.line, row.problem) for row in table.rows if row.problem]
                specs = [row.spec for row in table.rows if row.spec]
                read = _Read((*read.specs, *specs), (*read.problems, *problems), read.untitled or table.is_untitled)
        limits.TABLE_ROWS.check(len(read.specs), words.BATCH)
        return read

    def _shown(self, read: _Read) -> str:
        """Return the card that shows the first requests, how long all take, and what is wrong."""
        rows = "".join(
            f'<li><span class="prompt" dir="auto">{escape(spec.prompt[:PROMPT_LETTERS])}</span>'
            f'<span class="about">{escape(_about(spec))}</span></li>'
            for spec in read.specs[:MOST_SHOWN]
        )
        more = len(read.specs) - MOST_SHOWN
        parts = [
            f'<p class="what" data-say>{escape(self._summary(read.specs))}</p>' if read.specs else "",
            f"<p>{texts.BATCH_UNTITLED}</p>" if read.untitled else "",
            f'<ol class="requests">{rows}</ol>' if rows else "",
            f"<p>{texts.BATCH_MORE.format(count=more)}</p>" if more > 0 else "",
        ]
        if read.problems:
            wrong = "".join(f"<li>{escape(each)}</li>" for each in read.problems[:MOST_PROBLEMS])
            beyond = len(read.problems) - MOST_PROBLEMS
            last = f"<li>{texts.BATCH_MORE.format(count=beyond)}</li>" if beyond > 0 else ""
            told = texts.BATCH_WRONG.format(count=len(read.problems))
            parts.append(f'<div><p class="wrong" data-say>{told}</p><ul class="wrong">{wrong}{last}</ul></div>')
        return f'<div class="card batch">{"".join(parts)}</div>'

    def _summary(self, specs: Sequence[JobSpec]) -> str:
        """Return how many clips, and how long they take here if that is known of all."""
        estimates = [self._studio.takes.estimate(spec) for spec in specs]
        count = words.clips(len(specs))
        known = [estimate.seconds for estimate in estimates if estimate is not None]
        return f"{count} · {words.in_seconds(sum(known))}" if len(known) == len(specs) else count


def notes_of(specs: Sequence[JobSpec]) -> str:
    """Return the notes on requests; of many, the first `MOST_NOTES`."""
    notes = [
        texts.NOTE_OF_REQUEST.format(number=number, note=translated(note))
        for number, spec in enumerate(specs, 1)
        for note in spec.notes()
    ]
    more = texts.AND_MORE.format(count=len(notes) - MOST_NOTES) if len(notes) > MOST_NOTES else ""
    return " ".join(islice(notes, MOST_NOTES)) + more


def _problem(name: str, line: int, problem: StudioError) -> str:
    """Return what is wrong with a line, without the file's name, which stands above it."""
    said = translated(problem.message.removeprefix(f"{name}, line {line}: "))
    first = said.partition(" ")[0]
    if first == "it" or any(
        first in mode.params.model_fields for mode in MODES.values()
    ):  # else a file's name, perhaps
        said = f"{said[:1].upper()}{said[1:]}"
    return f"{texts.BATCH_LINE.format(line=line)} {said} {hint_of(problem)}".strip()


def _about(spec: JobSpec) -> str:
    """Return mode, preset, size and length."""
    mode = MODES[spec.mode]
    width, height = mode.size(spec.params, spec.sampling)
    size = f"{width} × {height}"
    length = words.SECONDS.format(seconds=spec.params.seconds)
    return " · ".join([translated(mode.label), translated(spec.sampling.label), size, length])


def _button(count: int) -> Any:
    label = texts.ADD_COUNT.format(clips=words.clips(count)) if count else texts.ADD_TO_QUEUE
    return gr.update(value=label, interactive=count > 0)
