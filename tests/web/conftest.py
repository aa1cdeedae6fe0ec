"""The page on the real engine, and a real browser."""

import faulthandler
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from tempfile import TemporaryFile
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserType, ConsoleMessage, Page, Request, expect
from playwright.sync_api import Error as BrowserError

from ltx_studio.engine import Engine
from ltx_studio.settings import Settings
from ltx_studio.web.panels import download_board, memory, queue_panel
from tests.fixtures import looking
from tests.web.kept_page import KeptPage
from tests.web.past import past, visit, visitor
from tests.web.serving import serving, working
from tools.browser import FLAGS, find

__all__ = ["past", "visit", "visitor"]

LOOKS = (
    (queue_panel, "LOOK_SECONDS", 0.5),
    (queue_panel, "IDLE_SECONDS", 0.5),
    (download_board, "BUSY_SECONDS", 0.5),
    (download_board, "IDLE_SECONDS", 0.5),
    (memory, "LOOK_SECONDS", 2),
)
"""How often parts of the page look for news, in seconds."""

expect.set_options(timeout=30_000)  # a machine that does other things as well may be slow


@pytest.fixture(scope="session", autouse=True)
def _one_tls_context() -> Iterator[None]:
    """Load the CA certificates once instead of for every HTTP client (17 ms each); no test uses TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx._transports.default, "create_ssl_context", cache(httpx.create_ssl_context))
        yield


def open_page(settings: Settings, engine: Engine, *, apart: bool = False) -> Iterator[str]:
    """Open the page, as those see it who sit at this machine, or `apart`, as others do behind a password; gives its
    address. It looks for news more often than visitors need."""
    with looking(LOOKS), serving(working(settings, engine)) as blocks:
        blocks.owners.apart = blocks.owners.guarded = apart
        yield str(blocks.local_url)


@pytest.fixture(scope="session")
def page_url(settings: Settings, engine: Engine) -> Iterator[str]:
    yield from open_page(settings, engine)


@pytest.fixture(scope="session")
def page_url_without_comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("without-comfyui")
    settings = Settings(home=home, hub_cache=home / "hub")
    yield from open_page(settings, Engine(settings))


@pytest.fixture(scope="module")
def with_bars(browser_type: BrowserType) -> Iterator[Browser]:
    """A browser whose scroll bars take room, as on Windows and Linux."""
    path = find() or browser_type.executable_path
    launched = browser_type.launch(executable_path=path, args=FLAGS, ignore_default_args=["--hide-scrollbars"])
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def kept_page(browser: Browser) -> Iterator[KeptPage]:
    kept = KeptPage(browser)
    yield kept
    kept.drop()


@pytest.fixture
def page(kept_page: KeptPage, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page. The test fails if the keyboard focus falls to the body.

    Print what the browser showed and did when the test has failed: some do only on a busy machine.
    """
    page = kept_page.lend()
    yield page
    has_failed = request.node.stash.get(_FAILED, True)
    if has_failed:
        with suppress(BrowserError):
            told = [f"{each.type}: {each.text}" for each in page.console_messages()]
            asked = [f"{each.method} {each.url} {each.failure or ''}" for each in page.requests()]
            print("\n".join([*told[-_MOST_LINES:], *asked[-_MOST_LINES:]]))
            print(page.locator("body").inner_text(timeout=5_000))
    kept_page.take_back(is_broken=has_failed)
    assert kept_page.fallen == []


class Watch:
    """What a browser page complained of."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@pytest.fixture
def watch(page: Page) -> Watch:
    return Watch(page)


@pytest.fixture
def hosts(page: Page) -> set[str]:
    """The hosts that the page has asked so far."""
    hosts = set[str]()

    def note(request: Request) -> None:
        if request.url.startswith(("http", "ws")):
            hosts.add(request.url.split("/")[2].partition(":")[0])

    page.on("request", note)
    return hosts


_FAILED = pytest.StashKey[bool]()
_MOST_LINES = 80


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed  # type: ignore[attr-defined]
        if report.failed:  # type: ignore[attr-defined]
            _add_threads(report)
    return report


def _add_threads(report: Any) -> None:
    """Add to the report of a failed test what each thread was doing: what hangs is seen there."""
    with TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        report.sections.append(("Threads", file.read()))
