"""Answers clients when something goes wrong, and logs tracebacks of the studio's own faults only.

Gradio 6.31 prints a traceback to the terminal, with what the client sent, for each exception of an event, and uvicorn
prints one for each exception of a route; most are caused by clients that send nonsense.
"""

import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
from gradio.block_function import BlockFunction
from gradio.route_utils import FnIndexInferError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import ltx_studio
from ltx_studio.errors import StudioError
from ltx_studio.fileio import is_full
from ltx_studio.logs import keep_in_log
from ltx_studio.settings import Settings
from ltx_studio.studio.unforeseen import in_words
from ltx_studio.web import cards, words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.gradio_compat import sessions
from ltx_studio.web.gradio_compat.frontend_patch import IN_WORDS
from ltx_studio.web.hints import hint_of, message_of

log = logging.getLogger(__name__)

CARDS = ("told", "models-run", "unload-card", "workflow-card", "batch-card")
"""Components that say what went wrong with an event that they are an output of. The other events have toasts."""
SELDOM_SECONDS = 60.0
"""Seconds between two toasts with the same error of an event that nobody asked for."""
MOST_TOLD = 1_000
"""The most errors of sessions that are remembered for that."""

_PACKAGE = str(Path(ltx_studio.__file__).parent)
_MISTAKES = (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, RecursionError)
"""The exceptions that Gradio's routes raise for a request that they cannot interpret."""


def as_gradio_error(error: StudioError) -> gr.Error:
    """Return the error in Gradio's form, which browsers and clients show."""
    return gr.Error(f"{message_of(error)} {hint_of(error)}", title=error.code, print_exception=False)


def not_understood() -> gr.Error:
    """Return the answer to a malformed request."""
    return gr.Error(f"{words.NOT_UNDERSTOOD} {words.RELOAD}", title="request", print_exception=False)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn errors about a client's values into a `gr.Error` without a traceback.

    Raises:
        gr.Error: Something went wrong; an error meant for the client is passed on unchanged.
    """
    try:
        yield
    except gr.Error as error:
        error.print_exception = False
        raise
    except StudioError as error:
        raise as_gradio_error(error) from None
    except OSError:  # a full disk is not the client's fault
        raise
    except Exception as error:
        log.info("Values of a client were refused: %s", type(error).__name__)
        raise not_understood() from None


class Answers:
    """How one page answers an exception of an event: in words, on a card where the event has one, else in a toast."""

    def __init__(self, settings: Settings, owners: Owners) -> None:
        self._settings, self._redaction = settings, Redaction(settings, owners)
        self._told: dict[tuple[str, str], float] = {}

    def worded(self, what: str, error: Exception) -> StudioError:
        """Return an exception of an event as a `StudioError`, and log the traceback of one that is none.

        Args:
            what: The event's name, for the log.
            error: What it raised.
        """
        if not isinstance(error, StudioError):
            log.error("%s could not be answered", what, exc_info=error)
        return self._redaction.told(in_words(error, self._settings))

    def on_card(self, block_fn: BlockFunction, iterator: Any, error: Exception) -> dict[str, Any] | None:
        """Return the result of an event that shows what it raised on the card among its outputs; None without one.

        Args:
            block_fn: The event.
            iterator: Of a stream, what drives it; None at its first step.
            error: What it raised.
        """
        card = next((each for each in block_fn.outputs if each.elem_id in CARDS), None)
        if card is None:
            return None
        # A stream goes on, and ends with the next step: at its end, Gradio sends the last answer again. It is known by
        # its iterator, which has ended with the exception.
        rest = (iterator or _nothing()) if block_fn.types_generator else None
        shown = cards.error(self.worded(str(block_fn.name), error))
        return {"prediction": {card: shown}, "duration": 0.0, "is_generating": rest is not None, "iterator": rest}

    @contextmanager
    def answering(self, what: str, *, seldom_to: str = "") -> Iterator[None]:
        """Turn any exception of an event into a `gr.Error`.

        Args:
            what: The event's name, for the log.
            seldom_to: For events that nobody asked for, such as a timer's: their session. It sees the same error once
                in `SELDOM_SECONDS`.

        Raises:
            gr.Error: The event raised an exception.
        """
        try:
            yield
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            answer = as_gradio_error(self.worded(what, error))
            answer.visible = not seldom_to or self._is_news(seldom_to, str(answer.message))
            raise answer from None

    def _is_news(self, session: str, said: str) -> bool:
        """Return whether a session has not been told this for a while, and note that it is told now."""
        now, known = time.monotonic(), (session, said)
        if now - self._told.get(known, -SELDOM_SECONDS) < SELDOM_SECONDS:
            return False
        self._told.pop(known, None)
        self._told[known] = now
        for old in list(self._told)[:-MOST_TOLD]:
            del self._told[old]
        return True


async def _nothing() -> AsyncIterator[Any]:
    """Yield nothing."""
    nothing: tuple[Any, ...] = ()
    for each in nothing:
        yield each


def unasked(block_fn: Any, request: Any) -> str:
    """Return the session of an event that its visitor did not cause, such as a timer's; empty for the others."""
    names = {name for _, name in getattr(block_fn, "targets", ())}
    return str(getattr(request, "session_hash", "")) if names and names <= {"tick", "load"} else ""


class AnswerErrors:
    """The outermost ASGI middleware: no exception reaches uvicorn, which would print it to the terminal."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            keep_in_log("uvicorn", "uvicorn.error", "uvicorn.access")  # it has set them up by now
            await self._app(scope, receive, send)
            return
        is_begun = is_over = False

        async def note(message: Message) -> None:
            nonlocal is_begun, is_over
            is_begun = True
            is_over = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            mistake = is_mistake(error)
            if not mistake:
                log.exception("%s %s could not be answered", scope["method"], scope["path"])
            if not is_begun:
                await _answer(error, mistake=mistake)(scope, receive, send)
            elif not is_over:
                await _end(send)


def _answer(error: Exception, *, mistake: bool) -> ASGIApp:
    """Return the answer to a request that raised an exception before anything was sent."""
    detail, status = (words.NOT_UNDERSTOOD, 400) if mistake else (words.UNANSWERED, 500)
    if is_full(error):
        detail, status = words.NO_SPACE, 507
    return JSONResponse({"detail": detail}, status_code=status, headers={IN_WORDS: "1"})


async def _end(send: Send) -> None:
    """End an answer that has begun, if its declared length allows that; otherwise the connection is cut."""
    try:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except RuntimeError:
        log.debug("an answer ended before its length")


def is_mistake(error: BaseException) -> bool:
    """Return whether an exception means that the request was malformed or the client has gone."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_mistake(each) for each in error.exceptions)
    if isinstance(error, HTTPException | ClientDisconnect | FnIndexInferError | ConnectionError | httpx.InvalidURL):
        return True
    if isinstance(error.__cause__ or error.__context__, HTTPException):  # after an answer has begun
        return True
    return isinstance(error, _MISTAKES) and not _is_ours(error)


def _is_ours(error: BaseException) -> bool:
    """Return whether the studio's own code raised it; `sessions`, used as Gradio's dictionaries, does not count."""
    raised_in = ""
    trace: Any = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        raised_in = raised_in if name == sessions.__file__ else name
        trace = trace.tb_next
    return raised_in.startswith(_PACKAGE)
