"""A take whose file is missing on the page: said to be so, in every place that would show its clip."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ltx_studio.errors import RequestError
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, Database, Queue
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.takes.records import NewTake, TakeRecord
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.api import Api
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.compare import Compare
from ltx_studio.web.panels.gallery import Gallery
from ltx_studio.web.panels.queue_panel import QueuePanel
from ltx_studio.web.panels.screen import Screen
from ltx_studio.web.panels.take import TakePanel
from tests.queue.test_stored_json import put
from tests.support import MODEL_SETS, queue_of

OWNERS = Owners()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(Settings(home=tmp_path / "home"))
    yield studio
    studio._runner.close(1)


@pytest.fixture
def take(studio: Studio) -> TakeRecord:
    """A take whose file is away."""
    (job,) = queue_of(studio).submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": "a ball"}})])
    queue_of(studio).claim([job])
    measured = {"width": 64, "height": 64, "frames": 8, "fps": 8.0, "seconds": 1.0}
    recipe = {"mode": "t2v", "params": {"prompt": "a ball", "seed": "not a number"}, "graph": {}}
    queue_of(studio).finish(
        job, NewTake(job, job, LOCAL, "t2v", 1.0, f"d/t2v-{job}.mp4", 9, "a ball", recipe, measured)
    )
    return studio.takes.get(job, LOCAL)


def asking() -> Any:
    return gr.Request(username=None, session_hash="x")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owners, "of", lambda self, request: LOCAL)


@pytest.mark.usefixtures("local")
def test_its_card_says_so_also_where_a_poster_is_left(studio: Studio, take: TakeRecord) -> None:
    poster = studio.takes.poster(take.id)
    poster.parent.mkdir(parents=True)
    poster.write_bytes(b"jpeg")

    shown = Gallery(studio, OWNERS).show("", "", False, 10, asking())

    assert words.FILE_MISSING in shown
    assert "<img" not in shown
    assert "a ball" in shown


@pytest.mark.usefixtures("local")
def test_its_panel_shows_words_and_no_player(studio: Studio, take: TakeRecord) -> None:
    with gr.Blocks():
        screen = Screen(MODES, MODEL_SETS["pocket"])
        panel = TakePanel(studio, OWNERS, screen, MODEL_SETS["pocket"])
        screen.build_toast()
        screen.build()
        panel.build()

    for _ in ("no file", "a folder is no clip either"):
        shown = panel.show(take.id, asking())
        assert "<video" not in shown[screen.view]
        assert escape(words.FILE_GONE) in shown[screen.view]
        assert "download" not in shown[panel.about]
        studio.takes.path(take).mkdir(parents=True, exist_ok=True)


@pytest.mark.usefixtures("local")
def test_it_is_not_compared_and_not_handed_out(studio: Studio, take: TakeRecord) -> None:
    event = gr.EventData(None, {"takes": [take.id, take.id]})
    _, said = Compare(studio, OWNERS).show(asking(), event)
    assert texts.ONE_IS_GONE in said
    assert "--repair" not in said, "that would not help"

    api = Api(studio, OWNERS, MODEL_SETS["pocket"])
    with pytest.raises(RequestError, match="missing"):
        api.take(take.id, asking())
    assert api.takes(asking())["takes"][0]["missing"] is True


@pytest.mark.usefixtures("local")
def test_the_room_that_takes_need_says_how_many_are_missing(studio: Studio, take: TakeRecord) -> None:
    said = Gallery(studio, OWNERS)._room(asking())

    assert words.ROOM.format(takes=0, favourites=0, size="0 bytes") in said
    assert words.ROOM_MISSING.format(takes=1) in said


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("columns", [{"spec": "{}"}, {"spec": "no JSON"}, {"state": "dancing"}, {"created": 1e300}])
def test_a_row_of_nonsense_does_not_empty_the_queues_panel(studio: Studio, columns: dict[str, Any]) -> None:
    queue_of(studio).submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": "a ball"}})])
    put(studio.settings.database_file, **columns)

    view = QueuePanel(studio, OWNERS, lambda tab: None)._view(None, asking())

    assert len(Queue(Database(studio.settings.database_file)).of(LOCAL)) == 1
    assert all(row["name"] for row in view["rows"])
