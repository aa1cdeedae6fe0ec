"""A take whose file is missing on the page: said to be so, in every place that would show its clip."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ltx_studio.errors import RequestError
from ltx_studio.jobs import LOCAL, Database, Desk, Queue
from ltx_studio.jobs.history import NewTake, TakeRecord
from ltx_studio.models import get_registry
from ltx_studio.settings import Settings
from ltx_studio.ui import words
from ltx_studio.ui.api import Api
from ltx_studio.ui.compare import Compare
from ltx_studio.ui.gallery import Gallery
from ltx_studio.ui.line import LinePanel
from ltx_studio.ui.owners import Owners
from ltx_studio.ui.take import TakePanel
from tests.jobs.test_rows import put

OWNERS = Owners()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Settings(home=tmp_path / "home"))
    yield desk
    desk.runner.close(1)


@pytest.fixture
def take(desk: Desk) -> TakeRecord:
    """A take whose file is away."""
    (job,) = desk.queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": "a ball"}})])
    desk.queue.claim([job])
    measured = {"width": 64, "height": 64, "frames": 8, "fps": 8.0, "seconds": 1.0}
    recipe = {"mode": "t2v", "params": {"prompt": "a ball", "seed": "not a number"}, "graph": {}}
    desk.queue.finish(job, NewTake(job, job, LOCAL, "t2v", 1.0, f"d/t2v-{job}.mp4", 9, "a ball", recipe, measured))
    return desk.history.get(job, LOCAL)


def asking() -> Any:
    return gr.Request(username=None, session_hash="x")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owners, "of", lambda self, request: LOCAL)


@pytest.mark.usefixtures("local")
def test_its_card_says_so_also_where_a_poster_is_left(desk: Desk, take: TakeRecord) -> None:
    poster = desk.history.poster(take.id)
    poster.parent.mkdir(parents=True)
    poster.write_bytes(b"jpeg")

    shown = Gallery(desk, OWNERS).show("", "", False, 10, asking())

    assert words.FILE_MISSING in shown
    assert "<img" not in shown
    assert "a ball" in shown


@pytest.mark.usefixtures("local")
def test_its_panel_shows_words_and_no_player(desk: Desk, take: TakeRecord) -> None:
    with gr.Blocks():
        panel = TakePanel(desk, OWNERS, [])
        panel.build()

    _, video, _, said, download, *_ = panel.show(take.id, asking())

    assert video == {"value": None, "visible": False, "__type__": "update"}
    assert download["visible"] is False
    assert words.FILE_GONE in said
    path = desk.history.path(take)
    path.mkdir(parents=True)
    assert panel.show(take.id, asking())[1]["visible"] is False, "a folder is no clip either"


@pytest.mark.usefixtures("local")
def test_it_is_not_compared_and_not_handed_out(desk: Desk, take: TakeRecord) -> None:
    event = gr.EventData(None, {"takes": [take.id, take.id]})
    _, said = Compare(desk, OWNERS).show(asking(), event)
    assert words.ONE_IS_GONE in said
    assert "--repair" not in said, "that would not help"

    api = Api(desk, OWNERS, get_registry().get_set("pocket"))
    with pytest.raises(RequestError, match="missing"):
        api.take(take.id, asking())
    assert api.takes(asking())["takes"][0]["missing"] is True


@pytest.mark.usefixtures("local")
def test_the_room_that_takes_need_says_how_many_are_missing(desk: Desk, take: TakeRecord) -> None:
    said = Gallery(desk, OWNERS)._room(asking())

    assert words.ROOM.format(takes=0, favourites=0, size="0 bytes") in said
    assert words.ROOM_MISSING.format(takes=1) in said


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("columns", [{"spec": "{}"}, {"spec": "no JSON"}, {"state": "dancing"}, {"created": 1e300}])
def test_a_row_of_nonsense_does_not_empty_the_queues_panel(desk: Desk, columns: dict[str, Any]) -> None:
    desk.queue.submit(LOCAL, [("t2v", {"mode": "t2v", "params": {"prompt": "a ball"}})])
    put(desk.settings.database_file, **columns)

    view = LinePanel(desk, OWNERS, lambda tab: None)._view(None, asking())

    assert len(Queue(Database(desk.settings.database_file)).of(LOCAL)) == 1
    assert all(row["name"] for row in view["rows"])
