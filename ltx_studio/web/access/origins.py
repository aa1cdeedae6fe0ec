"""Accepts or refuses requests by their origin, so that no other site acts through a visitor's browser.

A browser sends the host that it believes it is talking to (`Host`), and with a page's request, which page made it
(`Origin`, `Sec-Fetch-Site`). A host that is not the studio's is a name that somebody else pointed at this machine (DNS
rebinding); an origin that is not the request's own host is another site's page. Programs such as curl or
`gradio_client` send neither of the latter two and are accepted.
"""

import os
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ltx_studio.settings import EVERYWHERE, LOOPBACK
from ltx_studio.web import words
from ltx_studio.web.access.gate import own_addresses

SPACE = ".hf.space"
SPACE_FRAMES = ("huggingface.co", ".huggingface.co")
"""The pages that show a Space in a frame."""

DEFAULT_PORTS = {"http": 80, "https": 443}

LONGEST = 262
"""The length of the longest host name, with its final dot and a port."""

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_ORIGIN = re.compile(r"(https?)://([^/?#@]+)", re.IGNORECASE)
_NAMES = {b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"}


@dataclass(frozen=True, slots=True)
class Authority:
    """A host with its port, as browsers send it.

    Attributes:
        name: In lower case; an IP address in its canonical form, without brackets.
        port: None if it was not given.
    """

    name: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Authority | None":
        """Parse `text`; return None if it is malformed."""
        found = _AUTHORITY.fullmatch(text) if len(text) <= LONGEST else None
        if found is None:
            return None
        port = int(found[2]) if found[2] else None
        name = _name_of(found[1])
        return cls(name, port) if name and (port is None or port < 1 << 16) else None

    @property
    def is_loopback(self) -> bool:
        """Return whether it means this machine to every browser, so that nobody can point it elsewhere."""
        address = _address(self.name)
        return self.name == "localhost" if address is None else address.is_loopback


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts at which a server accepts requests.

    Attributes:
        names: Names and addresses besides the loopback ones.
        configured: The names of proxies, whose own requests may come from another host.
        share_url: Returns the address of Gradio's tunnel, which is known only after the launch.
        on_space: Whether the server is a Hugging Face Space.
    """

    names: frozenset[str] = frozenset()
    configured: frozenset[str] = frozenset()
    share_url: Callable[[], str | None] = field(default=lambda: None)
    on_space: bool = False

    @classmethod
    def of_server(
        cls, server_name: str | None, configured: Iterable[str] = (), share_url: Callable[[], str | None] = lambda: None
    ) -> "Hosts":
        """Return the hosts of a server that listens at `server_name`; None means Gradio's choice."""
        bound = (server_name or os.environ.get("GRADIO_SERVER_NAME") or LOOPBACK).strip("[]").lower()
        names = {bound, os.environ.get("SPACE_HOST", "").lower()}
        if bound in (EVERYWHERE, "::"):
            own = socket.gethostname().lower()
            names |= {own, f"{own.partition('.')[0]}.local", *own_addresses()}
        on_space = bool(os.environ.get("SPACE_ID"))
        return cls(frozenset(names - {""}), frozenset(configured), share_url, on_space)

    def allow(self, host: Authority, *, served: str | None = None) -> bool:
        """Return whether browsers may open the page at `host`.

        Args:
            host: The request's host.
            served: This machine's address that the client connected to.
        """
        if host.is_loopback or host.name in self.names or host.name in self.configured:
            return True
        if served and _address(host.name) is not None and host.name == _name_of(served):
            return True  # an address cannot be rebound, and this one is ours
        return self.is_platform(host.name) or self._is_shared(host.name)

    def is_platform(self, name: str) -> bool:
        """Return whether this is a Space and `name` is its own host."""
        return self.on_space and name.endswith(SPACE)

    def frames(self, name: str) -> bool:
        """Return whether pages at `name` may show this one in a frame."""
        own, others = SPACE_FRAMES
        return self.on_space and (name == own or name.endswith(others))

    def _is_shared(self, name: str) -> bool:
        url = self.share_url()
        return bool(url) and urlsplit(url).hostname == name


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    text: str


class Origins:
    """ASGI middleware that refuses requests from other sites' pages, and hosts that are not the server's."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = {"cache-control": "no-store", "connection": "close"}
            await PlainTextResponse(refusal.text, refusal.status, headers)(scope, receive, send)

    def _refusal(self, scope: Scope) -> _Refusal | None:
        told = _told(scope)
        if told is None:
            return _Refusal(400, words.NO_HOST)
        if scope.get("http_version") == "1.0" and not told:
            return None  # older than all of these headers, so not a browser
        host = Authority.parse(told.get(b"host", ""))
        if host is None:
            return _Refusal(400, words.NO_HOST)
        if not self._hosts.allow(host, served=(scope.get("server") or ("",))[0]):
            return _Refusal(421, words.OTHER_HOST.format(host=host.name))
        return None if self._is_from_us(scope, told, host) else _Refusal(403, words.OTHER_SITE)

    def _is_from_us(self, scope: Scope, told: dict[bytes, str], host: Authority) -> bool:
        """Return whether the request is from the studio's own pages, the visitor, or a program other than a browser."""
        origin, site = told.get(b"origin"), told.get(b"sec-fetch-site")
        if origin is not None and not self._is_ours(origin, host):
            return False
        return site in (None, "same-origin", "none") or self._is_frame(origin) or self._opens_page(scope, told)

    def _is_ours(self, origin: str, host: Authority) -> bool:
        """Return whether a page of `origin` is the studio's own when it is open at `host`."""
        scheme, page = _page_of(origin)
        if page is None:
            return False
        usual = DEFAULT_PORTS[scheme]
        if page.name == host.name and (page.port or usual) == (host.port or usual):
            return True
        return page.name in self._hosts.configured or self._hosts.frames(page.name)

    def _is_frame(self, origin: str | None) -> bool:
        """Return whether the request is from the page that shows a Space."""
        _, page = _page_of(origin or "")
        return page is not None and self._hosts.frames(page.name)

    def _opens_page(self, scope: Scope, told: dict[bytes, str]) -> bool:
        """Return whether a link on another site leads a visitor to the page itself, which is harmless to open."""
        path = scope["path"].removeprefix(scope.get("root_path", "")).rstrip("/")
        documents = ("document", "iframe") if self._hosts.on_space else ("document",)
        return (
            scope["type"] == "http"
            and scope["method"] in ("GET", "HEAD")
            and told.get(b"sec-fetch-mode") == "navigate"
            and told.get(b"sec-fetch-dest") in documents
            and path == ""
        )


def _told(scope: Scope) -> dict[bytes, str] | None:
    """Return the headers that matter here, or None if one occurs twice."""
    told: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _NAMES:
            if name in told:
                return None
            told[name] = value.decode("latin-1")
    return told


def _page_of(origin: str) -> tuple[str, Authority | None]:
    """Return the scheme and the host of an origin; no host if it is malformed, or ``null``."""
    found = _ORIGIN.fullmatch(origin)
    return (found[1].lower(), Authority.parse(found[2])) if found else ("", None)


@lru_cache(maxsize=256)  # parsing the host was most of a request's cost here
def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _name_of(host: str) -> str:
    """Return a host in the canonical form for comparisons; empty if it is malformed."""
    address = _address(host.strip("[]"))
    if address is None:
        return "" if host.startswith("[") else host.lower().removesuffix(".")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
