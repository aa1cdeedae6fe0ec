"""What the server keeps for each session: nothing that a new one would have too, and not for ever."""

import gc
from collections.abc import Iterator
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.blocks import BlocksConfig
from gradio.state_holder import SessionState
from starlette.exceptions import HTTPException

from ltx_studio.engine import Engine
from ltx_studio.settings import Settings
from ltx_studio.web.gradio_compat import sessions
from ltx_studio.web.gradio_compat.sessions import IDLE_SECONDS, MOST_SESSIONS, KeepSessions, Overlay, Session, Sessions
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.web.asgi import in_a_thread
from tests.web.serving import serving, working


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def blocks() -> gr.Blocks:
    """A text, a number and a value of the session."""
    with gr.Blocks() as made:
        text, state = gr.Textbox("first"), gr.State("none")
        gr.Number(1)
        text.change(lambda: "x", None, state)
    return made  # type: ignore[no-any-return]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(blocks: gr.Blocks, clock: Clock) -> Sessions:
    return Sessions(blocks, clock)


@pytest.fixture
def opened(home: Settings) -> Iterator[StudioBlocks]:
    with serving(working(home, Engine(home))) as blocks:
        yield blocks


def ids(blocks: gr.Blocks) -> tuple[int, int]:
    """Of the text and of the state."""
    kinds = {type(each): key for key, each in blocks.blocks.items()}
    return kinds[gr.Textbox], kinds[gr.State]


def test_a_session_has_what_gradios_has(blocks: gr.Blocks) -> None:
    ours, theirs = Session(blocks), SessionState(blocks)

    assert vars(theirs).keys() <= vars(ours).keys()
    assert {name for name in vars(ours) if not name.startswith("_")} == {
        name for name in vars(theirs) if not name.startswith("_")
    }
    assert dict(ours.blocks_config.blocks) == dict(theirs.blocks_config.blocks)
    assert dict(ours.blocks_config.fns) == dict(theirs.blocks_config.fns)
    assert ours.blocks_config.get_config() == theirs.blocks_config.get_config()
    assert vars(ours.blocks_config).keys() == vars(BlocksConfig(blocks)).keys()


def test_what_one_session_changes_no_other_sees(blocks: gr.Blocks) -> None:
    text, state = ids(blocks)
    one, other = Session(blocks), Session(blocks)
    with blocks:
        changed = gr.Textbox("second", render=False)

    one[text], one[state] = changed, "some"
    one._update_config(text)
    one._update_value_in_config(text, "third")
    del one.blocks_config.fns[next(iter(one.blocks_config.fns))]

    assert (one[text], one[state]) == (changed, "some")
    assert other[text] is blocks.blocks[text]
    assert other[state] == "none"
    assert len(other.blocks_config.fns) == len(blocks.fns) == len(one.blocks_config.fns) + 1
    assert one.own_blocks == [changed]
    assert not one.is_untouched
    assert Session(blocks).is_untouched


def test_an_overlay_is_a_dictionary_that_leaves_its_base_alone() -> None:
    base = {1: "a", 2: "b"}
    over = Overlay(base)

    over[3], over[1] = "c", "A"
    del over[2]
    with pytest.raises(KeyError):
        del over[2]

    assert dict(over) == {1: "A", 3: "c"}
    assert (len(over), 2 in over, over.get(2), base) == (2, False, None, {1: "a", 2: "b"})
    over[2] = "B"
    assert over[2] == "B"


def test_a_thousand_calls_keep_no_copy_of_the_page(opened: StudioBlocks) -> None:
    """Objects are counted, not bytes: what grows with each session is a session, a clock and a mailbox."""
    with httpx.Client(base_url=str(opened.local_url)) as http:

        def call(numbers: range) -> None:
            for number in numbers:
                named = {"data": [5], "session_hash": f"session{number}"}
                event = http.post("/gradio_api/call/jobs", json=named).raise_for_status().json()["event_id"]
                assert "complete" in http.get(f"/gradio_api/call/jobs/{event}").text

        call(range(20))
        gc.collect()
        before = len(gc.get_objects())
        call(range(20, 120))
        gc.collect()
        each = (len(gc.get_objects()) - before) / 100

    held = opened.app.state_holder.session_data
    assert each < 60
    assert len(held) == 120
    assert all(isinstance(session, Session) and session.is_untouched for session in held.values())
    assert isinstance(opened.app.state_holder, Sessions)
    assert opened.state_holder is opened.app.state_holder


def test_those_that_hold_nothing_go_first_and_open_ones_never(
    blocks: gr.Blocks, kept: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 10)
    _, state = ids(blocks)
    kept["tab"]
    kept.open("tab")
    kept["left"][state] = "something"

    for number in range(50):
        kept[f"call{number}"]

    assert {"tab", "left"} <= kept.session_data.keys()
    assert len(kept.session_data) == 11
    for number in range(50):
        kept[f"other{number}"][state] = number
    assert "left" not in kept.session_data
    assert "tab" in kept.session_data
    assert len(kept.session_data) == 11
    assert MOST_SESSIONS == 1_000


def test_a_session_goes_an_hour_after_its_connection(blocks: gr.Blocks, kept: Sessions, clock: Clock) -> None:
    _, state = ids(blocks)
    kept.open("tab")
    kept["tab"][state] = "something"
    kept["call"]

    clock.now = 2 * IDLE_SECONDS
    kept.delete_all_expired_state()
    assert set(kept.session_data) == {"tab"}

    kept.close("tab")
    clock.now += IDLE_SECONDS - 1
    kept.delete_all_expired_state()
    assert kept["tab"][state] == "something"
    clock.now += IDLE_SECONDS
    kept.delete_all_expired_state()
    assert not kept.session_data
    assert not kept._used
    assert not kept._connections


@pytest.mark.parametrize("name", ["x" * 65, "\x1b[2J", "a b", "ü", "\ud800", " "])
def test_a_name_that_no_client_makes_is_kept_nowhere(name: str, kept: Sessions) -> None:
    with pytest.raises(HTTPException):
        kept[name]

    kept[""]
    assert not kept.session_data


def test_who_is_connected_is_known_while_they_are(blocks: gr.Blocks) -> None:
    seen = []

    class App:
        state_holder = blocks.state_holder

        @staticmethod
        def get_blocks() -> gr.Blocks:
            return blocks

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(self.state_holder.is_open("tab"))  # type: ignore[attr-defined]

    app = App()
    keep = KeepSessions(app)

    async def ask(path: str) -> None:
        scope = {"type": "http", "path": path, "app": app}
        await keep(scope, lambda: None, lambda _: None)  # type: ignore[arg-type, return-value]

    in_a_thread(lambda: ask("/config"))
    in_a_thread(lambda: ask("/gradio_api/heartbeat/tab"))

    assert seen == [False, True]
    assert isinstance(app.state_holder, Sessions)
    assert not app.state_holder.is_open("tab")
