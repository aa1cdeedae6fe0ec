"""Replaces the page of a running server by another one, which browsers see when they load it anew.

Gradio does this for its hot reload (`BaseReloader.swap_blocks` in `gradio/utils.py`), which replaces the page of open
tabs too. Here an open tab keeps the page that it has, because its session refers to that page's components and events
(`sessions.py`), so what it shows and what its events do stay in agreement.

To be removed when Gradio can replace a page without its reloader.
"""

import threading
from collections.abc import Callable

import gradio as gr

_TAKEN = ("default_config", "children", "fns", "blocks", "config", "get_config_file")
"""What is used of a Blocks."""


def swap(running: gr.Blocks, build: Callable[[], gr.Blocks]) -> None:
    """Replace the page of `running` by the one that `build` returns."""
    missing = [name for name in _TAKEN if not hasattr(running, name)]
    assert not missing, f"Gradio's Blocks has changed: {missing}"
    fresh = _in_a_thread(build)
    page = fresh.default_config
    page.root_block = running
    for child in fresh.children:
        child.parent = running
    running.default_config, running.children = page, fresh.children
    running.config = running.get_config_file()


def _in_a_thread(build: Callable[[], gr.Blocks]) -> gr.Blocks:
    """Build in a thread of its own: in that of an event, Gradio would take the components for rendered ones."""
    made: list[gr.Blocks] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(build())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="swap")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]
