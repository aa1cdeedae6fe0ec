"""The page on the real engine, and a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from ltx_studio.engine import Engine
from ltx_studio.jobs import Desk, LocalRunner
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.ui import build_app
from tests.ui.past import past, visit, visitor

__all__ = ["past", "visit", "visitor"]

expect.set_options(timeout=30_000)  # a machine that does other things as well may be slow


def open_page(settings: Settings, engine: Engine, *, apart: bool = False) -> Iterator[str]:
    """Open the page, as those see it who sit at this machine, or `apart`, as others do behind a password; gives its
    address."""
    blocks = build_app(settings, desk=Desk(settings, LocalRunner(settings, engine)))
    blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    blocks.owners.apart = blocks.owners.guarded = apart
    yield str(blocks.local_url)
    blocks.close(verbose=False)


@pytest.fixture(scope="session")
def page_url(settings: Settings, engine: Engine) -> Iterator[str]:
    yield from open_page(settings, engine)


@pytest.fixture
def page_url_without_comfyui(home: Settings) -> Iterator[str]:
    yield from open_page(home, Engine(home))


class Watch:
    """What a browser page complained of, and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if request.url.startswith(("http", "ws")):
            self.hosts.add(request.url.split("/")[2].partition(":")[0])


@pytest.fixture
def watch(page: Page) -> Watch:
    return Watch(page)
