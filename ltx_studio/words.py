"""Words that the page and the terminal share."""

WAITING = {
    "start": "Starting ComfyUI, which takes 10 to 20 seconds",
    "lane": "Waiting for another run to end",
}
