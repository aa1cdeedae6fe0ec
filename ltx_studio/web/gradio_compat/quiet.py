"""The event options that the page's handlers share."""

from typing import Any

QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""For every handler of the page: no progress bar, and not part of the API.

`hidden` alone only hides the bars: Gradio's browser side still keeps one for each output of every event so far, and
with each event it searched the whole page for every one of them.
"""

AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""`QUIET` without Gradio's queue, for handlers that return at once."""

AS_LONG_AS_A_RUN: dict[str, Any] = {**QUIET, "concurrency_limit": None, "trigger_mode": "multiple"}
"""For handlers that stream a run until it ends: other tabs, and the same one, may start more of them meanwhile."""
