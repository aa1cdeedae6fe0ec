"""The run: what becomes of the jobs that a browser tab handed in, one after another, and the button that stops one."""

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
from ltx_studio.graph import Stage
from ltx_studio.jobs import Desk, Done, Failed, Job, Queued, Running, Spec
from ltx_studio.jobs.estimate import Estimate
from ltx_studio.media import by_name
from ltx_studio.ui import cards, words
from ltx_studio.ui.form import QUIET
from ltx_studio.ui.owners import Owners
from ltx_studio.ui.remedies import RemedyButtons
from ltx_studio.ui.take import TakePanel

PREVIEW_FRAME_MS = 250
"""How long each latent frame is shown: eight frames of the clip at its usual speed take a third of a second."""
TELL_AGAIN = 0.2
"""Seconds between two words on a run: each costs the browser, which may be on the machine that renders, a few
hundredths of a second."""
MOST_RESUMED = 100
"""Jobs that somebody who comes back follows; they may have handed in thousands."""
LOOK_AGAIN = 1.0
"""Seconds between two looks at the memory."""
SKIP: Any = gr.skip()


@dataclass
class _Tab:
    """What one browser tab follows."""

    jobs: deque[str] = field(default_factory=deque)
    shown: str | None = None
    is_followed: bool = False
    turns: bool = False
    """Whether the first of `jobs` is to be shown in place of what is shown."""


class RunPanel:
    """Card, forming picture and Stop. Each tab follows its own jobs; they go on when nobody looks.

    Attributes:
        told: Where a request that cannot be handed in says why, above the run, which tells of itself all the while.
        outputs: What the handlers that yield from `follow` tell.
        begun: Changes whenever this tab begins to show a job, for what shows the queue.
        ended: Changes whenever a job of this tab has ended, for what shows the takes.
        failed: The id of the job whose error is shown, which `remedies` are about.
    """

    def __init__(self, desk: Desk, owners: Owners, take: TakePanel) -> None:
        self._desk, self._owners, self._take = desk, owners, take
        self._tabs: dict[str, _Tab] = {}
        self._guard = threading.Lock()
        self.remedies = RemedyButtons()
        self.outputs: list[gr.components.Component] = []

    def build(self) -> None:
        """Add the components to the Blocks that is open; the panel of the take must be built."""
        self.told = gr.HTML("", elem_id="told")
        self._card = gr.HTML(cards.message(words.IDLE), elem_id="run")
        self.remedies.build()
        self.failed = gr.State("")
        self._stop_button = gr.Button(words.STOP, visible=False, elem_id="stop", variant="stop", size="md")
        self._preview = gr.HTML(elem_id="preview", visible=False)
        self._back = gr.Number(0, visible="hidden", elem_id="back", label="back")
        self.begun = gr.Number(0, visible="hidden", elem_id="begun", label="begun")
        self.ended = gr.Number(0, visible="hidden", elem_id="ended", label="ended")
        shown = [self._card, self._preview, self._stop_button, self.begun, self.ended, self.failed]
        self.outputs = [self.told, *shown, *self.remedies.outputs, *self._take.outputs]
        self._stop_button.click(self._stop, None, [self._stop_button], queue=False, **QUIET)

    def _forget(self, request: gr.Request) -> None:
        """The tab was closed."""
        with self._guard:
            self._tabs.pop(str(request.session_hash), None)

    def wire_return(self, blocks: gr.Blocks) -> None:
        """Show whoever comes what runs or waits of theirs: the tab may have been closed meanwhile."""
        blocks.load(self._returns, None, [self._back], **QUIET)
        self._back.change(self._resume, None, self.outputs, concurrency_limit=None, **QUIET)
        blocks.unload(self._forget)

    def _returns(self, request: gr.Request) -> Any:
        """Something new when there is anything to show. Most have nothing, and the browser need not look at all that a
        run changes."""
        return time.time() if self._going(request) else SKIP

    def _resume(self, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from self.watch(self._going(request), request)

    def _going(self, request: gr.Request) -> list[str]:
        """What runs or waits of the visitor's."""
        jobs = self._desk.queue.of(self._owners.of(request), limit=MOST_RESUMED)
        return [job.id for job in jobs if isinstance(job.state, Queued | Running)]

    def hand_in(self, specs: Sequence[Spec], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Put requests into the visitor's line, and follow them.

        Raises:
            StudioError: They cannot be handed in.
        """
        jobs = self._desk.submit(self._owners.of(request), list(specs))
        yield from self.follow(jobs, request)

    def follow(self, jobs: Sequence[str], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Tell the outputs what becomes of jobs that were handed in, after those that this tab follows already."""
        self._desk.work()
        yield self._telling("")
        yield from self.watch(jobs, request)

    def followed(self, session: str) -> str | None:
        """The id of the job that the tab of a session shows, while it runs or waits."""
        tab = self._tabs.get(session)
        return None if tab is None else tab.shown

    def turn_to(self, job: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Show a job in place of what this tab shows, which goes on all the same."""
        with self._guard:
            tab = self._tabs.setdefault(str(request.session_hash), _Tab())
            tab.turns = tab.shown is not None and tab.shown != job
            if job in tab.jobs:
                tab.jobs.remove(job)
            if job != tab.shown:
                tab.jobs.appendleft(job)
        yield from self.watch([job], request)

    def watch(self, jobs: Sequence[str], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Follow jobs without beginning the work, after those that this tab follows already."""
        with self._guard:
            tab = self._tabs.setdefault(str(request.session_hash), _Tab())
            tab.jobs.extend(job for job in jobs if job != tab.shown and job not in tab.jobs)
            if tab.is_followed:
                jobs = ()
            else:
                tab.is_followed = True
        if not jobs:
            yield self.nothing()
            return
        try:
            while (job := self._next(tab)) is not None:
                yield from self._follow_one(job, tab, request)
        finally:  # also when the tab is closed
            with self._guard:
                tab.is_followed, tab.shown = False, None

    def nothing(self) -> tuple[Any, ...]:
        """Tell the outputs that nothing is new."""
        return (SKIP,) * len(self.outputs)

    def problem(self, problem: StudioError) -> tuple[Any, ...]:
        """Tell the outputs why nothing was handed in."""
        return self._telling(cards.error(problem))

    def said(self, text: str) -> tuple[Any, ...]:
        """Tell the outputs a sentence."""
        return self._telling(cards.message(text))

    def _telling(self, card: str) -> tuple[Any, ...]:
        return (card, *self.nothing()[1:])

    def _next(self, tab: _Tab) -> str | None:
        with self._guard:
            tab.shown, tab.turns = tab.jobs.popleft() if tab.jobs else None, False
            tab.is_followed = tab.shown is not None
            return tab.shown

    def _follow_one(self, job: str, tab: _Tab, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        owner = self._owners.of(request)
        spec = self._desk.spec(self._desk.queue.get(job, owner))
        view, begun = _View(self._desk, spec), time.time()
        for each in self._desk.follow(job, owner):
            if not isinstance(each.state, Queued | Running):
                yield self._outcome(each, spec, request)
                return
            preview = view.preview(job)
            if begun is not SKIP and preview is SKIP:
                preview = gr.update(value="", visible=False)  # it may be of the job before
            yield self._tell(
                card=view.card(each, len(tab.jobs)),
                preview=preview,
                stop=_stop_button(each),
                begun=begun,
            )
            begun = SKIP
            time.sleep(TELL_AGAIN)
            if tab.turns:
                return

    def _stop(self, request: gr.Request) -> dict[str, Any]:
        """Stop the job that this tab shows; the job itself tells the page when it has stopped."""
        tab = self._tabs.get(str(request.session_hash))
        if tab is None or tab.shown is None:
            return gr.update(visible=False)
        self._desk.queue.cancel(tab.shown, self._owners.of(request))
        return gr.update(value=words.STOPPING, interactive=False)

    def _outcome(self, job: Job, spec: Spec, request: gr.Request) -> tuple[Any, ...]:
        shown: dict[str, Any] = {}
        match job.state:
            case Done(take=take):
                record = self._desk.history.get(take, job.owner)
                card = cards.message(words.DONE.format(seconds=record.measured["seconds"]), spec.summary())
                shown["take"] = self._take.shown(record, request)
            case Failed(error=error):
                card = cards.error(error, spec.summary())
                shown |= {"failed": job.id, "remedies": self.remedies.updates(error, spec)}
            case _:
                card = cards.message(words.STOPPED)
        return self._tell(card=card, preview=gr.update(value="", visible=False), ended=time.time(), **shown)

    def _tell(
        self,
        *,
        card: Any,
        preview: Any = SKIP,
        stop: Any = None,
        begun: Any = SKIP,
        ended: Any = SKIP,
        failed: str = "",
        remedies: Sequence[Any] | None = None,
        take: Sequence[Any] | None = None,
    ) -> tuple[Any, ...]:
        button = gr.update(visible=False) if stop is None else stop
        helps = remedies or self.remedies.updates(None)
        return (SKIP, card, preview, button, begun, ended, failed, *helps, *(take or [SKIP] * len(self._take.outputs)))


class _View:
    """How one job is shown while it waits and runs."""

    def __init__(self, desk: Desk, spec: Spec) -> None:
        self._desk = desk
        self._summary = spec.summary()
        self._stages: Sequence[Stage] = spec.build(by_name).stages
        self._estimate: Estimate | None = desk.estimate(spec)
        self._memory, self._looked = "", 0.0
        self._shown = 0

    def card(self, job: Job, more: int) -> str:
        now = time.time()
        if now - self._looked > LOOK_AGAIN:
            memory = self._desk.runner.memory()
            self._memory, self._looked = "" if memory is None else str(memory), now
        left = None
        if isinstance(job.state, Running) and self._estimate is not None:
            left = self._estimate.left(job.state.progress, now - job.state.started)
        return cards.run(job, self._stages, self._summary, now, left=left, memory=self._memory, more=more)

    def preview(self, job: str) -> Any:
        """The forming clip as a picture that loops, when it is newer than what is shown."""
        frames = self._desk.board.look(job).frames
        if not frames or id(frames) == self._shown:
            return SKIP
        self._shown = id(frames)
        return gr.update(value=cards.forming(looping(frames)), visible=True)


def looping(frames: Sequence[bytes]) -> str:
    """An animated WebP of pictures (JPEG each) as a ``data:`` address."""
    from PIL import Image

    first, *rest = (Image.open(io.BytesIO(frame)) for frame in frames)
    into = io.BytesIO()
    first.save(into, "WEBP", save_all=True, append_images=rest, duration=PREVIEW_FRAME_MS, loop=0, quality=70, method=0)
    return f"data:image/webp;base64,{base64.b64encode(into.getvalue()).decode()}"


def _stop_button(job: Job) -> Any:
    if isinstance(job.state, Running) and job.state.stopping:
        return gr.update(value=words.STOPPING, interactive=False, visible=True)
    return gr.update(value=words.STOP, interactive=True, visible=True)
