"""Building the page and serving it."""

import logging
import os
import signal
import sys
import threading
from importlib.resources import as_file, files
from types import FrameType
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from ltx_studio.errors import RequestError
from ltx_studio.jobs import Desk
from ltx_studio.logs import log_to_file
from ltx_studio.models import default_set, get_registry
from ltx_studio.settings import DEFAULT_PORT, LOOPBACK, Settings, get_settings
from ltx_studio.ui import words
from ltx_studio.ui.api import Api
from ltx_studio.ui.models import ModelsPanel
from ltx_studio.ui.own import OwnPanels
from ltx_studio.ui.owners import GiveCookie, Owners, is_loopback
from ltx_studio.ui.page import Page
from ltx_studio.ui.theme import theme

UPLOAD_LIMIT = "1gb"


class StudioBlocks(gr.Blocks):
    """A Blocks that launches with the studio's look, wherever it is launched from, and knows its visitors apart."""

    owners: Owners

    def launch(self, *args: Any, **options: Any) -> Any:
        with as_file(files("ltx_studio.ui") / "assets" / "studio.css") as css:
            look: dict[str, Any] = {
                "theme": theme(),
                "css_paths": [css],
                "footer_links": [],
                "run_history": False,
                "max_file_size": UPLOAD_LIMIT,
                "app_kwargs": {"middleware": [Middleware(GiveCookie, owners=self.owners)]},
            }
            host = options.get("server_name") or os.environ.get("GRADIO_SERVER_NAME")
            share = bool(options.get("share")) or os.environ.get("GRADIO_SHARE", "").lower() == "true"
            look["share"] = share  # said, because Gradio shares by itself where it finds itself in a notebook
            self.owners.apart = share or not is_loopback(host)
            return super().launch(*args, **(look | options))


def build_app(settings: Settings | None = None, *, desk: Desk | None = None, model_set: str | None = None) -> gr.Blocks:
    """The page as a `gradio.Blocks`. ComfyUI starts when the first visitor comes, not here.

    Raises:
        RequestError: There is no such model set.
    """
    settings = settings or get_settings()
    log_to_file(settings)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_TEMP_DIR", str(settings.temp_dir / "gradio"))
    chosen = get_registry(settings).get_set(model_set or default_set(settings))
    blocks = StudioBlocks(title=words.TITLE, analytics_enabled=False, delete_cache=(3600, 86400))
    blocks.owners = owners = Owners()
    desk = desk or Desk(settings)
    with blocks:
        page = Page(desk, owners, chosen)
        page.build(blocks)
        OwnPanels(desk, owners, page, chosen).build()
        Api(desk, owners, chosen).build()
        ModelsPanel(settings, chosen.id).build(blocks)
    blocks.queue(default_concurrency_limit=None)
    return blocks


def serve(
    settings: Settings, *, host: str | None = None, port: int | None = None, model_set: str | None = None
) -> None:
    """Open the page and stay until Ctrl+C or SIGTERM; ComfyUI starts behind it.

    Without `host` and `port`, Gradio's own variables count (a Hugging Face Space sets them), else loopback and the
    first free port.

    Raises:
        RequestError: There is no such model set, or the address cannot be used.
    """
    desk = Desk(settings)
    blocks = build_app(settings, desk=desk, model_set=model_set)
    try:
        blocks.launch(server_name=host, server_port=port, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    except OSError as error:
        raise RequestError(
            f"The page cannot be opened at {host or LOOPBACK}, port {port or DEFAULT_PORT}; another program is there, "
            "or the address is not this machine's.",
            "Choose another port: `ltx-studio serve --port 7861`.",
            details=str(error),
        ) from None
    over = _set_by_signals()  # before the address is told: whoever reads it may end us at once
    print(words.ADDRESS.format(url=blocks.local_url), flush=True)  # noqa: T201  (the terminal is its place)
    desk.runner.warm()
    desk.work()
    over.wait()
    blocks.close(verbose=False)
    if not desk.close():
        _end_at_once()


def _end_at_once() -> None:
    """Leave out what the interpreter does at its end: it can wait forever for a thread that is inside of torch."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _set_by_signals() -> threading.Event:
    """An event that Ctrl+C and SIGTERM set from now on."""
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)  # the second one ends the process at once
        threading.Thread(target=over.set).start()  # not here: this thread may hold the lock that setting it needs

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return over
