"""Replaces the page of a running server by another one, which browsers see when they load it anew.

Gradio does this for its hot reload (`BaseReloader.swap_blocks` in `gradio/utils.py`), which replaces the page of open
tabs too. Here an open tab keeps the page that it has, because its session refers to that page's components and events
(`sessions.py`), so what it shows and what its events do stay in agreement.

To be removed when Gradio can replace a page without its reloader.
"""

import threading
from collections.abc import Callable

import gradio as gr

_TAKEN = (
    "default_config", "children", "fns", "blocks", "config", "get_config_file", "temp_file_sets", "upload_file_set",
)  # fmt: skip
"""What is used of a Blocks."""
_CACHED = ("api_info", "all_app_info", "page_api_info")
"""What Gradio's app keeps of the page for its documentation."""


def swap(running: gr.Blocks, fresh: gr.Blocks) -> None:
    """Replace the page of `running` by that of `fresh`."""
    missing = [name for name in _TAKEN if not hasattr(running, name)]
    assert not missing, f"Gradio's Blocks has changed: {missing}"
    page = fresh.default_config
    page.root_block = running
    for child in fresh.children:
        child.parent = running
    running.default_config, running.children = page, fresh.children
    running.config = running.get_config_file()
    running.temp_file_sets.extend(each for each in fresh.temp_file_sets if each is not fresh.upload_file_set)
    app = getattr(running, "app", None)
    if app is not None:
        missing = [name for name in _CACHED if not hasattr(app, name)]
        assert not missing, f"Gradio's app has changed: {missing}"
        app.api_info = app.all_app_info = None
        app.page_api_info.clear()


def built(build: Callable[[], gr.Blocks]) -> gr.Blocks:
    """Build in a thread of its own: in an event's, Gradio would take the components for rendered ones."""
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
