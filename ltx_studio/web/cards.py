"""Pieces of HTML: header, progress card, error card. All text from outside is escaped here."""

import re
from collections.abc import Sequence
from html import escape

from ltx_studio import __version__
from ltx_studio.errors import Remedy, StudioError
from ltx_studio.families import Preset, all_presets
from ltx_studio.graph import Phase
from ltx_studio.modes import MODES, OF_PRESET
from ltx_studio.studio import Cost, Job, Progress, Queued, Running, TakeRecord
from ltx_studio.text.catalogue import translated
from ltx_studio.text.phrases import WAITING
from ltx_studio.web import words
from ltx_studio.web.hints import hint_of, message_of
from ltx_studio.web.shared import OutdatedError

_NUMBER_WITH_UNIT, _TOGETHER = re.compile(r"(\d) (?=\w)"), "\\1\N{NO-BREAK SPACE}"
"""A line does not break between a number and its unit."""
_MAKE_ROOM = f'<button type="button" data-act="room">{words.MAKE_ROOM}</button>'
SHORT_PROMPT = 90
"""Characters of a prompt that need no fold: it takes two lines at most where the page is narrow."""


def run(
    job: Job,
    phases: Sequence[Phase],
    summary: str,
    now: float,
    *,
    left: float | None = None,
    part: float | None = None,
    more: int = 0,
    waits: str = "",
) -> str:
    """Return the status of a waiting or running job: one line with a bar, and a fold with phases and details.

    Args:
        job: The job.
        phases: The phases of its run.
        summary: What it makes.
        now: Seconds since the epoch.
        left: Estimated seconds until it ends, if known.
        part: The completed part of the run, 0 to 1; by default each phase counts alike.
        more: How many jobs the same tab follows after it.
        waits: Why it waits, if not for other jobs.
    """
    progress, since = Progress(), job.created
    if isinstance(job.state, Running):
        progress, since = job.state.progress, job.state.started
    what = say = translated(progress.phase) or words.BEGINS
    if isinstance(job.state, Queued):
        what = words.AHEAD.format(count=job.state.ahead) if job.state.ahead else words.NEXT
        what = say = waits or what
    elif progress.step:
        what = f"{what}: {words.STEP.format(step=progress.step, total=progress.steps)}"
    at = progress.index if progress.phases else -1
    chips = "".join(_chip(translated(phase.label), index, at) for index, phase in enumerate(phases))
    time = words.ELAPSED.format(elapsed=max(0.0, now - since))
    done = progress.part if part is None else part
    below = words.AFTERWARDS.format(count=more) if more else ""
    bar = f'<progress class="bar" max="1" value="{done:.3f}" aria-label="{words.PROGRESS}"></progress>'
    details = (
        f'<details data-fold="run"><summary>{words.DETAILS}</summary><ol class="chips">{chips}</ol>'
        f'<p class="summary">{escape(summary)}</p><p class="summary">{escape(below)}</p></details>'
    )
    does = _MAKE_ROOM if progress.phase == WAITING["disk"] else ""
    return _line(what, time, say=say, title=_percent(done) or words.TITLE_WAITS, bar=bar, left=left) + does + details


def status(what: str, facts: str = "", *, title: str = "") -> str:
    """Return the status line of what does not run. `title` is a sign for the tab's title, until the page is seen."""
    return _line(what, facts, say=what, title=title, is_over=True)


def going(job: Job, prompt: str, *, left: float | None, part: float, ready: Sequence[str] = ()) -> str:
    """Return the line about a job that goes on while something else is shown, with a button that shows it.

    Another button shows the newest of the takes that are `ready` and not seen yet.
    """
    what = words.GOES_ON if isinstance(job.state, Running) else words.WAITS
    say = show = ""
    if ready:
        told = words.IS_READY if len(ready) == 1 else words.ARE_READY.format(count=len(ready))
        say = f' data-say="{told}"'
        show = f'<button type="button" data-act="turn" data-take="{escape(ready[-1])}">{words.SHOW_READY}</button>'
    return (
        f'<div class="going" data-title="{_percent(part) or words.TITLE_WAITS}"{say}>'
        f'<p class="what" dir="auto">{what} <q>{escape(prompt)}</q></p>'
        f'<p class="elapsed">{_percent(part)}{_left(left)}</p>{show}'
        f'<button type="button" data-act="turn" data-take="">{words.SHOW_RUN}</button>'
        f'<progress class="bar" max="1" value="{part:.3f}" aria-label="{words.PROGRESS}"></progress></div>'
    )


def ready(take: TakeRecord) -> str:
    """Return the line that says that a clip is finished while another one is shown, with a button that shows it."""
    return (
        f'<div class="going" data-over data-title="{words.TITLE_DONE}"'
        f' data-say="{words.IS_READY} {escape(take.prompt[:SHORT_PROMPT])}">'
        f'<p class="what" dir="auto">{words.IS_READY} <q>{escape(take.prompt)}</q></p>'
        f'<button type="button" data-act="turn" data-take="{escape(take.id)}">{words.SHOW}</button></div>'
    )


def deleted(takes: Sequence[str], seconds: int) -> str:
    """Return the card that says that clips are deleted, with a button that puts them back, for some seconds."""
    told = words.DELETED_ONE if len(takes) == 1 else words.DELETED.format(takes=len(takes))
    return (
        f'<div class="card deleted" data-seconds="{seconds}" data-one="{words.DELETED_ONE}"'
        f' data-many="{words.DELETED}"><p data-say>{told}</p>'
        f'<button type="button" data-act="undo" data-takes="{escape(" ".join(takes))}">{words.UNDO}</button></div>'
    )


def _line(
    what: str, facts: str, *, say: str, title: str, is_over: bool = False, bar: str = "", left: float | None = None
) -> str:
    """Return a status line. `say` is read out by screen readers, not too often; `left` are the seconds left."""
    return (
        f'<div class="line-of-status" tabindex="-1" data-say="{escape(say)}" data-title="{escape(title)}"'
        f'{" data-over" if is_over else ""}><p class="what">{escape(what)}</p>'
        f'<p class="elapsed">{escape(facts)}{_left(left)}</p></div>{bar or "<div class=bar></div>"}'
    )


def _left(seconds: float | None) -> str:
    """Return the time left, if it is known; it is hidden while the server does not answer."""
    return (
        "" if seconds is None else f'<span class="left"> · {words.LEFT.format(left=words.in_seconds(seconds))}</span>'
    )


def _percent(part: float) -> str:
    return f"{int(part * 100)} %" if part else ""


def told(
    made: str,
    notes: Sequence[str] = (),
    *,
    seconds: float | None = None,
    cost: Cost | None = None,
    longest: float | None = None,
    clips: int = 1,
    wrong: bool = False,
    offer: str = "",
) -> str:
    """Return the line that says what a form will make, with its cost or estimated time, and notes.

    Args:
        made: The size and length of a clip, or what is wrong.
        notes: Sentences below the line.
        seconds: The estimated time of one clip, if known.
        cost: The GPU time that one clip takes of a visitor's, where it is limited.
        longest: The longest clip, in seconds, that fits into that time where this one does not; None if none does.
        clips: How many are made.
        wrong: Whether nothing can be made.
        offer: What the button after the first note says, which changes the settings; empty for no button.
    """
    if cost is not None:
        words_of_cost = words.COST if cost.counted == cost.seconds else words.COST_COUNTED
        account, minutes = words.ACCOUNTS[cost.account], cost.a_day // 60
        time = words_of_cost.format(seconds=cost.seconds, counted=cost.counted, minutes=minutes, account=account)
        if not cost.fits:
            instead = words.MAKE_IT_SHORTER.format(seconds=longest) if longest else words.MAKE_IT_SMALLER
            said = words.COSTS_TOO_MUCH.format(seconds=cost.seconds, most=cost.most, account=account)
            notes = [*notes, f"{said} {instead}"]
    else:
        time = "" if seconds is None else words.TIME_HERE.format(time=words.in_seconds(seconds * clips))
    if clips > 1:
        time = ", ".join(part for part in (words.CLIPS.format(count=clips), time) if part)
    rows = "".join(f"<li>{escape(note)}</li>" for note in notes)
    if offer:
        rows = rows.replace("</li>", f' <button type="button" class="tool suggest">{escape(offer)}</button></li>', 1)
    said = f"{made} · {_NUMBER_WITH_UNIT.sub(_TOGETHER, time)}" if time else made
    return (
        f'<div class="told"><p class="made{" wrong" if wrong else ""}">{escape(said)}</p>'
        f"{f'<ul>{rows}</ul>' if rows else ''}</div>"
    )


def recipe(take: TakeRecord, said: str = "") -> str:
    """Return how a take was made: its prompt, and the rest in a fold; `said` is a status message below it."""
    own = words.OWN_NAMED.format(name=take.recipe["params"].get("name", ""))
    mode = translated(MODES[take.mode].label) if take.mode in MODES else own
    known = all_presets().get(str(take.recipe.get("preset")))
    preset = translated(known.label) if known else ""
    clip, seed = take.clip, take.seed
    facts = [
        mode,
        preset,
        "" if seed is None else words.SEED.format(seed=seed),
        "{width:g}×{height:g}".format(**clip) if "width" in clip else "",
        words.LENGTH.format(**clip) if "seconds" in clip else "",
        words.MADE_IN.format(time=f"{take.measured['seconds']:.1f} s"),
        str(take.recipe.get("model_set", "")),
        *_tuning(take, known),
    ]
    chips = "".join(f"<li>{escape(fact)}</li>" for fact in facts if fact)
    below = f'<p class="summary" data-say>{escape(said)}</p>' if said else ""
    return (
        f'<div id="recipe" class="recipe" data-take="{escape(take.id)}">{_prompt(take.prompt, take.id)}'
        f'<details data-fold="facts"><summary>{words.DETAILS}</summary><ul class="chips">{chips}</ul>'
        f'<p class="summary">{words.CARRIES_WORKFLOW}</p></details>{below}</div>'
    )


def _tuning(take: TakeRecord, preset: Preset | None) -> list[str]:
    """Return what the request changed of its preset, with effect."""
    if preset is None or take.mode not in MODES:
        return []
    params, fields = take.recipe["params"], MODES[take.mode].params.model_fields
    acting = [name for name in MODES[take.mode].tuning if name in preset.tunable()]
    changed = [name for name in acting if params.get(name) not in (None, OF_PRESET)]
    shown = {name: f"{value:g}" if isinstance(value := params[name], float) else str(value) for name in changed}
    return [f"{translated(str(fields[name].title))} {value}" for name, value in shown.items()]


def facts_of(take: TakeRecord) -> str:
    """Return a take's length, size and seed, for the status line."""
    clip, seed = take.clip, take.seed
    parts = [
        words.SECONDS.format(**clip) if "seconds" in clip else "",
        "{width:g}×{height:g}".format(**clip) if "width" in clip else "",
        "" if seed is None else words.SEED.format(seed=seed),
    ]
    return " · ".join(filter(None, parts))


def _prompt(text: str, take_id: str) -> str:
    """Return a prompt; a long one is folded to two lines."""
    if len(text) <= SHORT_PROMPT and "\n" not in text:
        return f'<p class="prompt" dir="auto">{escape(text)}</p>'
    fold = f'class="prompt" data-fold="prompt-{escape(take_id)}"'
    return f'<details {fold}><summary dir="auto">{escape(text)}</summary></details>'


def _chip(label: str, index: int, at: int) -> str:
    state = "now" if index == at else "done" if index < at else ""
    return f'<li class="{state}">{escape(label)}</li>'


def header(model_set: str, notice: str = "") -> str:
    """Return the header: a link past the forms, the title, and the model set's button with its notice as a tooltip."""
    tip = f' title="{escape(notice)}"' if notice else ""
    return (
        f'<a class="skip" href="#rail-place">{words.SKIP_TO_LIBRARY}</a><h1>{escape(words.TITLE)}</h1>'
        f'<button id="model-chip" type="button" aria-controls="drawer"{tip}>'
        f'<span class="unseen">{words.MODEL_CHIP.format(label="")}</span>{escape(model_set)}</button>'
    )


def help_dialog() -> str:
    """Return the Help button and its dialog: the keyboard shortcuts, about, and licenses."""
    keys = "".join(
        f"<dt>{''.join(f'<kbd>{escape(key)}</kbd>' for key in combination.split())}</dt><dd>{escape(does)}</dd>"
        for combination, does in words.SHORTCUT_ROWS.items()
    )
    links = "".join(
        f'<li><a href="{url}" target="_blank" rel="noopener noreferrer">{escape(name)}</a></li>'
        for url, name in words.ABOUT_LINKS.items()
    )
    licences = "".join(f"<li>{prose(row)}</li>" for row in words.LICENSE_ROWS)
    close = f'<button type="button" class="close" aria-label="{words.CLOSE}"><span aria-hidden="true">✕</span></button>'
    return (
        f'<button id="help-open" type="button" aria-haspopup="dialog">{words.HELP}</button>'
        f'<dialog id="help" aria-labelledby="help-title"><div class="head"><h2 id="help-title">{words.HELP}</h2>'
        f"{close}</div>"
        f"<h3>{words.SHORTCUTS}</h3><dl>{keys}</dl>"
        f"<h3>{words.ABOUT}</h3><p>{escape(words.ABOUT_TEXT.format(version=__version__))}</p><ul>{links}</ul>"
        f"<p>{prose(words.ABOUT_DOCS)}</p><h3>{words.LICENSES}</h3><ul>{licences}</ul></dialog>"
    )


def line(text: str) -> str:
    """Return a sentence without a frame."""
    return f'<p class="line">{prose(text)}</p>'


def hint(text: str) -> str:
    """Return a card with help, which is not read out when it appears."""
    return f'<div class="card"><p>{escape(text)}</p></div>'


def message(text: str, summary: str = "") -> str:
    """Return a card with one sentence, and a summary below it if there is one."""
    below = f'<p class="summary" data-say>{escape(summary)}</p>' if summary else ""
    return f'<div class="card"><p data-say>{escape(text)}</p>{below}</div>'


def not_downloaded(label: str, size: str, *, may_fetch: bool) -> str:
    """Return the card that says that a model set is not here, with a button to where it is downloaded if one may."""
    told = escape(words.NOT_DOWNLOADED.format(label=label, size=size))
    opens = f'<button type="button" class="main" data-act="models">{words.OPEN_MODELS}</button>' if may_fetch else ""
    return f'<div class="card offer"><p data-say>{told}</p>{opens}</div>'


def others_continue() -> str:
    """Return the card that says that a clip was stopped and others follow, with a button that cancels these."""
    cancels = f'<button type="button" data-act="cancel_rest">{words.CANCEL_REST}</button>'
    return f'<div class="card offer rest"><p data-say>{words.OTHERS_CONTINUE}</p>{cancels}</div>'


def error(problem: StudioError, summary: str = "") -> str:
    """Return an error's card: what happened, what to do, and foldable details. `summary` is what was to be made."""
    below = f'<p class="summary">{escape(summary)}</p>' if summary else ""
    details = (
        f"<details><summary>{words.TECHNICAL}</summary><pre>{escape(problem.details)}</pre></details>"
        if problem.details
        else ""
    )
    does = ""
    if isinstance(problem, OutdatedError):
        does = f'<button type="button" data-act="reload">{words.RELOAD_PAGE}</button>'
    elif Remedy.MAKE_ROOM in problem.remedies:
        does = _MAKE_ROOM
    return (
        f'<div class="card error" role="alert"><p class="what">{prose(message_of(problem))}</p>'
        f'<p class="hint">{words.WHAT_TO_DO}: {prose(hint_of(problem))}</p>{below}{details}'
        f"{does}</div>"
    )


def prose(text: str) -> str:
    """Return the text escaped, with text in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
