"""A page that shows the history alone, and takes for its visitors, each of whom is another owner."""

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import gradio as gr
import pytest
from playwright.sync_api import Browser, Page

from ltx_studio.engine import Engine
from ltx_studio.queue import Database, Done, Spec
from ltx_studio.queue.queue import new_id
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.records import TakeRecord
from ltx_studio.web.access.owners import COOKIE, Owners
from ltx_studio.web.panels.gallery import Gallery
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.support import small_spec


@dataclass
class Past:
    """A page that is served, its studio, and three real takes of somebody's, to be copied."""

    url: str
    studio: Studio
    takes: dict[str, TakeRecord] = field(default_factory=dict)

    def render(self, owner: str, spec: Spec) -> TakeRecord:
        """Hand a request in, and give its take."""
        (job,) = self.studio.jobs.submit(owner, [spec])
        *_, ended = self.studio.jobs.follow(job, owner)
        assert isinstance(ended.state, Done), ended.state
        return self.studio.takes.get(ended.state.take, owner)


@dataclass
class Visitor:
    """One browser, whose takes nobody else sees."""

    past: Past
    page: Page
    owner: str

    def give(
        self,
        prompt: str = "",
        *,
        like: str = "short",
        mode: str = "",
        ago: float = 0,
        batch: str = "",
        **params: object,
    ) -> TakeRecord:
        """A take with a copy of a real one's clip and poster, under another id, with other words.

        It was made `ago` seconds before the real one, perhaps as one of a `batch`.
        """
        real, history = self.past.takes[like], self.past.studio.takes
        name = new_id()
        folder = history.path(real).parent
        file = shutil.copyfile(history.path(real), folder / f"{real.mode}-{name}.mp4")
        shutil.copyfile(history.poster(real.id), history.poster(name))
        prompt = prompt or real.prompt
        recipe = {**real.recipe, "params": {**real.recipe["params"], "prompt": prompt, **params}}
        record = replace(real, id=name, job=name, owner=self.owner, prompt=prompt, mode=mode or real.mode,
                         file=f"{folder.name}/{file.name}", recipe=recipe, created=real.created - ago)  # fmt: skip
        with Database(self.past.studio.settings.database_file).write() as connection:
            connection.execute("INSERT OR IGNORE INTO owners (id) VALUES (?)", (self.owner,))
            if batch:
                connection.execute(
                    "INSERT INTO jobs (id, owner, batch, mode, spec, state, place, created)"
                    " VALUES (?, ?, ?, ?, '{}', 'done', 0, 0)",
                    (name, self.owner, batch, record.mode),
                )
            record.insert(connection)
        return history.get(name, self.owner)

    def open(self) -> Page:
        self.page.goto(self.past.url)
        self.page.locator(".takes, .nothing").wait_for()
        return self.page


def eventually(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what the page does not show."""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came")


Visit = Callable[[], Visitor]


@pytest.fixture(scope="session")
def past(settings: Settings, engine: Engine) -> Iterator[Past]:
    studio = Studio(settings, LocalRunner(settings, engine))
    studio.work()
    with StudioBlocks(settings, Owners(), title="History") as blocks:
        gallery = Gallery(studio, blocks.owners)
        gallery.build(blocks)
        gr.Button("Refresh").click(gallery.show, gallery.inputs, gallery.outputs)
        chosen = gr.Textbox(label="Chosen", elem_id="chosen")
        gallery.chosen.change(lambda now: f"{now[0]} {now[1]}", [gallery.chosen], [chosen])
    blocks.launch(server_name=LOOPBACK, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    blocks.owners.apart = True
    made = Past(str(blocks.local_url), studio)
    made.takes["short"] = made.render("past", small_spec(preset="draft", seconds=1, seed=23))
    made.takes["long"] = made.render("past", small_spec(preset="draft", seconds=2, seed=24, camera="dolly-in"))
    yield made
    blocks.close(verbose=False)
    assert studio.close_worker(60)


@contextmanager
def visits(past: Past, browser: Browser) -> Iterator[Visit]:
    """Whoever comes is another owner than all others."""
    contexts = []

    def come() -> Visitor:
        secret = secrets.token_hex(16)
        context = browser.new_context(viewport={"width": 1000, "height": 900})
        contexts.append(context)
        context.add_cookies([{"name": COOKIE, "value": secret, "url": past.url}])
        return Visitor(past, context.new_page(), hashlib.sha256(secret.encode()).hexdigest()[:16])

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def visit(past: Past, browser: Browser) -> Iterator[Visit]:
    with visits(past, browser) as come:
        yield come


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    return visit()
