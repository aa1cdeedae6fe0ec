"""The page on the real engine, and a real browser."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect
from playwright.sync_api import Error as BrowserError

from ltx_studio.engine import Engine
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from ltx_studio.web.panels import download_board, memory, queue_panel
from tests.web.past import past, visit, visitor

__all__ = ["past", "visit", "visitor"]

LOOKS = (
    (queue_panel, "LOOK_SECONDS"),
    (queue_panel, "IDLE_SECONDS"),
    (download_board, "BUSY_SECONDS"),
    (download_board, "IDLE_SECONDS"),
    (memory, "LOOK_SECONDS"),
)
"""How often parts of the page look for news, in seconds."""

expect.set_options(timeout=30_000)  # a machine that does other things as well may be slow


def open_page(settings: Settings, engine: Engine, *, apart: bool = False) -> Iterator[str]:
    """Open the page, as those see it who sit at this machine, or `apart`, as others do behind a password; gives its
    address. It looks for news more often than visitors need."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in LOOKS:
            patch.setattr(module, name, 0.5)
        blocks = build_app(settings, studio=Studio(settings, LocalRunner(settings, engine), works=True))
        blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
        blocks.owners.apart = blocks.owners.guarded = apart
        yield str(blocks.local_url)
        blocks.close(verbose=False)


@pytest.fixture(scope="session")
def page_url(settings: Settings, engine: Engine) -> Iterator[str]:
    yield from open_page(settings, engine)


@pytest.fixture(scope="session")
def page_url_without_comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("without-comfyui")
    settings = Settings(home=home, hub_cache=home / "hub")
    yield from open_page(settings, Engine(settings))


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


_FAILED = pytest.StashKey[bool]()
_MOST_LINES = 80


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed  # type: ignore[attr-defined]
    return report


@pytest.fixture(autouse=True)
def _page_of_a_failed_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the browser showed and did when a test has failed: some fail only on a busy machine."""
    if "page" not in request.fixturenames:
        yield
        return
    page: Page = request.getfixturevalue("page")
    lines: list[str] = []
    page.on("console", lambda message: lines.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: lines.append(f"page error: {error}"))
    page.on("request", lambda asked: lines.append(f"{asked.method} {asked.url}"))
    page.on("requestfinished", lambda asked: lines.append(f"finished {asked.url}"))
    page.on("requestfailed", lambda asked: lines.append(f"failed {asked.url}: {asked.failure}"))
    yield
    if request.node.stash.get(_FAILED, False):
        print("\n".join(lines[-_MOST_LINES:]))
        with suppress(BrowserError):
            print(page.locator("body").inner_text(timeout=5_000))
