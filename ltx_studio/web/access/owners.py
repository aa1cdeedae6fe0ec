"""The owner of a request: the local user, or a browser that is known by its cookie."""

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

from ltx_studio.settings import LOOPBACK
from ltx_studio.studio import LOCAL

COOKIE = "ltx_studio_owner"
HEADER = b"ltx-studio-owner"
"""The owner's header for scripts: cookies of their own would replace those of a login."""

FORWARDED = {b"forwarded", b"via", b"x-real-ip"}

COOKIE_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie."""

_WELL_FORMED = re.compile(r"[0-9a-f]{32}")


class Owners:
    """The owners of one page.

    Attributes:
        apart: Whether each browser has its own jobs, takes and uploads. Where only this machine can open the page,
            there is one owner, the same as the command line's; the launching code sets this.
        guarded: Whether, where they are apart, a password is required.
        at_home: Whether, where they are apart, a browser on this machine still is the command line's owner. Not where a
            tunnel or a host's own proxy forwards the visitors, who then all seem to be local.
    """

    def __init__(self) -> None:
        self.apart = True
        self.guarded = False
        self.at_home = False
        self.home = secrets.token_hex(16)
        """Stands for a cookie in requests from this machine; it is never sent out."""

    def of(self, request: gr.Request) -> str:
        """Return a request's owner. The cookie is a secret; only its hash is stored and shown."""
        return self._of(request.cookies.get(COOKIE) or str(request.session_hash))  # without our middleware, the tab

    def of_scope(self, scope: Scope) -> str:
        """Return the owner of a request that has passed `GiveCookie`."""
        return self._of(Request(scope).cookies.get(COOKIE, ""))

    def _of(self, secret: str) -> str:
        if not self.apart or (self.at_home and secrets.compare_digest(secret.encode(), self.home.encode())):
            return LOCAL
        return hashlib.sha256(secret.encode()).hexdigest()[:16]

    def comes_from_home(self, scope: Scope) -> bool:
        """Return whether this machine itself makes the request, not a proxy that forwards for others."""
        names = {name for name, _ in scope["headers"]}
        is_forwarded = names & FORWARDED or any(name.startswith(b"x-forwarded-") for name in names)
        return self.at_home and not is_forwarded and bool(scope["client"]) and is_loopback(scope["client"][0])


class GiveCookie:
    """ASGI middleware that gives clients without a cookie one, which already counts for this request."""

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
            await self._app(
                _with_cookie(scope, owner), receive, _giving(owner, send, over_tls=scope["scheme"] == "https")
            )


def _giving(owner: str, send: Send, *, over_tls: bool) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = f"{COOKIE}={owner}; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; {_where(over_tls=over_tls)}"
            message["headers"] = [*message.get("headers", []), (b"set-cookie", said.encode())]
        await send(message)

    return send_with_cookie


def _where(*, over_tls: bool) -> str:
    """Return the cookie's attributes that say on which pages a browser sends it.

    A Space is shown in another site's frame, where browsers refuse cookies without these attributes, which require TLS.
    Elsewhere the page may be opened without TLS. Behind a proxy the request's scheme is the one that a trusted proxy
    forwards (`front.believing`).
    """
    if os.environ.get("SPACE_ID"):
        return "SameSite=None; Secure; Partitioned"
    return "SameSite=Lax; Secure" if over_tls else "SameSite=Lax"


def _with_cookie(scope: Scope, owner: str) -> Scope:
    """Return the request with this owner's cookie added; of two cookies with the same name, the last counts."""
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    kept = [value for name, value in scope["headers"] if name == b"cookie"]
    own = f"{COOKIE}={owner}".encode()
    return {**scope, "headers": [*others, (b"cookie", b"; ".join([*kept, own]))]}


def is_loopback(host: str | None) -> bool:
    """Return whether only this machine can reach a server that listens at `host`."""
    if host in (None, "", "localhost", LOOPBACK):
        return True
    try:
        return ip_address(str(host).strip("[]")).is_loopback
    except ValueError:
        return False


def _owner_in(scope: MutableMapping[str, Any]) -> bool:
    """Return whether the request has a well-formed owner cookie."""
    cookies = (cookie_parser(value.decode("latin-1")) for name, value in scope["headers"] if name == b"cookie")
    return any(_WELL_FORMED.fullmatch(each.get(COOKIE, "")) for each in cookies)


def _named_in(scope: Scope) -> str | None:
    """Return the owner that a script sends in `HEADER`, or None if it is malformed or missing."""
    named = next((value.decode("latin-1") for name, value in scope["headers"] if name == HEADER), "")
    return named if _WELL_FORMED.fullmatch(named) else None
