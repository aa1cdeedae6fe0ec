"""Whose a request is: everybody's who sits at this machine, or of one browser, which carries a cookie."""

import hashlib
import os
import re
import secrets
from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import Any

import gradio as gr
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio.queue import LOCAL
from ltx_studio.settings import LOOPBACK

COOKIE = "ltx_studio_owner"
HEADER = b"ltx-studio-owner"
"""Says the same for scripts, whose own cookies would push out those of a login."""

FORWARDED = {b"forwarded", b"via", b"x-real-ip"}

COOKIE_SECONDS = 400 * 24 * 3600
"""As long as browsers keep one."""

_WELL_FORMED = re.compile(r"[0-9a-f]{32}")


class Owners:
    """Of one page.

    Attributes:
        apart: Whether each browser has its own jobs, takes and uploads. Where only this machine can open the page,
            there is one owner, who is that of the command line as well; it is for whoever launches to know that.
        guarded: Whether a password is asked for where they are apart.
        at_home: Whether, where they are apart, a browser on this machine is the command line's owner all the same. Not
            where a tunnel or a host's own proxy brings the visitors, who then all seem to sit here.
    """

    def __init__(self) -> None:
        self.apart = True
        self.guarded = False
        self.at_home = False
        self.home = secrets.token_hex(16)
        """Stands for a cookie in requests from this machine; it is never told."""

    def of(self, request: gr.Request) -> str:
        """The owner that asks. The cookie is a secret; what is stored and told of the owner is its hash."""
        return self._of(request.cookies.get(COOKIE) or str(request.session_hash))  # without our middleware: one tab

    def of_scope(self, scope: Scope) -> str:
        """The owner of a request that `GiveCookie` has let through."""
        return self._of(Request(scope).cookies.get(COOKIE, ""))

    def _of(self, secret: str) -> str:
        if not self.apart or (self.at_home and secrets.compare_digest(secret.encode(), self.home.encode())):
            return LOCAL
        return hashlib.sha256(secret.encode()).hexdigest()[:16]

    def comes_from_home(self, scope: Scope) -> bool:
        """Whether this machine itself asks, and nobody who forwards for others."""
        names = {name for name, _ in scope["headers"]}
        is_forwarded = names & FORWARDED or any(name.startswith(b"x-forwarded-") for name in names)
        return self.at_home and not is_forwarded and bool(scope["client"]) and is_loopback(scope["client"][0])


class GiveCookie:
    """ASGI middleware: whoever comes without a cookie gets one, which already counts for this request."""

    def __init__(self, app: ASGIApp, owners: Owners) -> None:
        self._app, self._owners = app, owners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._owners.apart:
            await self._app(scope, receive, send)
        elif self._owners.comes_from_home(scope):
            await self._app(_with_cookie(scope, self._owners.home), receive, send)
        elif named := _named_in(scope):
            await self._app(_with_cookie(scope, named), receive, send)
        elif _owner_in(scope):
            await self._app(scope, receive, send)
        else:
            owner = secrets.token_hex(16)
            await self._app(_with_cookie(scope, owner), receive, _giving(owner, send))


def _giving(owner: str, send: Send) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = f"{COOKIE}={owner}; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; {_where()}"
            message["headers"] = [*message.get("headers", []), (b"set-cookie", said.encode())]
        await send(message)

    return send_with_cookie


def _where() -> str:
    """On which pages a browser sends the cookie. A Space is shown within a frame of another site, where browsers
    refuse all but cookies that say so, which have to come by TLS."""
    return "SameSite=None; Secure; Partitioned" if os.environ.get("SPACE_ID") else "SameSite=Lax"


def _with_cookie(scope: Scope, owner: str) -> Scope:
    """The request as if it had brought this owner; of two cookies of a name, the last counts."""
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    kept = [value for name, value in scope["headers"] if name == b"cookie"]
    own = f"{COOKIE}={owner}".encode()
    return {**scope, "headers": [*others, (b"cookie", b"; ".join([*kept, own]))]}


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


def _named_in(scope: Scope) -> str | None:
    """The owner that a script names."""
    named = next((value.decode("latin-1") for name, value in scope["headers"] if name == HEADER), "")
    return named if _WELL_FORMED.fullmatch(named) else None
