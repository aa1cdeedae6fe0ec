"""A page that is served for a test, and closed with all that it started."""

from collections.abc import Iterator
from contextlib import contextmanager

from ltx_studio.engine import Engine
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from ltx_studio.web.studio_blocks import StudioBlocks

CLOSING_SECONDS = 60


@contextmanager
def serving(studio: Studio, *, on: str = LOOPBACK) -> Iterator[StudioBlocks]:
    """Serve the page of a studio on an address.

    Afterwards none of its threads looks for work any more. Its engine stays open, for it may be that of all tests.
    """
    blocks = build_app(studio.settings, studio=studio)
    blocks.launch(server_name=on, quiet=True, prevent_thread_lock=True, ssr_mode=False)
    yield blocks
    blocks.close(verbose=False)
    assert studio.close_worker(CLOSING_SECONDS)
    assert studio.models.close(CLOSING_SECONDS)


def working(settings: Settings, engine: Engine) -> Studio:
    """Return a studio that carries out jobs and downloads in this process."""
    return Studio(settings, LocalRunner(settings, engine), works=True)
