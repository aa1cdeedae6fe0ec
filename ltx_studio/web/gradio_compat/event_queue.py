"""Bounds what Gradio's event queue keeps: answers that nobody fetches, statistics, events of removed forms.

Gradio 6.31 keeps, for as long as the server runs, answers that are never fetched, the time that each event took, and a
queue for each event of each form that `gr.render` made; after each event it computes percentiles over the last 10,000;
and it looks for events 1,000 times a second, which takes 4 % of a processor core while nobody uses the page. All of
this is bounded here by attributes of one queue object, so other Gradio apps of the process keep theirs.

To be removed when Gradio bounds these itself (`gradio/queueing.py`).
"""

from asyncio import Queue as Answers
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr
from gradio import route_utils
from gradio.block_function import BlockFunction
from gradio.queueing import ProcessTime, Queue
from gradio.utils import LRUCache

from ltx_studio.web.gradio_compat.sessions import Session, Sessions

MOST_MAILBOXES = 1_000
"""Sessions whose answers are kept."""
MOST_UNFETCHED = 1_000
"""Events of one session that run, wait, or have answers that were not fetched."""
UNFETCHED_SECONDS = 300.0
"""How long unfetched answers are kept after the session's last use."""
MOST_SPARE_SETS = 500
"""File sets of removed components that may pile up before they are merged."""
LOOK_SECONDS = 0.01
"""Seconds between two checks of an idle queue; an event waits half of that on average."""
PROGRESS_SECONDS = 1.0
"""Seconds between two checks for `gr.Progress`, which the page does not use."""

_TOUCHED = (
    "pending_messages_per_session", "pending_event_ids_session", "event_ids_to_events", "process_time_per_fn",
    "event_queue_per_concurrency_id", "compute_analytics_summary", "cached_event_analytics_summary",
    "ANALYTICS_MAX_EVENTS", "push", "sleep_when_free", "progress_update_sleep_when_free",
)  # fmt: skip


class Times(WeakKeyDictionary[BlockFunction, ProcessTime]):
    """The durations of events; those of a rendered form are dropped with it."""

    def __getitem__(self, key: BlockFunction) -> ProcessTime:
        return self.setdefault(key, ProcessTime())  # type: ignore[no-untyped-call]


class Mailboxes(LRUCache[str, "Answers[Any]"]):
    """The answers for each session. Above the limit, the oldest idle session's are dropped, fetched ones first."""

    def __init__(self, queue: Queue, most: int = MOST_MAILBOXES) -> None:
        super().__init__(most)
        self._queue = queue

    def __setitem__(self, key: str, value: "Answers[Any]") -> None:
        if key not in self and len(self) >= self.max_size:
            over = [each for each in self if not self.is_busy(each)]
            fetched = (each for each in over if self[each].empty())
            oldest = next(fetched, over[0] if over else None)
            if oldest is None:
                self.max_size += 1  # each has a pending event, so all are needed
            else:
                self.drop(oldest)
        super().__setitem__(key, value)

    def is_busy(self, session: str) -> bool:
        """Return whether an event of a session waits or runs."""
        events = self._queue.pending_event_ids_session.get(session, set())
        return any(each in self._queue.event_ids_to_events for each in events)

    def drop(self, session: str) -> None:
        """Forget the answers for a session."""
        self.pop(session, None)
        self._queue.pending_event_ids_session.pop(session, None)


class EventKeeper:
    """Bounds one page's queue: once when created, then by `sweep`, which runs about once a second.

    Args:
        blocks: The page; its queue must exist.
        check: Raises an HTTPException for a malformed request.
    """

    def __init__(self, blocks: gr.Blocks, check: Callable[[Any], None]) -> None:
        queue = blocks._queue
        missing = [each for each in _TOUCHED if not hasattr(queue, each)]
        assert not missing, f"Gradio's queue has changed: {missing}"
        self._blocks, self._queue, self._check = blocks, queue, check
        self._push = queue.push
        self._idle: set[str] = set()
        self._mailboxes = queue.pending_messages_per_session = Mailboxes(queue)
        queue.process_time_per_fn = Times()  # type: ignore[assignment]
        queue.ANALYTICS_MAX_EVENTS = 1
        queue.sleep_when_free, queue.progress_update_sleep_when_free = LOOK_SECONDS, PROGRESS_SECONDS
        queue.compute_analytics_summary = self._no_summary  # type: ignore[method-assign]
        queue.push = self.push  # type: ignore[method-assign]

    def _no_summary(self, records: Any) -> Any:  # noqa: ARG002
        """Return the cached summary: Gradio's monitoring page is closed."""
        return self._queue.cached_event_analytics_summary

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Push as Gradio does, but check the request first: later, an error would print a traceback to the terminal."""
        self._check(body)
        route_utils.get_root_url(request, route_utils.get_api_call_path(request), self._blocks.app.root_path)
        waiting = self._queue.pending_event_ids_session.get(body.session_hash or "", set())
        if len(waiting) >= MOST_UNFETCHED:
            return False, "Fetch the answers of earlier calls first.", "queue_full"
        return await self._push(body=body, request=request, username=username)

    def sweep(self) -> None:
        """Drop what is no longer needed."""
        self._sweep_answers()
        self._sweep_queues()
        if len(self._blocks.temp_file_sets) > len(self._blocks.blocks) + MOST_SPARE_SETS:
            self._sweep_forms()

    def _sweep_answers(self) -> None:
        holder = getattr(self._blocks, "state_holder", None)
        for session in list(self._mailboxes):
            is_recent = isinstance(holder, Sessions) and holder.is_recent(session, UNFETCHED_SECONDS)
            if not is_recent and not self._mailboxes.is_busy(session):
                self._mailboxes.drop(session)
        for session in self._queue.pending_event_ids_session.keys() - self._mailboxes.keys():
            if not self._mailboxes.is_busy(session):
                self._queue.pending_event_ids_session.pop(session, None)

    def _sweep_queues(self) -> None:
        """Drop the queues of events that belonged to a removed form.

        A queue must be idle in two sweeps in a row: then it is not between two steps of a request.
        """
        needed = {fn.concurrency_id for fn in self._blocks.fns.values()}
        queues = self._queue.event_queue_per_concurrency_id
        idle = {
            name
            for name, each in queues.items()
            if name not in needed and not each.queue and not each.current_concurrency
        }
        for name in idle & self._idle:
            del queues[name]
        self._idle = idle - self._idle

    def _sweep_forms(self) -> None:
        """Drop what Gradio keeps for rendered components that no session shows any longer."""
        shown = [*self._blocks.blocks.values(), *self._rendered()]
        alive = {id(getattr(each, "temp_files", None)) for each in shown}
        sets = self._blocks.temp_file_sets
        count = len(sets)
        kept = [each for each in sets[:count] if id(each) in alive or each is self._blocks.upload_file_set]
        for each in sets[:count]:
            self._blocks.upload_file_set.update(each if id(each) not in alive else ())
        sets[:count] = kept  # a render may have added some in the meantime
        ids = {each._id for each in shown}
        for renderable in self._blocks.renderables:
            known = renderable.key_to_id_map
            for key in [key for key, value in list(known.items()) if value not in ids]:
                known.pop(key, None)

    def _rendered(self) -> Iterator[Any]:
        holder = getattr(self._blocks, "state_holder", None)
        for session in list(holder.session_data.values()) if holder is not None else ():
            if isinstance(session, Session):
                yield from session.own_blocks
