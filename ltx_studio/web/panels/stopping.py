"""Stopping: the job that a browser tab shows, and those that it follows next."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import gradio as gr

from ltx_studio.errors import StudioError
from ltx_studio.studio import Job, Queued, Running, Studio
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.panels.screen import Screen, Updates
from ltx_studio.web.panels.tabs import Tab, Tabs


class Stopping:
    """Stop the jobs of a tab. The updates that follow each job show when it has stopped.

    Args:
        studio: The studio.
        owners: Whose jobs a visitor may stop.
        screen: What shows the job; it must be built before a method is called.
        tabs: The tabs, which `guard` guards.
        guard: Held while a tab is changed.
        problem: Returns the updates that show an error.
    """

    def __init__(
        self,
        studio: Studio,
        owners: Owners,
        screen: Screen,
        tabs: Tabs,
        guard: threading.Lock,
        problem: Callable[[StudioError], Updates],
    ) -> None:
        self._studio, self._owners, self._screen = studio, owners, screen
        self._tabs, self._guard, self._problem = tabs, guard, problem

    def stop(self, request: gr.Request) -> Updates:
        """Stop the job that this tab shows."""
        tab = self._tabs.get(str(request.session_hash))
        if tab is None or tab.shown is None:
            return {self._screen.stop: gr.update(visible=False)}
        try:
            self._studio.jobs.cancel(tab.shown, self._owners.of(request))
        except StudioError as problem:
            return self._problem(problem)
        return {self._screen.stop: gr.update(value=words.STOPPING)}

    def cancel_rest(self, request: gr.Request) -> Updates:
        """Stop the job that this tab shows, and cancel those that follow."""
        tab = self._tabs.get(str(request.session_hash))
        if tab is None:
            return {self._screen.told: ""}
        try:
            for job in list(tab.jobs):
                self._studio.jobs.cancel(job, self._owners.of(request))
                with self._guard, contextlib.suppress(ValueError):  # its turn has come
                    tab.jobs.remove(job)
        except StudioError as problem:
            return self._problem(problem)
        return {self._screen.told: "", **self.stop(request)}

    def goes_on(self, tab: Tab, owner: str) -> bool:
        """Return whether any job that the tab follows next still waits or runs."""
        for job in list(tab.jobs):
            with contextlib.suppress(StudioError):
                if isinstance(self._studio.jobs.get(job, owner).state, Queued | Running):
                    return True
        return False


def stop_button(job: Job) -> Any:
    """Return the update of the button; it stays enabled, because a disabled one would lose the keyboard's focus."""
    is_stopping = isinstance(job.state, Running) and job.state.stopping
    return gr.update(value=words.STOPPING if is_stopping else words.STOP, visible=True)
