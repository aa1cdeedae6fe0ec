"""Whatever goes wrong in any event of the page is told in words: on the event's card, or in a toast."""

import errno
import json
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

from ltx_studio.engine import Engine
from ltx_studio.errors import ExecutionError, RequestError, StudioError
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.studio.unforeseen import in_words
from ltx_studio.web import build_app, words
from ltx_studio.web.access.answers import CARDS, AnswerErrors, Answers
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.gradio_compat.frontend_patch import IN_WORDS
from ltx_studio.web.server import StudioBlocks
from tests.web.asgi import ask, empty, in_a_thread, scope_of

PARTS = ("jobs", "takes", "recipes", "workflows", "models")
SESSION = "a-tab"
FULL = sqlite3.OperationalError("database or disk is full")


@dataclass
class Fault:
    """What each verb of a studio raises while `error` is set, and how often one did."""

    error: Exception | None = None
    raised: int = 0


class Faulty:
    """A studio, or a part of it, whose verbs fail."""

    def __init__(self, real: Any, fault: Fault) -> None:
        self.__dict__.update(_real=real, _fault=fault)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in PARTS:
            return Faulty(found, self._fault)
        return self._failing(found) if callable(found) else found

    def _failing(self, verb: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if self._fault.error is None:
                return verb(*given, **named)
            self._fault.raised += 1
            raise self._fault.error

        return call


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StudioBlocks, Fault]]:
    home = tmp_path_factory.mktemp("faulty")
    settings, fault = Settings(home=home, hub_cache=home / "hub"), Fault()
    studio = Studio(settings, LocalRunner(settings, Engine(settings)))
    yield build_app(settings, studio=Faulty(studio, fault)), fault  # type: ignore[arg-type]
    studio.close()


def sent(component: Any) -> Any:
    """What a browser sends for a component that holds something, so that its event does not stop at an empty form."""
    if isinstance(component, gr.State):
        return None
    if isinstance(component, gr.Textbox):
        return component.value or "x"
    return getattr(component, "value", None)


async def answer(blocks: StudioBlocks, event: BlockFunction, state: SessionState | None = None) -> str:
    """Return all that a browser is told when an event is called, as one text."""
    request = gr.Request(session_hash=SESSION, cookies={}, headers={}, client=SimpleNamespace(host="127.0.0.1"))
    data = gr.EventData(None, {"act": "cancel", "id": "x", "take": "x", "value": "x", "name": "x"})
    told, iterator, first = [], None, True
    state = state or SessionState(blocks)  # which takes Gradio half a second
    try:
        while first or iterator is not None:
            made = await blocks.process_api(
                block_fn=event,
                inputs=[sent(each) for each in event.inputs] if first else [],
                state=state,
                request=request,
                iterator=iterator,
                session_hash=SESSION,
                event_data=data,
            )
            told.append(json.dumps(made["data"], default=str, ensure_ascii=False))
            iterator, first = made["iterator"] if made["is_generating"] else None, False
    except gr.Error as error:
        told.append(f"traceback: {error}" if error.print_exception else f"toast: {error.message}")
    return "\n".join(told)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FULL, "The disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
    ],
)
def test_no_event_of_the_page_fails_silently(
    error: Exception, said: str, faulty: tuple[StudioBlocks, Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks, fault = faulty
    monkeypatch.setattr(logging.getLogger("ltx_studio"), "disabled", True)  # of tracebacks for each event
    monkeypatch.setattr(fault, "error", error)

    async def ask_all() -> list[tuple[str, str]]:
        """Return the name and the answer of each event that met the fault."""
        found, state = [], SessionState(blocks)
        for event in list(blocks.fns.values()):
            fault.raised = 0
            told = await answer(blocks, event, state) if event.fn is not None else ""
            found += [(str(event.name), told)] if fault.raised else []
        return found

    met = in_a_thread(ask_all)

    assert [(name, told[:300]) for name, told in met if said not in told] == []
    assert len(met) > 50
    assert len([told for _, told in met if "toast" not in told]) > 10


def test_generate_says_on_the_page_that_the_disk_is_full(faulty: tuple[StudioBlocks, Fault]) -> None:
    blocks, fault = faulty
    generates = [each for each in blocks.fns.values() if each.name == "generate"]
    t2v = next(each for each in generates if any(item.elem_id == "t2v-prompt" for item in each.inputs))
    fault.error = FULL
    told = in_a_thread(lambda: answer(blocks, t2v))
    fault.error = None

    assert "card error" in told
    assert "Free up space" in told
    assert "toast" not in told


def test_the_cards_that_show_faults_are_on_the_page(faulty: tuple[StudioBlocks, Fault]) -> None:
    blocks, _ = faulty
    ids = {getattr(each, "elem_id", None) for each in blocks.blocks.values()}

    assert [each for each in CARDS if each not in ids] == []


def test_a_stream_that_fails_midway_ends_with_its_card(faulty: tuple[StudioBlocks, Fault]) -> None:
    blocks, _ = faulty

    def streams() -> Iterator[tuple[Any, ...]]:
        yield (gr.skip(),) * len(event.outputs)
        raise FULL

    event = next(each for each in blocks.fns.values() if each.name == "generate")
    whole, event.fn, inputs = event.fn, streams, event.inputs
    event.inputs = []
    try:
        told = in_a_thread(lambda: answer(blocks, event)).splitlines()
    finally:
        event.fn, event.inputs = whole, inputs

    assert len(told) == 3  # the step, the card, the end
    assert "The disk is full" in told[1]


def test_a_timer_says_the_same_once_a_minute() -> None:
    answers = Answers(Settings(home=Path("home")), Owners())

    def shown(session: str, error: Exception = FULL) -> bool:
        with pytest.raises(gr.Error) as caught, answers.answering("a timer", seldom_to=session):
            raise error
        return bool(caught.value.visible)

    assert [shown("a"), shown("a"), shown("b"), shown("b"), shown("a", RuntimeError())] == [1, 0, 1, 0, 1]


def test_errors_are_worded_with_what_to_do(home: Settings) -> None:
    known = RequestError("Why.", "What to do.")
    worded: list[tuple[StudioError, str]] = [
        (in_words(FULL, home), f"Free up space on the disk of {home.home}, then try again."),
        (in_words(OSError(errno.EDQUOT, ""), home), f"Free up space on the disk of {home.home}, then try again."),
        (in_words(sqlite3.OperationalError("database is locked"), home), "Close that program, then try again."),
        (in_words(KeyError("x"), home), f"Try again. If it happens again, report it with the log at {home.log_file}."),
    ]

    assert in_words(known, home) is known
    assert [(each.hint, hint) for each, hint in worded if each.hint != hint] == []
    assert isinstance(worded[-1][0], ExecutionError)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [(OSError(errno.ENOSPC, "full"), 507, words.NO_SPACE), (RuntimeError("a secret"), 500, words.UNANSWERED)],
)
def test_an_upload_that_fails_is_answered_in_words(error: Exception, status: int, said: str) -> None:
    async def fails(*_: Any) -> None:
        raise error

    found = in_a_thread(lambda: ask(AnswerErrors(fails), scope_of("POST", "/gradio_api/upload"), empty))

    assert (found.status, json.loads(found.text)) == (status, {"detail": said})
    assert found.headers[IN_WORDS] == "1"
