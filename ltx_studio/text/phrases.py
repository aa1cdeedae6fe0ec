"""Phrases that the page and the terminal share."""

from collections.abc import Mapping

WAITING: Mapping[str, str] = {
    "start": "Starting ComfyUI, which takes 10 to 20 seconds",
    "lane": "Waiting for another run to end",
    "hub": "Asking Hugging Face about the files",
}

KEPT = "What was fetched is kept; the next time goes on from there."

FETCHING: Mapping[str, str] = {
    "queued": "waits its turn",
    "waiting": "another program is fetching it",
    "checking": "checking what is here",
    "fetching": "fetching",
    "retrying": "trying again",
    "done": "done",
    "failed": "failed",
}
