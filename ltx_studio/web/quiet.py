"""How the page's handlers answer."""

from typing import Any

QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""Of every handler of the page: it shows no bar of its own and is no part of the API.

`hidden` alone hides the bars that Gradio's browser side keeps all the same, one for each output of every event so far:
with each event it went through all of them, each time through the whole page.
"""

AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""The same, past Gradio's queue: of what is over in a moment."""

AS_LONG_AS_A_RUN: dict[str, Any] = {**QUIET, "concurrency_limit": None, "trigger_mode": "multiple"}
"""Of what tells of a run until it has ended: more of them may be wanted meanwhile, by others and in one tab."""
