"""Pieces of HTML: header, progress card, error card. Everything that comes from outside is escaped here."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from ltx_studio.errors import StudioError
from ltx_studio.events import Fetching
from ltx_studio.graph import Stage
from ltx_studio.jobs import Job, Progress, Queued, Running
from ltx_studio.models import Plan, Planned
from ltx_studio.ui import words
from ltx_studio.words import FETCHING, in_bytes


def run(job: Job, stages: Sequence[Stage], summary: str, now: float) -> str:
    """A job that waits or runs: what it does, for how long, and its stages.

    Args:
        job: It.
        stages: Of its run.
        summary: What is made.
        now: Seconds since the epoch.
    """
    progress, since = Progress(), job.created
    if isinstance(job.state, Running):
        progress, since = job.state.progress, job.state.started
    status = progress.stage
    if isinstance(job.state, Queued):
        status = words.AHEAD.format(count=job.state.ahead) if job.state.ahead else words.NEXT
    elif progress.step:
        status = f"{status}: {words.STEP.format(step=progress.step, total=progress.steps)}"
    at = progress.index if progress.stages else -1
    chips = "".join(_chip(stage.label, index, at) for index, stage in enumerate(stages))
    return (
        '<div class="card" role="status" aria-live="polite">'
        f'<div class="status"><p>{escape(status)}</p>'
        f'<p class="elapsed">{words.ELAPSED.format(elapsed=max(0.0, now - since))}</p></div>'
        f'<progress max="1" value="{progress.part:.3f}"></progress>'
        f'<ol class="chips">{chips}</ol>'
        f'<p class="summary">{escape(summary)}</p></div>'
    )


def _chip(label: str, index: int, at: int) -> str:
    state = "now" if index == at else "done" if index < at else ""
    return f'<li class="{state}">{escape(label)}</li>'


def header(mode: str, notice: str) -> str:
    """Name, mode, and the one line that the model set wants said."""
    line = f'<p class="notice">{_prose(notice)}</p>' if notice else ""
    return f'<div class="bar"><h1>{escape(words.TITLE)}</h1><span class="tag">{escape(mode)}</span>{line}</div>'


def message(text: str, summary: str = "") -> str:
    """A card with one sentence."""
    below = f'<p class="summary">{escape(summary)}</p>' if summary else ""
    return f'<div class="card" role="status" aria-live="polite"><p>{escape(text)}</p>{below}</div>'


def error(problem: StudioError) -> str:
    """What happened, where, what to do; the traceback one click away."""
    details = (
        f"<details><summary>{words.TECHNICAL}</summary><pre>{escape(problem.details)}</pre></details>"
        if problem.details
        else ""
    )
    return (
        f'<div class="card error" role="alert"><p class="what">{_prose(problem.message)}</p>'
        f'<p class="hint">{words.WHAT_TO_DO}: {_prose(problem.hint)}</p>{details}</div>'
    )


def plan(shown: Plan, *, note: str) -> str:
    """What a model set takes: its files with size, source and licence, and whether they fit."""
    rows = "".join(_planned(planned) for planned in shown.files)
    missing, total, free = (in_bytes(count) for count in (shown.missing_bytes, shown.total_bytes, shown.free_bytes))
    said = words.TO_FETCH.format(missing=missing, total=total, free=free)
    if not shown.missing_bytes:
        said = words.ALL_HERE.format(total=total)
    elif not shown.fits:
        said += " " + words.NO_ROOM.format(short=in_bytes(shown.missing_bytes - shown.free_bytes))
    return f'<div class="card"><ul class="files">{rows}</ul><p class="summary">{_prose(f"{said} {note}")}</p></div>'


def _planned(planned: Planned) -> str:
    file = planned.file
    state = words.HERE if planned.present else words.BUILT if file.built else words.MISSING if file.repo else ""
    about = "" if planned.present or file.exact else "~"
    size = f"{about}{in_bytes(planned.size)}" if planned.size else ""
    source = " · ".join(part for part in (file.repo, file.licence, words.GATED if file.gated else "") if part)
    return (
        f'<li class="{"here" if planned.present else ""}"><span class="name">{escape(file.name)}</span>'
        f'<span class="state">{escape(size)} {escape(state or words.NO_SOURCE)}</span>'
        f'<span class="source">{escape(file.use)} · {escape(source)}</span></li>'
    )


def downloads(rows: Iterable[Fetching]) -> str:
    """A bar for each file that is on its way, and one for all."""
    rows = list(rows)
    bars = "".join(_bar(row.file, row.done, row.size, row.note or FETCHING[row.phase]) for row in rows)
    in_all = _bar(words.IN_ALL, rows[-1].all_done, rows[-1].all_size, "") if rows else ""
    return f'<div class="card" role="status" aria-live="polite">{bars}{in_all}</div>'


def _bar(name: str, done: int, size: int, note: str) -> str:
    amount = words.OF.format(done=in_bytes(done), size=in_bytes(size))
    return (
        f'<div class="bytes"><div class="status"><p>{escape(name)}</p><p class="elapsed">{escape(amount)}</p></div>'
        f'<progress max="{max(size, 1)}" value="{done}" aria-label="{escape(name)}"></progress>'
        f'<p class="summary">{escape(note)}</p></div>'
    )


def _prose(text: str) -> str:
    """Escaped, with `commands` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
