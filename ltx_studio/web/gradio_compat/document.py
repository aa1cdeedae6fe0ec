"""Puts the studio's own head into Gradio's page as it is served: styles, scripts, icon and social card.

Gradio's option `head` is inserted by its script, after it has drawn the page once without our styles, and its page
names Gradio in the social card. Remove this when Gradio serves `head` within the page, and `og:title` from `title`.
"""

import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio.text.catalogue import ENGLISH, language

_CONFIG = b"<script>window.gradio_config"
"""What begins Gradio's configuration, which may hold any text."""
_CARD = re.compile(rb'\s*<meta\s[^>]*(?:property|name)="(?:og|twitter):[^>]*>')
_LANGUAGE = b'lang="%s"'
_HTML = b"text/html"


class Document:
    """ASGI middleware that replaces the social card and the language of Gradio's page, and adds `head` to it."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self._app, self._head = app, head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        started: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal started, body
            if message["type"] == "http.response.start" and _is_page(dict(message.get("headers", ()))):
                started = message
            elif started and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._send(started, body, send)
            else:
                await send(message)

        await self._app(scope, receive, collect)

    async def _send(self, started: Message, body: bytes, send: Send) -> None:
        body = with_head(body, self._head, language())
        headers = [(name, value) for name, value in started["headers"] if name.lower() != b"content-length"]
        await send({**started, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})


def with_head(page: bytes, head: bytes, code: str = ENGLISH) -> bytes:
    """Return Gradio's page in a language, with our head before its configuration; any other page as it is."""
    begin, config, rest = page.partition(_CONFIG)
    begin = begin.replace(_LANGUAGE % ENGLISH.encode(), _LANGUAGE % code.encode(), 1)
    return _CARD.sub(b"", begin) + head + config + rest if config else page


def _is_page(headers: dict[bytes, Any]) -> bool:
    return headers.get(b"content-type", b"").startswith(_HTML) and b"content-encoding" not in headers
