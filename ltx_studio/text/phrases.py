"""Phrases that the page and the terminal share."""

from collections.abc import Mapping

WAITING: Mapping[str, str] = {
    "start": "Starting ComfyUI, which takes 10 to 20 seconds",
    "lane": "Waiting for another run to finish",
    "lost": "A worker was lost. Trying again on another one",
    "gpu": "Waiting for a GPU",
    "disk": "The disk is full: waiting for free space",
    "database": "The studio's database cannot be written: trying again",
    "hub": "Looking up the files on Hugging Face",
    "download": "Waiting for another download to finish",
}

KEPT = "Downloaded data is kept; the next download resumes."

FETCHING: Mapping[str, str] = {
    "queued": "waiting",
    "waiting": "another program is downloading it",
    "checking": "checking",
    "fetching": "downloading",
    "retrying": "retrying",
    "done": "done",
    "failed": "failed",
}
