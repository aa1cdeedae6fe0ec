"""Whose a request is: everybody's who sits at this machine, or of one browser, which carries a cookie."""

import hashlib
import re
import secrets
from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import Any

import gradio as gr
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio.jobs import LOCAL
from ltx_studio.settings import LOOPBACK

COOKIE = "ltx_studio_owner"
COOKIE_SECONDS = 400 * 24 * 3600
"""As long as browsers keep one."""

_WELL_FORMED = re.compile(r"[0-9a-f]{32}")


class Owners:
    """Of one page.

    Attributes:
        apart: Whether each browser has its own jobs, takes and uploads. Where only this machine can open the page,
            there is one owner, who is that of the command line as well; it is for whoever launches to know that.
    """

    def __init__(self) -> None:
        self.apart = True

    def of(self, request: gr.Request) -> str:
        """The owner that asks. The cookie is a secret; what is stored and told of the owner is its hash."""
        if not self.apart:
            return LOCAL
        secret = request.cookies.get(COOKIE) or str(request.session_hash)  # launched without our middleware: one tab
        return hashlib.sha256(secret.encode()).hexdigest()[:16]


class GiveCookie:
    """ASGI middleware: whoever comes without a cookie gets one, which already counts for this request."""

    def __init__(self, app: ASGIApp, owners: Owners) -> None:
        self._app, self._owners = app, owners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._owners.apart or _owner_in(scope):
            await self._app(scope, receive, send)
            return
        owner = secrets.token_hex(16)
        others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        kept = [value for name, value in scope["headers"] if name == b"cookie"]
        own = f"{COOKIE}={owner}".encode()
        scope = {**scope, "headers": [*others, (b"cookie", b"; ".join([*kept, own]))]}

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = f"{COOKIE}={owner}; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
                message["headers"] = [*message.get("headers", []), (b"set-cookie", said.encode())]
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def is_loopback(host: str | None) -> bool:
    """Whether only this machine can reach a server that listens at `host`."""
    if host in (None, "", "localhost", LOOPBACK):
        return True
    try:
        return ip_address(str(host).strip("[]")).is_loopback
    except ValueError:
        return False


def _owner_in(scope: MutableMapping[str, Any]) -> bool:
    """Whether the request carries an owner that we may have given."""
    cookies = (cookie_parser(value.decode("latin-1")) for name, value in scope["headers"] if name == b"cookie")
    return any(_WELL_FORMED.fullmatch(each.get(COOKIE, "")) for each in cookies)
