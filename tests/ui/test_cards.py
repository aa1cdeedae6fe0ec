from ltx_studio.errors import StudioError
from ltx_studio.events import Heartbeat, StageStarted, Step, Waiting
from ltx_studio.graph import Stage
from ltx_studio.ui import cards

HOSTILE = "<img src=x onerror=alert(1)>\"'`<b>`"


def test_whatever_comes_from_outside_is_escaped() -> None:
    error = StudioError(HOSTILE, HOSTILE, where=HOSTILE, details=HOSTILE)
    progress = cards.Progress((Stage("a", HOSTILE, ()),), HOSTILE, HOSTILE, now=0)

    for html in (cards.error(error), cards.message(HOSTILE, HOSTILE), cards.header(HOSTILE, HOSTILE), progress.html()):
        assert "<img" not in html
        assert "<b>" not in html
        assert "&lt;img" in html


def test_commands_in_an_error_are_set_as_code() -> None:
    html = cards.error(StudioError("It is not there.", "Run `ltx-studio setup`."))

    assert "Run <code>ltx-studio setup</code>." in html


def test_the_traceback_is_folded() -> None:
    html = cards.error(StudioError("It broke.", "Mend it.", details="Traceback of it"))

    assert "<details>" in html
    assert html.index("<details>") < html.index("Traceback of it")


def test_progress_follows_the_events() -> None:
    progress = cards.Progress((Stage("load", "Load", ()), Stage("stage1", "Stage 1", ())), "128×128")

    assert "ComfyUI" in progress.advance(Waiting("start"), 0.1).html()
    progress = progress.advance(StageStarted("stage1", "Stage 1", 1, 2), 1.0).advance(Step("stage1", 2, 8), 2.0)
    html = progress.advance(Heartbeat(2.5), 2.5).html()

    assert "Stage 1: step 2 of 8" in html
    assert '<li class="done">Load</li><li class="now">Stage 1</li>' in html
    assert 'value="1.25"' in html
