"""Builds the page and serves it."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO

import gradio as gr
from gradio.utils import get_upload_folder

from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet
from ltx_studio.logs import log_to_file, terminal_kept
from ltx_studio.models import default_set, get_registry
from ltx_studio.settings import DEFAULT_PORT, EVERYWHERE, LOOPBACK, Settings, get_settings, sources
from ltx_studio.studio import Studio
from ltx_studio.studio.set_up import is_set_up
from ltx_studio.text import catalogue
from ltx_studio.web import cards, words
from ltx_studio.web.access.gate import make_password, own_addresses
from ltx_studio.web.access.guard import EVERYBODY
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.api import Api
from ltx_studio.web.gradio_compat.swap import built, swap
from ltx_studio.web.page import Page
from ltx_studio.web.panels.batch import BatchPanel
from ltx_studio.web.panels.dropped import DropAnywhere
from ltx_studio.web.panels.gallery import Gallery
from ltx_studio.web.panels.memory import MemoryBadge
from ltx_studio.web.panels.models import ModelsPanel
from ltx_studio.web.panels.own_workflow import WorkflowPanel
from ltx_studio.web.panels.queue_panel import QueuePanel
from ltx_studio.web.panels.settings_panel import SettingsPanel
from ltx_studio.web.rail import Rail
from ltx_studio.web.shared import Shared
from ltx_studio.web.studio_blocks import StudioBlocks, is_open, is_shared

API_PAGE = "endpoints"

FIRST_VISITOR_SECONDS = 5.0
"""Seconds before ComfyUI starts without a visitor: its start would about double the loading time of a page that is
opened at once. A page that has loaded starts ComfyUI itself."""


def build_app(
    settings: Settings | None = None, *, studio: Studio | None = None, model_set: str | None = None
) -> StudioBlocks:
    """Return the page as a `gradio.Blocks`, in the language of the settings, which this process then has.

    ComfyUI starts with the first visitor, not here.

    Raises:
        RequestError: The model set does not exist.
    """
    settings = settings or get_settings()
    log_to_file(settings)
    catalogue.use(settings.language)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_TEMP_DIR", str(settings.temp_dir / "gradio"))
    chosen = get_registry(settings).get_set(model_set or default_set(settings))
    owners = Owners()
    blocks = _empty(settings, owners)
    blocks.password = settings.password
    blocks.allowed_hosts, blocks.trusted_proxies = settings.allowed_hosts, settings.trusted_proxies
    studio = studio or Studio(settings, works=True)
    blocks.warn = partial(studio.warning, chosen)
    studio.jobs.uploads = Path(get_upload_folder())  # wherever GRADIO_TEMP_DIR says

    shared, switching = Shared(chosen), threading.Lock()

    def switch(set_id: str) -> None:
        """Have the page use another set, now and after a restart."""
        with switching:  # Gradio builds one page at a time in a process
            other = get_registry(settings).get_set(set_id)
            fresh = built(lambda: fill(_empty(settings, owners), other))
            sources.store(settings.settings_file, "model_set", set_id)
            swap(blocks, fresh)
            shared.in_use = other
            blocks.files.give_all(blocks.config, EVERYBODY)

    shared.switch = switch

    def fill(page: StudioBlocks, model_set: ModelSet) -> StudioBlocks:
        with page:
            _lay_out(page, settings, studio, owners, model_set, shared)
            with _page_of_its_own(page, API_PAGE, words.API):  # otherwise each browser loads its components
                gr.HTML(cards.line(words.API_HELP))
                Api(studio, owners, model_set).build()
        return page

    blocks.files.give_all(fill(blocks, chosen).config, EVERYBODY)  # pictures that the page itself shows
    return blocks


def _empty(settings: Settings, owners: Owners) -> StudioBlocks:
    return StudioBlocks(settings, owners, title=words.TITLE, analytics_enabled=False, delete_cache=(3600, 86400))


@contextmanager
def _page_of_its_own(blocks: gr.Blocks, path: str, name: str) -> Iterator[None]:
    """Add a page like `gr.Blocks.route`, but within the open Blocks: each time one closes, Gradio rebuilds the app."""
    blocks.pages.append((path, name, False))
    blocks.current_page = path
    yield
    blocks.current_page = ""


def _lay_out(
    blocks: gr.Blocks,
    settings: Settings,
    studio: Studio,
    owners: Owners,
    model_set: ModelSet,
    shared: Shared,
) -> None:
    """Add the header, and below it the forms and the result, the rail, and the drawer with its panels.

    The keyboard reaches them in this order; on the page the rail and the drawer are at the left.
    """
    page, rail = Page(studio, owners, model_set, shared), Rail()
    dropped = DropAnywhere(studio, owners, page, model_set)
    batch = BatchPanel(studio, owners, page.run, model_set, shared)
    workflow = WorkflowPanel(studio, owners, page.run)
    page.screen.build_toast()
    with gr.Row(elem_id="top", equal_height=True):
        page.build_header()
        MemoryBadge(studio).build()
        gr.HTML(cards.help_dialog(), elem_id="help-place", apply_default_css=False)
    with gr.Row(elem_id="studio", equal_height=False):
        with gr.Column(elem_id="main"):
            page.build(blocks)
            dropped.build()
        rail.build()
        with gr.Column(elem_id="drawer", min_width=0):
            rail.head()
            gallery, line = Gallery(studio, owners), QueuePanel(studio, owners, page.run.followed)
            models = ModelsPanel(studio, owners, model_set.id, shared)
            with rail.panel("history"):
                dropped.build_button()
                gallery.build(blocks)
            line.build(blocks, rail)
            with rail.panel("models"):
                models.build(rail)
            with rail.panel("batch"):
                batch.build()
            with rail.panel("workflow"):
                workflow.build()
            with rail.panel("settings"):
                SettingsPanel(settings, owners, shared).build(rail)
    page.wire(gallery, line, models)
    workflow.build_form(page.own_place, models)
    dropped.wire({"batch": batch.file, "workflow": workflow.file})


def serve(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    model_set: str | None = None,
    lan: bool = False,
    ask: bool = True,
    studio: Studio | None = None,
    sets_up: bool = False,
) -> None:
    """Serve the page until Ctrl+C or SIGTERM; ComfyUI starts in the background.

    Without `host` and `port`, Gradio's own variables apply (a Hugging Face Space sets them), otherwise loopback and the
    first free port.

    Args:
        settings: The studio's settings.
        host: The address to listen at.
        port: The port to listen at.
        model_set: The model set that the page starts with.
        lan: Listen on the whole network.
        ask: Create a password if others can reach the page and none is set. Not on a Space: its visitors could not
            learn it.
        studio: The studio to serve; one with an engine in this process unless given.
        sets_up: Set up in the background what is missing; the page shows how far that is.

    Raises:
        RequestError: The model set does not exist, or the address cannot be used.
        DatabaseDamagedError: The database is damaged.
    """
    if lan and host is not None:
        raise RequestError("--lan and --host cannot be combined.", "Use one of them.")
    host = EVERYWHERE if lan else host
    studio = studio or Studio(settings, works=True)
    blocks = build_app(settings, studio=studio, model_set=model_set)
    if sets_up and not is_set_up(settings):
        studio.set_up()
    made = make_password() if ask and is_open(server_name=host) and not settings.password else ""
    blocks.password = settings.password or made
    blocks.owners.at_home = ask and not is_shared()
    try:
        with terminal_kept() as terminal:
            _open_and_stay(blocks, studio, made, terminal, host, port)
    except StudioError:
        studio.close()
        raise
    if not studio.close():
        _end_at_once()


def _open_and_stay(
    blocks: StudioBlocks, studio: Studio, made: str, terminal: TextIO, host: str | None, port: int | None
) -> None:
    try:
        blocks.launch(server_name=host, server_port=port, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    except OSError as error:
        raise RequestError(
            f"The page cannot be opened at {host or LOOPBACK}, port {port or DEFAULT_PORT}: another program uses the "
            "port, or the address does not belong to this machine.",
            "Choose another port (`ltx-studio serve --port 7861`)"
            + (", or another --host." if host not in (None, LOOPBACK) else "."),
            details=str(error),
        ) from None
    over = _set_by_signals()  # before the address is printed: whoever reads it may end the process at once
    for line in addresses(blocks, made):
        print(line, file=terminal, flush=True)
    if not over.wait(FIRST_VISITOR_SECONDS):
        studio.start()
        over.wait()
    blocks.close(verbose=False)


def addresses(blocks: StudioBlocks, made: str) -> Iterator[str]:
    """Yield the terminal's lines about an open page: addresses, a created password, a model set that hardly runs."""
    url = str(blocks.local_url)
    port = url.rstrip("/").rpartition(":")[2]
    yield words.ADDRESS.format(url=url)
    if blocks.server_name in (EVERYWHERE, "::", "[::]"):
        urls = ", ".join(f"http://{each}:{port}/" for each in own_addresses())
        yield words.OTHERS.format(urls=urls) if urls else words.NO_ADDRESS.format(port=port)
    shared: str | None = blocks.share_url
    if shared:
        yield words.OTHERS.format(urls=shared)
    if blocks.password:
        yield words.MADE_PASSWORD.format(password=made) if made else words.SET_PASSWORD
    if warning := blocks.warn():
        yield words.WARNING.format(warning=warning)


def _end_at_once() -> None:
    """End the process without the interpreter's shutdown, which can wait forever for a thread inside torch."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _set_by_signals() -> threading.Event:
    """Return an event that Ctrl+C and SIGTERM set from now on."""
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)  # the second one ends the process at once
        threading.Thread(target=over.set).start()  # not here: this thread may hold the lock that setting it needs

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return over
