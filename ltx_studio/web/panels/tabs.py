"""What each browser tab follows and shows."""

from collections import deque
from dataclasses import dataclass, field

import gradio as gr

MOST_TABS = 2_000
"""Tabs that are remembered."""


@dataclass
class Tab:
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
    take: str | None = None
    """The take that is shown while a job may go on; None shows the job."""
    keeps_take: bool = False
    """Whether that take stays when a job ends, because the visitor has opened it."""
    ready: list[str] = field(default_factory=list)
    """The takes that were made meanwhile, and not shown yet."""

    def turn(self, take: str | None = None, *, keeps_take: bool = False) -> None:
        """Show a take, or the job that goes on."""
        self.take, self.keeps_take, self.ready = take, keeps_take, []


class Tabs:
    """The tabs of one page, by session; the caller guards them."""

    def __init__(self) -> None:
        self._tabs: dict[str, Tab] = {}

    def of(self, request: gr.Request) -> Tab:
        """Return the tab's state. Idle tabs are dropped first: scripts call the page's events, but never close."""
        session = str(request.session_hash)
        if session not in self._tabs and len(self._tabs) >= MOST_TABS:
            idle = (each for each, tab in self._tabs.items() if not tab.is_followed and not tab.failure)
            self._tabs.pop(next(idle, next(iter(self._tabs))))
        return self._tabs.setdefault(session, Tab())

    def get(self, session: str) -> Tab | None:
        """Return the state of a session's tab, or None."""
        return self._tabs.get(session)

    def forget(self, session: str) -> None:
        """Forget a tab that was closed."""
        self._tabs.pop(session, None)
