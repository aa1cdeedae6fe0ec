"""What takes time in the models panel, as streams of what to show: downloads and checks, one for each browser tab."""

import time
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from ltx_studio.cancel import CancelToken
from ltx_studio.downloads import ensure_models
from ltx_studio.errors import BusyError, RequestError, StudioError
from ltx_studio.events import Cancelled, Failed, Fetching, Finished, Heartbeat, Waiting
from ltx_studio.models import ModelFile, Store
from ltx_studio.models.files import Identity
from ltx_studio.models.remove import Removal
from ltx_studio.models.repair import Repair
from ltx_studio.models.verify import Verdict, look
from ltx_studio.text.phrases import WAITING
from ltx_studio.web import cards, model_cards, words

TELL_SECONDS = 0.3
"""Between two looks of a check; only between two can a closed tab end it."""

MOST_ASKED = 200
"""Tabs; nobody tells when one is closed."""


@dataclass(frozen=True, slots=True)
class Going:
    """What would be removed."""

    removals: tuple[Removal, ...]


Answered = TypeVar("Answered", Repair, Going)


class AtWork:
    """What the tabs (Gradio sessions) are at, and the tokens that stop it."""

    def __init__(self) -> None:
        self._running: dict[str, CancelToken] = {}

    @contextmanager
    def begin(self, session: str) -> Iterator[CancelToken]:
        """The token of a piece of work of a tab, which has one at a time.

        Raises:
            BusyError: It is at something.
        """
        cancel = CancelToken()
        if self._running.setdefault(session, cancel) is not cancel:
            raise BusyError(words.AT_WORK, words.AT_WORK_HINT)
        try:
            yield cancel
        finally:
            cancel.cancel()
            del self._running[session]

    def is_on(self, session: str) -> bool:
        return session in self._running

    def stop(self, session: str) -> bool:
        """Whether there was something to stop."""
        cancel = self._running.get(session)
        if cancel is not None:
            cancel.cancel()
        return cancel is not None


class Asked:
    """What the tabs have been asked about and have not answered: a repair, or removals.

    Not in a `gr.State`, for which each tab would keep a connection open, of the six that a browser has for a server.
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
        """What is open."""
        return self._open.get(session)

    def answered(self, session: str, kind: type[Answered]) -> Answered:
        """What it was about; it is asked no longer.

        Raises:
            RequestError: Nothing of this kind is asked any longer.
        """
        about = self._open.pop(session, None)
        if not isinstance(about, kind):
            raise RequestError(words.ASKED_BEFORE, words.ASKED_BEFORE_HINT)
        return about


def fetched(
    files: Sequence[ModelFile], store: Store, cancel: CancelToken, *, damaged: Collection[Identity] | None = None
) -> Generator[str, None, bool]:
    """The card of a download, each time that it has changed; whether all came. With `damaged`, in place of those.

    Raises:
        StudioError: It failed.
    """
    rows: dict[str, Fetching] = {}
    has_changed = False
    for event in ensure_models(files, store, cancel, distrust=damaged or (), repair=damaged is not None):
        match event:
            case Fetching():
                rows[event.file], has_changed = event, True
            case Waiting(reason, note):
                yield cards.message(WAITING[reason], note)
            case Heartbeat() if has_changed:
                has_changed = False
                yield model_cards.downloads(rows.values())
            case Finished():
                yield cards.message(words.FETCHED if damaged is None else words.REPAIRED)
                return True
            case Failed(error):
                raise error
            case Cancelled():
                yield cards.message(words.FETCH_STOPPED)
    return False


def checked(
    files: Sequence[ModelFile], store: Store, cancel: CancelToken, *, contents: bool
) -> Generator[str, None, list[Verdict] | None]:
    """The card of a check, now and then; what was found, or None when it was stopped."""
    verdicts: list[Verdict] = []
    told = -TELL_SECONDS
    for seen in look(files, store, contents=contents):
        if cancel.cancelled:
            yield cards.message(words.CHECK_STOPPED)
            return None
        if isinstance(seen, Verdict):
            verdicts.append(seen)
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            done = len({verdict.file.key for verdict in verdicts})
            yield model_cards.checking(None if isinstance(seen, Verdict) else seen, done, len(files))
    return verdicts


def in_words(problem: Exception) -> StudioError:
    """An error as a user is told of it."""
    return problem if isinstance(problem, StudioError) else StudioError.unexpected(problem)
