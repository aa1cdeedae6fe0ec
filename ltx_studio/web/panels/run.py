"""The run panel: follows the jobs that a browser tab submitted, one after another, with a button that stops one."""

import base64
import io
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from ltx_studio.errors import StudioError
from ltx_studio.graph import Phase
from ltx_studio.media import by_name
from ltx_studio.studio import Done, Estimate, Failed, Job, Queued, Running, Spec, Studio
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.files import asset
from ltx_studio.web.gradio_compat.quiet import AT_ONCE, QUIET
from ltx_studio.web.panels.queue_panel import name_of
from ltx_studio.web.panels.remedies import RemedyButtons
from ltx_studio.web.panels.take import TakePanel

PREVIEW_FRAME_MS = 250
"""How long each latent frame is shown; its eight frames of the clip, at the usual speed, take a third of a second."""
TELL_AGAIN, TELL_LATER, SHORT_SECONDS = 0.2, 0.5, 3.0
"""Seconds between two updates in the first `SHORT_SECONDS` of a run, and after them: each update costs the browser,
which may be on the machine that renders, almost a tenth of a second."""
MOST_RESUMED = 100
"""Jobs that a returning visitor follows; they may have submitted thousands."""
MOST_TABS = 2_000
"""Tabs that are remembered."""
SKIP: Any = gr.skip()


@dataclass
class _Tab:
    """The jobs that one browser tab follows, and what it shows."""

    jobs: deque[str] = field(default_factory=deque)
    shown: str | None = None
    is_followed: bool = False
    turns: bool = False
    """Whether to show the first of `jobs` instead of the job that is shown."""
    left: set[str] = field(default_factory=set)
    """Jobs that it left before they ended; they are in `jobs` again."""
    failure: str = ""
    """The job whose failure is shown."""
    keeps_take: bool = False
    """Whether the shown take stays when a job ends, because the visitor has opened it."""


class RunPanel:
    """The progress card, live preview and Stop button. Each tab follows its own jobs; they continue without it.

    Attributes:
        told: Says why a request cannot be submitted; above the run, which keeps updating. Between the two, the last
            failure stays with its remedies until something new is submitted, because the next job may begin at once.
        outputs: The outputs of handlers that yield from `follow`.
        begun: Changes whenever this tab begins to show a job, for the queue to update.
        ended: Changes whenever a job of this tab has ended, for the queue to update.
        failed: The id of the job whose failure is shown, which `remedies` apply to.
    """

    def __init__(self, studio: Studio, owners: Owners, take: TakePanel) -> None:
        self._studio, self._owners, self._take = studio, owners, take
        self._redaction = Redaction(studio.settings, owners)
        self._tabs: dict[str, _Tab] = {}
        self._guard = threading.Lock()
        self.remedies = RemedyButtons()
        self.outputs: list[gr.components.Component] = []

    def build(self) -> None:
        """Add the components to the open Blocks; the take panel must be built."""
        self.told = gr.HTML("", elem_id="told", js_on_load=asset("told.js"))
        with gr.Column(visible=False, elem_id="failure-place") as self._failure_place:
            self._failure = gr.HTML("", elem_id="failure")
            self.remedies.build()
        self.failed = gr.State("")
        self._card = gr.HTML(cards.message(words.IDLE), elem_id="run")
        self._stop_button = gr.Button(words.STOP, visible=False, elem_id="stop", variant="stop", size="md")
        self._preview = gr.HTML(elem_id="preview", visible=False)
        self._back = gr.Number(0, visible="hidden", elem_id="back", label="back")
        self.begun = gr.Number(0, visible="hidden", elem_id="begun", label="begun")
        self.ended = gr.Number(0, visible="hidden", elem_id="ended", label="ended")
        failure = [self._failure_place, self._failure, self.failed, *self.remedies.outputs]
        shown = [self._card, self._preview, self._stop_button, self.begun, self.ended]
        self.outputs = [self.told, *failure, *shown, *self._take.outputs]
        self._stop_button.click(self._stop, None, [self._stop_button], **AT_ONCE)

    def _forget(self, request: gr.Request) -> None:
        """Forget a tab that was closed."""
        with self._guard:
            self._tabs.pop(str(request.session_hash), None)

    def wire_return(self, blocks: gr.Blocks) -> None:
        """Show a visitor's running and waiting jobs when the page loads: the tab may have been closed in between."""
        blocks.load(self._returns, None, [self._back], **QUIET)
        self._back.change(self._resume, None, self.outputs, concurrency_limit=None, **QUIET)
        blocks.unload(self._forget)

    def _returns(self, request: gr.Request) -> Any:
        """Return a new value if there are jobs to show.

        Most visitors have none; then the browser need not check all outputs of a run.
        """
        return time.time() if self._going(request) else SKIP

    def _resume(self, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from self.watch(self._going(request), request)

    def _going(self, request: gr.Request) -> list[str]:
        """Return the ids of the visitor's running and waiting jobs."""
        return self._studio.jobs.going(self._owners.of(request), limit=MOST_RESUMED)

    def hand_in(self, specs: Sequence[Spec], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Submit requests to the visitor's queue, and follow them.

        Raises:
            StudioError: They cannot be submitted.
        """
        jobs = self._studio.jobs.submit(self._owners.of(request), list(specs))
        yield from self.follow(jobs, request)

    def follow(self, jobs: Sequence[str], request: gr.Request, notes: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """Show the progress of jobs, after those that this tab already follows; replace earlier notes and failures.

        Args:
            jobs: The ids of the jobs.
            request: The visitor's request.
            notes: Sentences to read before the run; shown above it until something new is submitted.
        """
        with self._guard:
            tab = self._tab(request)
            tab.keeps_take, tab.failure = False, ""
        yield self._tell(told=cards.message(" ".join(notes)) if notes else "", failure=self._no_failure())
        yield from self.watch(jobs, request)

    def keep_take(self, request: gr.Request) -> None:
        """Keep the take that the visitor has opened when a followed job ends."""
        with self._guard:
            self._tab(request).keeps_take = True

    def let_take_go(self, request: gr.Request) -> None:
        """Stop keeping the shown take."""
        with self._guard:
            self._tab(request).keeps_take = False

    def answers(self, job_id: str, request: gr.Request) -> bool:
        """Return whether a job's failure is shown, and note that it no longer is: a second click does nothing."""
        with self._guard:
            tab = self._tab(request)
            is_shown, tab.failure = tab.failure == job_id, ""
            return is_shown

    def _tab(self, request: gr.Request) -> _Tab:
        """Return the tab's state. Idle tabs are dropped first: scripts call the page's events, but never close."""
        session = str(request.session_hash)
        if session not in self._tabs and len(self._tabs) >= MOST_TABS:
            idle = (each for each, tab in self._tabs.items() if not tab.is_followed and not tab.failure)
            self._tabs.pop(next(idle, next(iter(self._tabs))))
        return self._tabs.setdefault(session, _Tab())

    def followed(self, session: str) -> str | None:
        """Return the id of the running or waiting job that a session's tab shows, or None."""
        tab = self._tabs.get(session)
        return None if tab is None else tab.shown

    def turn_to(self, job_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Show a job instead of the one that this tab shows, which continues and is shown again afterwards.

        A job that has ended is shown beside the current one.
        """
        found = self._studio.jobs.get(job_id, self._owners.of(request))
        with self._guard:
            tab = self._tab(request)
            if job_id in tab.jobs:
                tab.jobs.remove(job_id)
        if not isinstance(found.state, Queued | Running):
            yield self._told_of(found, tab)
            return
        with self._guard:
            if tab.shown not in (None, job_id):
                tab.turns = True
                tab.left.add(tab.shown)
                tab.jobs.appendleft(tab.shown)
            if job_id != tab.shown:
                tab.jobs.appendleft(job_id)
        yield from self.watch([job_id], request)

    def _told_of(self, job: Job, tab: _Tab) -> tuple[Any, ...]:
        """Return the updates that show how a job ended, leaving the run unchanged."""
        try:
            spec = self._studio.jobs.request(job)
        except StudioError as problem:
            return self.problem(problem)
        match job.state:
            case Failed(error=error):
                return self._tell(told="", failure=self._a_failure(job, spec, error, tab))
            case Done():
                return self.nothing()
        return self._tell(told=cards.message(words.STOPPED, f"{name_of(job)}: {spec.summary()}"))

    def watch(self, jobs: Sequence[str], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Follow jobs after those that this tab already follows."""
        with self._guard:
            tab = self._tab(request)
            tab.jobs.extend(job for job in jobs if job != tab.shown and job not in tab.jobs)
            if tab.is_followed:
                jobs = ()
            else:
                tab.is_followed = True
        if not jobs:
            yield self.nothing()
            return
        followed: dict[str, Iterator[Job]] = {}  # kept while the tab shows another job: to close one may end its run
        try:
            while (job := self._next(tab)) is not None:
                try:
                    yield from self._follow_one(job, tab, request, followed)
                except StudioError as problem:  # for example, its row is damaged
                    yield self.problem(problem)
        finally:  # also when the tab is closed
            followed.clear()
            with self._guard:
                tab.is_followed, tab.shown = False, None

    def nothing(self) -> tuple[Any, ...]:
        """Return updates that change nothing."""
        return (SKIP,) * len(self.outputs)

    def problem(self, problem: StudioError) -> tuple[Any, ...]:
        """Return updates that show why nothing was submitted."""
        return self._tell(told=self._redaction.error(problem))

    def said(self, text: str) -> tuple[Any, ...]:
        """Return updates that show a sentence."""
        return self._tell(told=cards.message(text))

    def _next(self, tab: _Tab) -> str | None:
        with self._guard:
            tab.shown, tab.turns = tab.jobs.popleft() if tab.jobs else None, False
            tab.is_followed = tab.shown is not None
            return tab.shown

    def _follow_one(
        self, job_id: str, tab: _Tab, request: gr.Request, followed: dict[str, Iterator[Job]]
    ) -> Iterator[tuple[Any, ...]]:
        owner = self._owners.of(request)
        found = self._studio.jobs.get(job_id, owner)
        is_over = not isinstance(found.state, Queued | Running)
        if job_id in tab.left and is_over and (tab.failure or not isinstance(found.state, Failed)):
            return  # it ended unseen, and a later result is shown
        spec = self._studio.jobs.request(found)
        view, begun = _View(self._studio, spec), time.time()
        short_until = time.monotonic() + SHORT_SECONDS
        if job_id not in followed:
            followed[job_id] = self._studio.follow(job_id, owner)
        for each in followed[job_id]:
            if not isinstance(each.state, Queued | Running):
                yield self._outcome(each, spec, tab)
                return
            preview = view.preview(job_id)
            if begun is not SKIP and preview is SKIP:
                preview = gr.update(value="", visible=False)  # it may be the previous job's
            card = gr.update(value=view.card(each, len(tab.jobs)), visible=True)
            yield self._tell(card=card, preview=preview, stop=_stop_button(each), begun=begun)
            begun = SKIP
            time.sleep(TELL_AGAIN if time.monotonic() < short_until else TELL_LATER)
            if tab.turns:
                return

    def _stop(self, request: gr.Request) -> dict[str, Any]:
        """Stop the job that this tab shows; the job's own updates show when it has stopped."""
        tab = self._tabs.get(str(request.session_hash))
        if tab is None or tab.shown is None:
            return gr.update(visible=False)
        self._studio.jobs.cancel(tab.shown, self._owners.of(request))
        return gr.update(value=words.STOPPING, interactive=False)

    def _outcome(self, job: Job, spec: Spec, tab: _Tab) -> tuple[Any, ...]:
        """Return the updates that show how a followed job has ended."""
        shown: dict[str, Any] = {}
        card = ""
        match job.state:
            case Done(take=take):
                record = self._studio.takes.get(take, job.owner)
                done = words.DONE.format(seconds=record.measured["seconds"])
                where = words.IN_HISTORY if tab.keeps_take else ""
                said = [sentence for sentence in (where, record.note) if sentence]
                card = cards.message(done, ". ".join([spec.summary(), " ".join(said)]) if said else spec.summary())
                if not tab.keeps_take:
                    shown["take"] = self._take.shown(record)
            case Failed(error=error):
                shown["failure"] = self._a_failure(job, spec, error, tab)
            case _:
                card = cards.message(words.STOPPED)
        return self._tell(
            card=gr.update(value=card, visible=bool(card)),
            preview=gr.update(value="", visible=False),
            stop=gr.update(visible=False),
            ended=time.time(),
            **shown,
        )

    def _a_failure(self, job: Job, spec: Spec, error: StudioError, tab: _Tab) -> tuple[Any, ...]:
        """Note the failure as shown; return the updates for its card and remedies."""
        tab.failure = job.id
        card = self._redaction.error(error, f"{name_of(job)}: {spec.summary()}")
        return gr.update(visible=True), card, job.id, *self.remedies.updates(error, spec)

    def _no_failure(self) -> tuple[Any, ...]:
        return gr.update(visible=False), "", "", *self.remedies.updates(None)

    def _tell(
        self,
        *,
        told: Any = SKIP,
        failure: Sequence[Any] | None = None,
        card: Any = SKIP,
        preview: Any = SKIP,
        stop: Any = SKIP,
        begun: Any = SKIP,
        ended: Any = SKIP,
        take: Sequence[Any] | None = None,
    ) -> tuple[Any, ...]:
        """Return values of the outputs; those not given stay unchanged."""
        failure = failure or [SKIP] * len(self._no_failure())
        return told, *failure, card, preview, stop, begun, ended, *(take or [SKIP] * len(self._take.outputs))


class _View:
    """The display of one job while it waits and runs."""

    def __init__(self, studio: Studio, spec: Spec) -> None:
        self._studio = studio
        self._summary = spec.summary()
        self._phases: Sequence[Phase] = spec.build(by_name).phases
        self._estimate: Estimate | None = studio.takes.estimate(spec)
        self._shown = 0

    def card(self, job: Job, more: int) -> str:
        now = time.time()
        left = None
        if isinstance(job.state, Running) and self._estimate is not None:
            left = self._estimate.left(job.state.progress, now)
        paused = isinstance(job.state, Queued) and self._studio.jobs.is_paused(job.owner)
        return cards.run(job, self._phases, self._summary, now, left=left, more=more, paused=paused)

    def preview(self, job_id: str) -> Any:
        """Return the live preview if it is newer than the shown one."""
        frames = self._studio.jobs.preview(job_id)
        if not frames or id(frames) == self._shown:
            return SKIP
        self._shown = id(frames)
        return gr.update(value=cards.forming(looping(frames), still(frames)), visible=True)


def looping(frames: Sequence[bytes]) -> str:
    """Return JPEG frames as an animated, looping WebP in a ``data:`` URL."""
    from PIL import Image

    first, *rest = (Image.open(io.BytesIO(frame)) for frame in frames)
    into = io.BytesIO()
    first.save(into, "WEBP", save_all=True, append_images=rest, duration=PREVIEW_FRAME_MS, loop=0, quality=70, method=0)
    return f"data:image/webp;base64,{base64.b64encode(into.getvalue()).decode()}"


def still(frames: Sequence[bytes]) -> str:
    """Return the middle one of JPEG frames as a ``data:`` URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(frames[len(frames) // 2]).decode()}"


def _stop_button(job: Job) -> Any:
    if isinstance(job.state, Running) and job.state.stopping:
        return gr.update(value=words.STOPPING, interactive=False, visible=True)
    return gr.update(value=words.STOP, interactive=True, visible=True)
