"""Answers clients when something goes wrong, and logs tracebacks of the studio's own faults only.

Gradio 6.31 prints a traceback to the terminal, with what the client sent, for each exception of an event, and uvicorn
prints one for each exception of a route; most are caused by clients that send nonsense.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
from gradio.route_utils import FnIndexInferError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import ltx_studio
from ltx_studio.errors import StudioError
from ltx_studio.logs import keep_in_log
from ltx_studio.web import words
from ltx_studio.web.gradio_compat import sessions
from ltx_studio.web.hints import hint_of

log = logging.getLogger(__name__)

_PACKAGE = str(Path(ltx_studio.__file__).parent)
_MISTAKES = (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, RecursionError)
"""The exceptions that Gradio's routes raise for a request that they cannot interpret."""


def as_gradio_error(error: StudioError) -> gr.Error:
    """Return the error in Gradio's form, which browsers and clients show."""
    return gr.Error(f"{error.message} {hint_of(error)}", title=error.code, print_exception=False)


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


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Turn any exception of an event into a `gr.Error`, and log the traceback of unexpected ones.

    Args:
        what: The event's name, for the log.

    Raises:
        gr.Error: The event raised an exception.
    """
    try:
        yield
    except gr.Error as error:
        error.print_exception = False
        raise
    except StudioError as error:
        raise as_gradio_error(error) from None
    except Exception as error:
        log.exception("%s could not be answered", what)
        said = words.UNFORESEEN.format(kind=type(error).__name__)
        raise gr.Error(f"{said} {words.UNFORESEEN_HINT}", title="execution", print_exception=False) from None


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
                detail, status = (words.NOT_UNDERSTOOD, 400) if mistake else (words.UNANSWERED, 500)
                await JSONResponse({"detail": detail}, status_code=status)(scope, receive, send)
            elif not is_over:
                await _end(send)


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
