"""Checks of model files as streams of cards, one at a time for each browser tab, and the questions of the tabs."""

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Any, TypeVar

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import BusyError, RequestError
from ltx_studio.models.remove import Removal
from ltx_studio.models.repair import Repair
from ltx_studio.models.verify import Reading, Verdict
from ltx_studio.web import cards
from ltx_studio.web.panels import model_cards, texts

TELL_SECONDS = 0.3
"""Seconds between two cards of a check; a closed tab can end it only between two."""

MOST_ASKED = 200
"""Tabs whose question is kept; nothing reports when a tab is closed."""


@dataclass(frozen=True, slots=True)
class Going:
    """The files that would be removed."""

    removals: tuple[Removal, ...]


Answered = TypeVar("Answered", Repair, Going)
T = TypeVar("T")


class AtWork:
    """The running work of the tabs (Gradio sessions), as the tokens that stop it."""

    def __init__(self) -> None:
        self._running: dict[str, CancelToken] = {}

    @contextmanager
    def begin(self, session: str) -> Iterator[CancelToken]:
        """Begin a tab's work, of which it has one at a time, and yield the token that stops it.

        Raises:
            BusyError: The tab has work already.
        """
        cancel = CancelToken()
        if self._running.setdefault(session, cancel) is not cancel:
            raise BusyError(texts.AT_WORK, texts.AT_WORK_HINT)
        try:
            yield cancel
        finally:
            cancel.cancel()
            del self._running[session]

    def is_on(self, session: str) -> bool:
        return session in self._running

    def stop(self, session: str) -> bool:
        """Stop a tab's work; return whether there was any."""
        cancel = self._running.get(session)
        if cancel is not None:
            cancel.cancel()
        return cancel is not None


class Asked:
    """The open questions of the tabs: a repair, or removals.

    Not in a `gr.State`, for which each tab would keep one of the six connections open that a browser has for a server.
    """

    def __init__(self) -> None:
        self._open: dict[str, Repair | Going] = {}

    def ask(self, session: str, about: Repair | Going) -> None:
        self.forget(session)
        self._open[session] = about
        for old in list(self._open)[:-MOST_ASKED]:
            self.forget(old)

    def forget(self, session: str) -> None:
        self._open.pop(session, None)

    def about(self, session: str) -> Repair | Going | None:
        """Return the open question of a tab, or None."""
        return self._open.get(session)

    def answered(self, session: str, kind: type[Answered]) -> Answered:
        """Return what a tab's question was about, and close it.

        Raises:
            RequestError: No question of this kind is open.
        """
        about = self._open.pop(session, None)
        if not isinstance(about, kind):
            raise RequestError(texts.ASKED_BEFORE, texts.ASKED_BEFORE_HINT)
        return about


def checked(
    check: Iterable[Reading | Verdict], count: int, cancel: CancelToken
) -> Generator[str, None, list[Verdict] | None]:
    """Yield the card of a check every `TELL_SECONDS`, even while a disk stalls; return what it found, None if stopped.

    Args:
        check: The check, as `verify` of the studio's models yields it.
        count: How many files it is about.
        cancel: Stops it.
    """
    verdicts: list[Verdict] = []
    card, told = model_cards.checking(None, 0, count), -TELL_SECONDS
    for seen in with_pauses(check, TELL_SECONDS):
        if cancel.cancelled:
            yield cards.message(texts.CHECK_STOPPED)
            return None
        if seen is None:
            yield card
            continue
        if isinstance(seen, Verdict):
            verdicts.append(seen)
        done = len({verdict.file.key for verdict in verdicts})
        card = model_cards.checking(None if isinstance(seen, Verdict) else seen, done, count)
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            yield card
    return verdicts


def with_pauses(items: Iterable[T], seconds: float) -> Generator[T | None, None, None]:
    """Yield items, and None each time the next one takes `seconds` longer.

    Items are made in a thread of their own, which nothing waits for: a disk that stalls keeps nobody from leaving.
    """
    made: Queue[tuple[str, Any]] = Queue(1)
    over = threading.Event()

    def hand_over(kind: str, item: object = None) -> None:
        while not over.is_set():
            with suppress(Full):
                made.put((kind, item), timeout=seconds)
                return

    def make() -> None:
        try:
            for item in items:
                hand_over("item", item)
                if over.is_set():
                    return
            hand_over("end")
        except BaseException as error:
            hand_over("error", error)

    threading.Thread(target=make, name="with-pauses", daemon=True).start()
    try:
        while True:
            try:
                kind, item = made.get(timeout=seconds)
            except Empty:
                yield None
                continue
            if kind == "error":
                raise item
            if kind == "end":
                return
            yield item
    finally:
        over.set()
