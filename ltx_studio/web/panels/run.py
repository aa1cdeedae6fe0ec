"""The run panel: follows the jobs that a browser tab submitted, one after another, with a button that stops one."""

import logging
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import gradio as gr

from ltx_studio.errors import StudioError
from ltx_studio.studio import Done, Failed, Job, Queued, Running, Spec, Studio, TakeRecord, unforeseen
from ltx_studio.text.catalogue import translated
from ltx_studio.web import cards, hidden, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.access.values import told
from ltx_studio.web.gradio_compat.quiet import AT_ONCE, QUIET
from ltx_studio.web.gradio_compat.streams import Pause, streamed
from ltx_studio.web.panels.queue_panel import name_of
from ltx_studio.web.panels.remedies import RemedyButtons
from ltx_studio.web.panels.run_view import RunView
from ltx_studio.web.panels.screen import Screen, Updates, slate
from ltx_studio.web.panels.stopping import Stopping, stop_button
from ltx_studio.web.panels.tabs import Tab, Tabs
from ltx_studio.web.panels.take import TakePanel

log = logging.getLogger(__name__)

Followed = dict[str, Generator[Job, None, None]]
"""The jobs that are being followed, by id; to close one may end its run."""

MOST_RESUMED = 100
"""Jobs that a returning visitor follows; they may have submitted thousands."""
SHOWN_AGAIN = 12 * 3600
"""Seconds for which a failure is shown again to a visitor who comes back."""
SKIP: Any = gr.skip()


class RunPanel:
    """Follows the jobs that a tab submitted, on the screen. Each tab follows its own; they continue without it.

    Between two looks it yields a `Pause`, and its handlers are wired as `streamed`: a tab that follows holds no thread.

    While the visitor looks at a take, the job that goes on is one line with a button. The last failure stays with its
    remedies until something new is submitted, because the next job may begin at once.

    Attributes:
        told: Says why a request cannot be submitted.
        outputs: The outputs of handlers that yield from `follow`.
        showing: The outputs of handlers that open or close a take.
        begun: Changes whenever this tab begins to show a job, for the queue to update.
        ended: Changes whenever a job of this tab has ended, for the queue to update.
        failed: The id of the job whose failure is shown, which `remedies` apply to.
    """

    def __init__(self, studio: Studio, owners: Owners, screen: Screen, take: TakePanel) -> None:
        self._studio, self._owners, self._screen, self._take = studio, owners, screen, take
        self._redaction = Redaction(studio.settings, owners)
        self._tabs = Tabs()
        self._guard = threading.Lock()
        self._stopping = Stopping(studio, owners, screen, self._tabs, self._guard, self.problem)
        self.remedies = RemedyButtons()
        self.outputs: list[gr.components.Component] = []
        self.showing: list[gr.components.Component] = []

    def build(self) -> None:
        """Add the components to the open Blocks; the screen and the take panel must be built."""
        self.told = self._screen.told
        with gr.Column(visible=False, elem_id="failure-place") as self._failure_place:
            self._failure = gr.HTML("", elem_id="failure")
            self.remedies.build()
        self.failed = gr.State("")
        self._back = hidden.number("back", "back")
        self.begun = hidden.number("begun", "begun")
        self.ended = hidden.number("ended", "ended")
        shown: list[gr.components.Component] = [self.told, *self._screen.outputs, *self._take.outputs]
        place: Any = self._failure_place
        self.showing = [*shown, place]
        self.outputs = [*shown, place, self._failure, self.failed, *self.remedies.outputs, self.begun, self.ended]
        self._screen.stop.click(self._stopping.stop, None, [self._screen.stop, self.told], **AT_ONCE)
        self.told.cancel_rest(self._stopping.cancel_rest, None, [self._screen.stop, self.told], **AT_ONCE)
        self._screen.going.turn(self._turn, None, self.showing, **QUIET)
        again = [*self.showing, self._take.changed, self._screen.toast]
        self._screen.toast.undo(self._undo, [self._take.changed], again, trigger_mode="multiple", **QUIET)

    def _forget(self, request: gr.Request) -> None:
        """Forget a tab that was closed."""
        with self._guard:
            self._tabs.forget(str(request.session_hash))

    def wire_return(self, blocks: gr.Blocks) -> None:
        """Show a visitor's running and waiting jobs when the page loads: the tab may have been closed in between."""
        blocks.load(self._returns, None, [self._back], **QUIET)
        self._back.change(streamed(self._resume), None, self.outputs, concurrency_limit=None, **QUIET)
        blocks.unload(self._forget)

    def _returns(self, request: gr.Request) -> Any:
        """Return a new value if there is something to show.

        A new visitor has nothing; then the browser need not check all outputs of a run.
        """
        owner = self._owners.of(request)
        return time.time() if self._studio.jobs.of(owner, limit=1) or self._last_take(owner) else SKIP

    def _resume(self, request: gr.Request) -> Iterator[Updates]:
        """Show the last result, and the last failure if nothing was made since; then follow what goes on."""
        owner = self._owners.of(request)
        going = self._going(request)
        with self._guard:
            tab = self._tabs.of(request)
        is_new = not (tab.is_followed or tab.take)  # else the visitor was faster
        if is_new and not going and (record := self._last_take(owner)) is not None:
            yield self._take.shown(record)
        if not tab.is_followed:
            yield self._last_failure(owner, tab)
        yield from self.watch(going, request)

    def _last_take(self, owner: str) -> TakeRecord | None:
        return next(iter(self._studio.takes.page(owner, limit=1).takes), None)

    def _last_failure(self, owner: str, tab: Tab) -> Updates:
        """Return updates that show how the owner's last job failed, unless that is long ago or one was added since."""
        jobs = self._studio.jobs.of(owner, limit=MOST_RESUMED)
        last = next((job for job in jobs if isinstance(job.state, Done | Failed)), None)
        if last is None or not isinstance(last.state, Failed) or time.time() - last.state.ended > SHOWN_AGAIN:
            return self.nothing()
        if any(job.created > last.state.ended for job in jobs):  # what was seen then was done with
            return self.nothing()
        try:
            spec = self._studio.jobs.request(last)
        except StudioError:
            return self.nothing()
        return self._a_failure(last, spec, last.state.error, tab)

    def _going(self, request: gr.Request) -> list[str]:
        """Return the ids of the visitor's running and waiting jobs."""
        return self._studio.jobs.going(self._owners.of(request), limit=MOST_RESUMED)

    def hand_in(self, specs: Sequence[Spec], request: gr.Request) -> Iterator[Updates]:
        """Submit requests to the visitor's queue, and follow them.

        Raises:
            StudioError: They cannot be submitted.
        """
        jobs = self._studio.jobs.submit(self._owners.of(request), list(specs))
        yield from self.follow(jobs, request)

    def follow(self, jobs: Sequence[str], request: gr.Request, notes: Sequence[str] = ()) -> Iterator[Updates]:
        """Show the progress of jobs, after those that this tab already follows; replace earlier notes and failures.

        Args:
            jobs: The ids of the jobs.
            request: The visitor's request.
            notes: Sentences to read before the run; shown until something new is submitted.
        """
        with self._guard:
            tab = self._tabs.of(request)
            tab.turn()
            tab.failure = ""
        yield {self.told: cards.message(" ".join(map(translated, notes))) if notes else "", **self._no_failure()}
        yield from self.watch(jobs, request)

    def open_take(self, take_id: str, request: gr.Request) -> Updates:
        """Show a take that the visitor has opened; what runs goes on as one line. An empty screen if it is gone."""
        try:
            record = self._take.record(take_id, request)
        except StudioError:
            shown, take = self._take.nothing(), None
        else:
            shown, take = self._take.shown(record), record.id
        with self._guard:
            tab = self._tabs.of(request)
            tab.turn(take, keeps_take=take is not None)
            tab.failure = ""
        return {self.told: "", self._failure_place: gr.update(visible=False), **shown}

    def let_take_go(self, request: gr.Request) -> None:
        """Show what runs again, instead of the take."""
        with self._guard:
            self._tabs.of(request).turn()

    def _turn(self, request: gr.Request, event: gr.EventData) -> Updates:
        """Show the take that the event names, or else what runs."""
        if take_id := told(event, "take"):
            return self.open_take(take_id, request)
        self.let_take_go(request)
        return {self._screen.going: "", **self._take.hidden()}

    def _undo(self, changed: float, request: gr.Request, event: gr.EventData) -> Updates:
        """Put deleted takes back; show it if it is one."""
        takes, back = told(event, "takes").split(), {self._take.changed: changed + 1, self._screen.toast: ""}
        try:
            for take in takes:
                self._take.undelete(take, request)
        except StudioError as problem:
            return {**self.problem(problem), **back}
        return {**(self.open_take(takes[0], request) if len(takes) == 1 else {}), **back}

    def answers(self, job_id: str, request: gr.Request) -> bool:
        """Return whether a job's failure is shown, and note that it no longer is: a second click does nothing."""
        with self._guard:
            tab = self._tabs.of(request)
            is_shown, tab.failure = tab.failure == job_id, ""
            return is_shown

    def followed(self, session: str) -> str | None:
        """Return the id of the running or waiting job that a session's tab shows, or None."""
        tab = self._tabs.get(session)
        return None if tab is None else tab.shown

    def turn_to(self, job_id: str, request: gr.Request) -> Iterator[Updates]:
        """Show a job instead of the one that this tab shows, which continues and is shown again afterwards.

        A job that has ended is shown beside the current one.
        """
        found = self._studio.jobs.get(job_id, self._owners.of(request))
        with self._guard:
            tab = self._tabs.of(request)
            if job_id in tab.jobs:
                tab.jobs.remove(job_id)
        if not isinstance(found.state, Queued | Running):
            yield self._told_of(found, tab)
            return
        with self._guard:
            tab.turn()
            if tab.shown not in (None, job_id):
                tab.turns = True
                tab.left.add(tab.shown)
                tab.jobs.appendleft(tab.shown)
            if job_id != tab.shown:
                tab.jobs.appendleft(job_id)
        yield from self.watch([job_id], request)

    def _told_of(self, job: Job, tab: Tab) -> Updates:
        """Return the updates that show how a job ended, leaving the run unchanged."""
        try:
            spec = self._studio.jobs.request(job)
        except StudioError as problem:
            return self.problem(problem)
        match job.state:
            case Failed(error=error):
                return {self.told: "", **self._a_failure(job, spec, error, tab)}
            case Done():
                return self.nothing()
        return {self.told: cards.message(words.STOPPED, f"{name_of(job)}: {translated(spec.summary())}")}

    def watch(self, jobs: Sequence[str], request: gr.Request) -> Iterator[Updates]:
        """Follow jobs after those that this tab already follows."""
        with self._guard:
            tab = self._tabs.of(request)
            tab.jobs.extend(job for job in jobs if job != tab.shown and job not in tab.jobs)
            is_idle = not tab.is_followed and bool(tab.jobs)
            tab.is_followed = tab.is_followed or is_idle
        if not is_idle:
            yield self.nothing()
            return
        followed: Followed = {}  # kept while the tab shows another job
        try:
            while (job := self._next(tab)) is not None:
                try:
                    yield from self._follow_one(job, tab, request, followed)
                except StudioError as problem:  # for example, its row is damaged
                    yield self._lost(problem)
                except Exception as error:
                    log.exception("job %s could not be followed", job)
                    yield self._lost(unforeseen.in_words(error, self._studio.settings))
        finally:  # also when the tab is closed
            for each in followed.values():
                each.close()
            with self._guard:
                tab.is_followed, tab.shown = False, None

    def nothing(self) -> Updates:
        """Return updates that change nothing."""
        return {self.told: SKIP}

    def problem(self, problem: StudioError) -> Updates:
        """Return updates that show why nothing was submitted."""
        return {self.told: self._redaction.error(problem)}

    def said(self, text: str) -> Updates:
        """Return updates that show a sentence."""
        return {self.told: cards.message(text)}

    def _lost(self, problem: StudioError) -> Updates:
        """Return updates that show why a job cannot be followed any more."""
        gone = {self._screen.stop: gr.update(visible=False), self._screen.going: ""}
        return {**self.problem(problem), **gone, self._screen.status: cards.status(words.IDLE)}

    def _next(self, tab: Tab) -> str | None:
        with self._guard:
            tab.shown, tab.turns = tab.jobs.popleft() if tab.jobs else None, False
            tab.is_followed = tab.shown is not None
            return tab.shown

    def _follow_one(self, job_id: str, tab: Tab, request: gr.Request, followed: Followed) -> Iterator[Updates]:
        owner = self._owners.of(request)
        found = self._studio.jobs.get(job_id, owner)
        is_over = not isinstance(found.state, Queued | Running)
        if job_id in tab.left and is_over and (tab.failure or not isinstance(found.state, Failed)):
            return  # it ended unseen, and a later result is shown
        view, told_before = RunView(self._studio, self._studio.jobs.request(found)), False
        begun: Updates = {self.begun: time.time()}
        if job_id not in followed:
            followed[job_id] = self._studio.follow(job_id, owner, waits=False)
        behind: str | None = None
        ran = False
        for each in followed[job_id]:
            take = tab.take
            if not isinstance(each.state, Queued | Running):
                followed.pop(job_id).close()
                yield self._outcome(each, view.spec, tab, ran=ran)
                return
            ran = ran or isinstance(each.state, Running)
            is_turned = not told_before or take != behind
            shown = self._beside(each, view, tab) if take else self._on_screen(each, view, tab)
            yield {**(self._cleared(view, tab, owner) if is_turned else {}), **shown, **begun}
            begun, told_before, behind = {}, True, take
            yield Pause(view.pause(each))
            if tab.turns:
                return

    def _cleared(self, view: RunView, tab: Tab, owner: str) -> Updates:
        """Return the updates for when the screen turns to a job, or to a take that is shown while the job goes on.

        They come from here, so that no earlier update of the job arrives after them.
        """
        if tab.take:
            try:
                return self._take.shown(self._studio.takes.get(tab.take, owner), is_new=not tab.keeps_take)
            except StudioError:  # it was deleted
                return {}
        view.forget()
        return {
            self._screen.view: slate(view.spec.prompt, tall=view.tall),
            self._screen.going: "",
            **self._take.hidden(),
        }

    def _on_screen(self, job: Job, view: RunView, tab: Tab) -> Updates:
        """Return the updates that show a job."""
        shown: Updates = {self._screen.status: view.status(job, len(tab.jobs)), self._screen.stop: stop_button(job)}
        preview = view.preview(job.id)
        return shown if preview is None else {**shown, self._screen.view: preview}

    def _beside(self, job: Job, view: RunView, tab: Tab) -> Updates:
        """Return the updates that show a job as one line, beside a take."""
        return {self._screen.going: view.line(job, tab.ready), self._screen.stop: stop_button(job)}

    def _outcome(self, job: Job, spec: Spec, tab: Tab, *, ran: bool) -> Updates:
        """Return the updates that show how a followed job has ended, which was seen to run if it `ran`."""
        over: Updates = {
            self._screen.stop: gr.update(visible=False), self._screen.going: "", self.ended: time.time(),
        }  # fmt: skip
        match job.state:
            case Done(take=take):
                record = self._studio.takes.get(take, job.owner)
                if tab.keeps_take:
                    tab.ready.append(record.id)
                    return over | {self._screen.going: cards.ready(record)}
                tab.take = record.id  # it stays on the screen while the next one is made
                return self._take.shown(record, is_new=True) | over
            case Failed(error=error):
                over |= self._a_failure(job, spec, error, tab)
                status = words.FAILED
            case _:
                status = words.STOPPED
                if ran and self._stopping.goes_on(tab, job.owner):
                    over[self.told] = cards.others_continue()
        if tab.take is None:
            over[self._screen.status] = cards.status(status)
        return over

    def _a_failure(self, job: Job, spec: Spec, error: StudioError, tab: Tab) -> Updates:
        """Note the failure as shown; return the updates for its card and remedies."""
        tab.failure = job.id
        card = self._redaction.error(error, f"{name_of(job)}: {translated(spec.summary())}")
        shown = {self._failure_place: gr.update(visible=True), self._failure: card, self.failed: job.id}
        return {**shown, **self._remedies(error, spec)}

    def _no_failure(self) -> Updates:
        shown = {self._failure_place: gr.update(visible=False), self._failure: "", self.failed: ""}
        return {**shown, **self._remedies(None)}

    def _remedies(self, error: StudioError | None, spec: Spec | None = None) -> Updates:
        return dict(zip(self.remedies.outputs, self.remedies.updates(error, spec), strict=True))
