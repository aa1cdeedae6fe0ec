"""The page's panel for the visitor's queue: what runs, what waits, what failed or was stopped."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.modes import MODES
from ltx_studio.studio import Failed, Job, Queued, QueueSnapshot, Running, Studio, WorkflowSpec
from ltx_studio.text.catalogue import ordinal, translated
from ltx_studio.web import hidden, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.access.values import told
from ltx_studio.web.files import asset
from ltx_studio.web.gradio_compat.quiet import AT_ONCE
from ltx_studio.web.hints import hint_of, message_of
from ltx_studio.web.rail import Rail, badge

LOOK_SECONDS, IDLE_SECONDS = 1.0, 3.0
"""Between two updates, with and without running or waiting jobs: each costs the browser a tenth of a second."""
ENDED_SECONDS = 24 * 3600
"""Jobs that failed or were stopped longer ago are not shown."""
NAME_LETTERS = 70

View = dict[str, Any]
"""The board's content, as JSON. `assets/queue.js` sets all of it as text, so nothing in it needs to be escaped."""


class QueuePanel:
    """The queue panel of one page.

    Args:
        studio: The studio.
        owners: The page's owners.
        followed: Returns the id of the job that a session's tab follows, or None.

    Attributes:
        chosen: The id of the job that the visitor chose last; None before the first.
        showing: The event that has set `chosen`, for the page to continue from:
            ``panel.showing.then(…, [panel.chosen], …)``. It fires for every click, also on the chosen job.
        retried: The id of the job that the visitor retried here, and the time, so that it changes on every retry.
        news: Changes whenever the visitor's newest take is another one than before, whoever requested it.
        look: The arguments of an event that updates the board: ``begun.change(**panel.look)``.
    """

    chosen: gr.State
    showing: Any
    retried: gr.Textbox
    news: gr.Number
    look: dict[str, Any]

    def __init__(self, studio: Studio, owners: Owners, followed: Callable[[str], str | None]) -> None:
        self._studio, self._owners, self._followed = studio, owners, followed
        self._redaction = Redaction(studio.settings, owners)

    def build(self, blocks: gr.Blocks, rail: Rail) -> None:
        """Add the panel to the open `blocks`; the rail's badge says how many jobs there are.

        What tells of news is beside the panel: a browser does not see what is in a panel that was never opened change.
        """
        self.chosen = gr.State(None)
        # the browser says with each look what it shows, because answers may arrive in another order than they were sent
        seen = hidden.text("queue-seen", "seen")
        self.retried = hidden.text("retried", "retried")
        self.news = hidden.number("news", "news")
        timer = gr.Timer(IDLE_SECONDS)
        with rail.panel("queue"):
            said = gr.HTML(visible=False, elem_id="queue-said")
            board = gr.HTML(
                view(QueueSnapshot(), None),
                html_template='<div class="line" tabindex="-1" role="group"></div>',
                js_on_load=asset("queue.js"),
                elem_id="queue-board",
            )
        told = [board, rail.html, seen, timer, self.news]
        self.look = {"fn": self._look, "inputs": [seen, self.chosen], "outputs": told, **AT_ONCE}
        timer.tick(**self.look)
        blocks.load(**self.look)
        board.act(self._act, [seen, self.chosen], [*told, said, self.retried], trigger_mode="multiple", **AT_ONCE)
        self.showing = board.show(self._show, None, [self.chosen], trigger_mode="multiple", **AT_ONCE)

    def _look(self, seen: str, chosen: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Update the board and the rail's badge if the browser shows something else."""
        now = self._view(chosen, request)
        return (gr.skip(),) * 5 if _seen(now) == seen else _told(now, seen)

    def _view(self, chosen: str | None, request: gr.Request) -> View:
        line = self._studio.jobs.snapshot(self._owners.of(request), since=time.time() - ENDED_SECONDS)
        return view(line, self._followed(str(request.session_hash)) or chosen, self._redaction.said)

    def _show(self, event: gr.EventData, request: gr.Request) -> Any:
        """Choose a job, if it is the visitor's."""
        try:
            return self._studio.jobs.get(told(event, "job"), self._owners.of(request)).id
        except StudioError:  # it is gone; the next update removes it from the board
            return gr.skip()

    def _act(self, seen: str, chosen: str | None, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Carry out a board button's action, and update the board, the rail's badge and the card above."""
        said, retried = gr.update(value="", visible=False), gr.skip()
        try:
            self._do(told(event, "act"), told(event, "job"), self._owners.of(request))
            if told(event, "act") == "retry":
                retried = f"{told(event, 'job')} {time.time()}"
        except StudioError as problem:
            said = gr.update(value=self._redaction.error(problem), visible=True)
        return (*_told(self._view(chosen, request), seen), said, retried)

    def _do(self, act: str, job_id: str, owner: str) -> None:
        jobs = self._studio.jobs
        acts: Mapping[str, Callable[[], object]] = {
            "cancel": lambda: jobs.cancel(job_id, owner),
            "cancel_rest": lambda: jobs.cancel_rest(job_id, owner),
            "retry": lambda: jobs.retry(job_id, owner),
            "first": lambda: jobs.move(job_id, owner, 0),
            "up": lambda: jobs.move_up(job_id, owner),
            "pause": lambda: jobs.pause(owner),
            "resume": lambda: jobs.resume(owner),
        }
        if act not in acts:
            raise RequestError(words.QUEUE_CANNOT.format(act=act[:40]), words.RELOAD)
        acts[act]()


def view(line: QueueSnapshot, chosen: str | None, said: Callable[[str], str] = str) -> View:
    """Return what the board shows of a queue; the page follows the job `chosen`, and `said` redacts error texts."""
    rows = [_batch(batch, line) for batch in line.batches]
    rows += [_job(job, line, chosen, said) for job in (*line.running, *line.waiting)]
    hidden = line.waits - len(line.waiting)
    if hidden > 0:
        rows.append(_row("more", "more", words.MORE_WAIT.format(count=hidden)))
    rows += [_job(job, line, chosen, said) for job in line.ended]
    begun = line.running or line.waits
    pause = _button("resume", words.RESUME) if line.paused else _button("pause", words.PAUSE) if begun else None
    return {
        "label": words.QUEUE,
        "counts": counts(line) or (words.NOTHING_WAITS if rows else ""),
        "paused": words.PAUSED if line.paused else "",
        "empty": "" if rows else words.QUEUE_EMPTY,
        "pause": pause,
        "rows": rows,
        "moves": bool(begun),
        "newest": line.newest,
        "badge": str(len(line.running) + line.waits or "") or ("!" if line.failed else ""),
    }


def counts(line: QueueSnapshot) -> str:
    """Return the counts as text, like ``1 running, 2 waiting, 1 failed``; empty if all are zero."""
    counted = {
        words.COUNT_RUNNING: len(line.running),
        words.COUNT_WAITING: line.waits,
        words.COUNT_FAILED: line.failed,
    }
    return ", ".join(word.format(count=count) for word, count in counted.items() if count)


def name_of(job: Job) -> str:
    """Return a job's name in a list: the first line of its prompt, or the name of its workflow, shortened."""
    text = str(job.params.get("name", "")) if job.mode == WorkflowSpec.mode and not job.damaged else job.prompt
    line = next((" ".join(each.split()) for each in text.splitlines() if each.strip()), job.id)
    return line if len(line) <= NAME_LETTERS else f"{line[: NAME_LETTERS - 1].rstrip()}…"


def _seen(now: View) -> str:
    """Return what a browser that shows a view says of it: the number of the newest take, and a digest."""
    return f"{now['newest']} {hashlib.sha256(json.dumps(now).encode()).hexdigest()[:16]}"


def _told(now: View, seen: str) -> tuple[Any, ...]:
    """Return the values of the board, the rail, what is seen, the timer and `news`; the browser shows `seen` so far."""
    counted = ", ".join(each for each in (now["paused"] and words.COUNT_PAUSED, now["counts"]) if each)
    says = words.QUEUE_COUNTED.format(counts=counted) if now["rows"] or now["paused"] else ""
    newest = str(seen).partition(" ")[0]  # empty where the page has just opened
    news = gr.skip() if newest in ("", str(now["newest"])) else time.time()
    return (
        now,
        gr.update(queue=badge(now["badge"], says)),
        _seen(now),
        gr.Timer(LOOK_SECONDS if now["moves"] else IDLE_SECONDS),
        news,
    )


def _job(job: Job, line: QueueSnapshot, chosen: str | None, said: Callable[[str], str]) -> View:
    name = name_of(job)
    seed = job.params.get("seed")
    says = f"{name}, {seed}" if job.batch else name  # the clips of a batch differ in nothing else that is shown here
    mode = translated(MODES[job.mode].label) if job.mode in MODES else words.OWN_WORKFLOW
    row = _row(
        job.id,
        job.state.name,
        name,
        about=words.VERIFYING if job.verifies else mode if seed is None else words.SEEDED.format(mode=mode, seed=seed),
        show=words.ON_BUTTON.format(button=words.SHOW, name=says),
        chosen=job.id == chosen,
    )
    match job.state:
        case Running(progress=progress, stopping=stopping):
            row["bar"], row["bar_says"] = round(progress.part, 3), words.HOW_FAR.format(name=says)
            step = words.STEP.format(step=progress.step, total=progress.steps) if progress.step else ""
            row["status"] = ": ".join(each for each in (translated(progress.phase) or words.STARTING, step) if each)
            stop = _button("cancel", words.STOPPING if stopping else words.STOP, says)
            row["acts"] = [stop | {"off": stopping}]
        case Queued(ahead):
            row["status"] = words.IN_LINE.format(place=ordinal(ahead + 1)) if ahead else words.FIRST_IN_LINE
            row["acts"] = [_button("cancel", words.CANCEL, says)]
            if job.id != line.waiting[0].id:
                row["acts"] += [_button("up", words.MOVE_UP, says), _button("first", words.MOVE_FIRST, says)]
        case Failed(error=error):
            row["status"], row["hint"] = said(message_of(error)), said(hint_of(error))
            row["acts"] = [_button("retry", words.RETRY, says)]
        case _:
            row["status"], row["acts"] = words.WAS_STOPPED, [_button("retry", words.RETRY, says)]
    return row


def _batch(batch: str, line: QueueSnapshot) -> View:
    """Return the row above a batch's jobs, with its progress."""
    share = line.batches[batch]
    one = next((job for job in (*line.running, *line.waiting) if job.batch == batch), None)
    name = words.BATCH_OF.format(jobs=share.jobs, name=name_of(one) if one else "…")
    row = _row(batch, "batch", name, status=words.PART_DONE.format(done=share.done, jobs=share.jobs))
    row |= {"bar": round(share.done / share.jobs, 3), "bar_says": words.HOW_FAR.format(name=name)}
    row["acts"] = [_button("cancel_rest", words.CANCEL_REST, name)] if share.waiting else []
    return row


def _row(identity: str, kind: str, name: str, **told: Any) -> View:
    """Return a row with all its fields; with `show`, its name is a button with that label."""
    empty = {
        "about": "",
        "show": "",
        "chosen": False,
        "status": "",
        "hint": "",
        "bar": None,
        "bar_says": "",
        "acts": [],
    }
    return {"id": identity, "kind": kind, "name": name} | empty | told


def _button(act: str, label: str, name: str = "") -> View:
    says = words.ON_BUTTON.format(button=label, name=name) if name else label
    return {"act": act, "label": label, "says": says, "off": False}
