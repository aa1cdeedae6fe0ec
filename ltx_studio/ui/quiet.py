"""How the page's handlers answer."""

from typing import Any

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Of every handler of the page: it shows no bar of its own and is no part of the API."""

AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""The same, past Gradio's queue: of what is over in a moment."""
