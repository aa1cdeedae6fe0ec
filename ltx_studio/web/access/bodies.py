"""Limits how large a request may be and how long it may take to arrive."""

import asyncio
import re
import time
from contextlib import suppress

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio import limits
from ltx_studio.limits import Limit
from ltx_studio.text.catalogue import translated
from ltx_studio.text.formatting import in_bytes
from ltx_studio.web import words
from ltx_studio.web.access.guard import UPLOAD
from ltx_studio.web.access.multipart import FieldError, UploadFields
from ltx_studio.web.gradio_compat.frontend_patch import IN_WORDS

CHUNK_SECONDS = 30.0
"""Timeout for the next part of a request."""

UPLOAD_CHUNK_SECONDS = 120.0
SLOWEST = 4096
"""Bytes a second that a request must average once `CHUNK_SECONDS` have passed."""

DRAIN_SECONDS = 2.0
LARGE = 413
_TEXTS = re.compile(rb'"[^"]*+(?:"|\Z)')
DISCONNECT: Message = {"type": "http.disconnect"}


class BodyError(Exception):
    """A request's body is refused.

    Attributes:
        status: The status of the HTTP answer.
        text: The message in the answer.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Bodies:
    """ASGI middleware that refuses bodies that are too slow, or too large by their declared or actual size.

    It also limits the number of values in a JSON body before anything parses them, and the size of an upload's fields:
    Gradio would hold both in memory.

    Args:
        app: The wrapped app.
        seconds: Timeout for the next part of a body.
        upload_seconds: Timeout for the next part of an upload.
    """

    def __init__(
        self, app: ASGIApp, *, seconds: float = CHUNK_SECONDS, upload_seconds: float = UPLOAD_CHUNK_SECONDS
    ) -> None:
        self._app, self._seconds, self._upload_seconds = app, seconds, upload_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].rstrip("/") == UPLOAD
        limit = limits.UPLOAD_BODY if is_upload else limits.REQUEST_BODY
        seconds = self._upload_seconds if is_upload else self._seconds
        body = _Upload(receive, limit, seconds, scope) if is_upload else _Values(receive, limit, seconds)
        answer = _Answer(scope, receive, send)
        try:
            check_declared(scope, limit)
        except BodyError as error:
            await answer.refuse(error)
            return

        async def receive_limited() -> Message:
            if answer.refused:
                return DISCONNECT
            try:
                return await body.receive()
            except BodyError as error:
                await answer.refuse(error)
                return DISCONNECT

        try:
            await self._app(scope, receive_limited, answer.send)
        except Exception:
            if not answer.refused:  # otherwise the app only reports that the client has gone
                raise


class _Body:
    """A request's body while it arrives."""

    def __init__(self, receive: Receive, limit: Limit, seconds: float) -> None:
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._size, self._waited, self._is_whole = 0, 0.0, False

    async def receive(self) -> Message:
        """Return the next part.

        Raises:
            BodyError: The body is too large, or the part does not arrive in time.
        """
        if self._is_whole:
            return await self._receive()
        left = self._seconds + self._size / SLOWEST - self._waited
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._seconds, left)):
                message = await self._receive()
        except TimeoutError:
            raise BodyError(408, words.SLOW_REQUEST) from None
        self._waited += time.monotonic() - began
        self._size += len(message.get("body", b""))
        _check(self._size, self._limit)
        self._is_whole = not message.get("more_body", False)
        return message


class _Upload(_Body):
    """An upload, passed on while it arrives."""

    def __init__(self, receive: Receive, limit: Limit, seconds: float, scope: Scope) -> None:
        super().__init__(receive, limit, seconds)
        self._fields = UploadFields(next((value for name, value in scope["headers"] if name == b"content-type"), b""))

    async def receive(self) -> Message:
        message = await super().receive()
        try:
            self._fields.feed(message.get("body", b""))
        except FieldError:
            raise BodyError(LARGE, _too_large(limits.UPLOAD_FIELD)) from None
        return message


class _Values(_Body):
    """Any other body, passed on once it is complete and has no more values than the limit."""

    def __init__(self, receive: Receive, limit: Limit, seconds: float) -> None:
        super().__init__(receive, limit, seconds)
        self._passed = False

    async def receive(self) -> Message:
        if self._passed:
            return await super().receive()
        body = bytearray()
        while True:
            message = await super().receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            if not message.get("more_body", False):
                self._passed = True
                if count_values(body, limits.REQUEST_VALUES.most) > limits.REQUEST_VALUES.most:
                    most = f"{limits.REQUEST_VALUES.most:,} {limits.REQUEST_VALUES.unit}"
                    raise BodyError(
                        LARGE, f"{words.MANY_VALUES.format(most=most)} {translated(limits.REQUEST_VALUES.hint)}"
                    )
                return {"type": "http.request", "body": bytes(body), "more_body": False}


def count_values(body: bytes | bytearray, most: int) -> int:
    """Return an upper bound of the number of values in a JSON text; above `most`, marks within strings do not count."""
    count = _count_marks(body)
    if count <= most:
        return count
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return _count_marks(_TEXTS.sub(b"", plain))


def _count_marks(body: bytes | bytearray) -> int:
    return 1 + body.count(b",") + body.count(b"[") + body.count(b"{")


class _Answer:
    """The answer to the client: the app's, or a refusal in its place."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._has_begun = False
        self.refused = False

    async def send(self, message: Message) -> None:
        """Pass on the app's answer, unless the request was refused."""
        if not self.refused:
            self._has_begun = True
            await self._send(message)

    async def refuse(self, error: BodyError) -> None:
        """Answer with the error, if the app has not begun to answer, and close the connection."""
        self.refused = True
        if self._has_begun:
            return
        answer = JSONResponse({"detail": error.text}, error.status, {"connection": "close", IN_WORDS: "1"})

        async def send(message: Message) -> None:
            is_end = message["type"] == "http.response.body"
            if (
                is_end and error.status == LARGE
            ):  # closing the connection while the client still sends would lose the answer
                await self._send({**message, "more_body": True})
                await self._drain()
                message = {"type": "http.response.body", "body": b""}
            await self._send(message)

        await answer(self._scope, self._receive, send)

    async def _drain(self) -> None:
        """Read a little more, so that a client that sends before it reads gets the answer."""
        left = limits.REQUEST_BODY.most
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


async def read_whole(receive: Receive, limit: Limit, seconds: float) -> bytes:
    """Return a whole body.

    Args:
        receive: The request's ASGI receive function.
        limit: The largest size.
        seconds: Timeout for the whole body.

    Raises:
        BodyError: The body is too large or takes too long, or the client has disconnected.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyError(400, words.SLOW_REQUEST)
                body += message.get("body", b"")
                _check(len(body), limit)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise BodyError(408, words.SLOW_REQUEST) from None


def check_declared(scope: Scope, limit: Limit) -> None:
    """Refuse a body by its Content-Length header.

    Raises:
        BodyError: The length is too large or malformed.
    """
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise BodyError(400, "The Content-Length header is not a number.")
            _check(int(value[:20]), limit)


def _check(size: int, limit: Limit) -> None:
    if size > limit.most:
        raise BodyError(LARGE, _too_large(limit))


def _too_large(limit: Limit) -> str:
    return f"{words.LARGE_REQUEST.format(most=in_bytes(limit.most))} {translated(limit.hint)}"


def _has_body(scope: Scope) -> bool:
    """Return whether a body may follow. Most requests have none, and cost nothing here."""
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        return True
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
