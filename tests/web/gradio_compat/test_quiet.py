"""The page's handlers are quiet: Gradio draws no progress for them, and reads none out."""

from ltx_studio.engine import Engine
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app


def test_gradio_shows_and_reads_out_the_progress_of_no_handler(home: Settings) -> None:
    blocks = build_app(home, studio=Studio(home, LocalRunner(home, Engine(home))))

    events = [event for event in blocks.fns.values() if event.api_visibility != "public"]

    assert len(events) > 20
    assert [event.name for event in events if event.show_progress != "hidden"] == []
