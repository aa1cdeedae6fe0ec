"""A page where nothing runs, so that a test alone says what becomes of a job."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ltx_studio.engine import Engine
from ltx_studio.queue import LOCAL, Database, Progress
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.support import queue_of, small_spec
from tests.web.conftest import Watch, open_page
from tests.web.driver import open_panel


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home where nothing is installed."""
    home = tmp_path_factory.mktemp("quiet")
    return Settings(home=home, hub_cache=home / "hub")


@pytest.fixture(scope="module")
def url(quiet: Settings) -> Iterator[str]:
    yield from open_page(quiet, Engine(quiet))


@pytest.fixture
def studio(quiet: Settings) -> Studio:
    """Of the page at `url`, with nothing in its queue."""
    with Database(quiet.database_file).write() as connection:
        connection.execute("DELETE FROM jobs")
        connection.execute("UPDATE owners SET paused = 0")
    return Studio(quiet)


def hand_in(studio: Studio, *prompts: str) -> list[str]:
    return [studio.jobs.submit(LOCAL, [small_spec(prompt=prompt)])[0] for prompt in prompts]


def begin(studio: Studio, job_id: str, progress: Progress) -> None:
    assert queue_of(studio).claim(only=[job_id]) is not None
    queue_of(studio).report(job_id, progress)


def open_queue(page: Page, url: str) -> Locator:
    open_panel(page, url, "queue")
    return page.locator("#panel-queue")


@pytest.fixture(scope="module")
def shared(browser: Browser, url: str) -> Iterator[tuple[Page, Watch]]:
    """One page for all tests of a module that look at the queue's panel only: opening it costs most."""
    page = browser.new_page()
    watch = Watch(page)
    open_queue(page, url)
    yield page, watch
    page.close()


@pytest.fixture
def panel(shared: tuple[Page, Watch], studio: Studio) -> Iterator[Locator]:
    """The queue's panel on the shared page, with nothing in it. The browser must have complained of nothing."""
    page, watch = shared
    panel = page.locator("#panel-queue")
    expect(panel).to_contain_text("The queue is empty")
    watch.errors.clear()
    yield panel
    assert watch.errors == []
