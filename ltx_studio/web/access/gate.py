"""The password in front of a page that others can reach: without it, only the login page answers."""

import asyncio
import hashlib
import random
import secrets
import socket
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from ipaddress import IPv6Address, ip_address, ip_network
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio import limits
from ltx_studio.text.catalogue import language
from ltx_studio.web import words
from ltx_studio.web.access.bodies import BodyError, read_whole
from ltx_studio.web.files import asset

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""The characters of passwords, without those that look alike."""

STATIC = "/favicon.ico", "/static/fonts/"
"""Paths that the login page itself needs."""

LOGIN_SECONDS = 5.0
"""How long a login's request may take to arrive."""

FREE_GUESSES, WAIT_SECONDS, MOST_WAITING = 3, 1.0, 8
"""Wrong guesses of an address before the next one waits, how long it waits, and how many may wait at once. When one
more arrives, a random waiting one is dropped: a client that knows the password has the same chance as the others."""

MOST_ADDRESSES = 4096

GUESSES_A_SECOND, GUESSES_AT_ONCE = 5.0, 20
"""Guesses that are checked a second, of all addresses together, and how many may arrive at once before each waits."""

MOST_QUEUED = 50
"""Guesses of all addresses that may wait at once: none waits longer than `MOST_QUEUED` / `GUESSES_A_SECOND` seconds."""


def make_password() -> str:
    """Return a random password of three groups of four characters: 59 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def check_of(password: str) -> Callable[[str, str], bool]:
    """Return a function for Gradio's ``auth`` that checks the password and ignores the name."""
    wanted = hashlib.sha256(password.encode()).digest()

    def check(_: str, given: str) -> bool:
        return secrets.compare_digest(hashlib.sha256(given.encode(errors="replace")).digest(), wanted)

    return check


def own_addresses() -> list[str]:
    """Return the IPv4 addresses at which others in the network may reach this machine, the likeliest first."""
    found: list[str] = []
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only finds out which of our addresses would be used
        found.append(probe.getsockname()[0])
    with suppress(OSError):
        found += [str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    return [each for each in dict.fromkeys(found) if not ip_address(each).is_loopback]


@dataclass
class _Guesser:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[asyncio.Event] = field(default_factory=list)
    wrong: int = 0


class TooManyError(Exception):
    """A guess was dropped because too many wait."""


class _Bucket:
    """A token bucket, `GUESSES_A_SECOND` after `GUESSES_AT_ONCE`, for which at most `MOST_QUEUED` guesses wait."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._next = clock, clock() - GUESSES_AT_ONCE / GUESSES_A_SECOND
        self._waiting: dict[asyncio.Event, float] = {}

    def take(self, dropped: asyncio.Event) -> float:
        """Take a token, and return in how many seconds it may be used.

        Args:
            dropped: Set when another guess takes the token.
        """
        now = self._clock()
        self._waiting = {event: at for event, at in self._waiting.items() if at > now and not event.is_set()}
        if len(self._waiting) >= MOST_QUEUED:
            victim = random.choice(list(self._waiting))
            victim.set()
            at = self._waiting.pop(victim)
        else:
            self._next = max(self._next, now - GUESSES_AT_ONCE / GUESSES_A_SECOND) + 1 / GUESSES_A_SECOND
            at = self._next
        self._waiting[dropped] = at
        return max(0.0, at - now)


class Throttle:
    """Delays password guesses, which Gradio answers as fast as it can.

    The guesses of an address are checked one after another, and after a few wrong ones each waits. Those of all
    addresses together are checked at a limited rate, so that many addresses gain little. Addresses that have guessed
    wrong too often share a separate rate: a client from another address that knows the password does not wait behind
    them.

    Args:
        sleep: Waits for a number of seconds.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._fresh, self._suspect = _Bucket(clock), _Bucket(clock)
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[_Guesser]:
        """Wait for this address's turn, and hold it: no other guess of the address is checked meanwhile.

        Raises:
            TooManyError: Too many guesses wait, and this one was dropped.
        """
        guesser, dropped = self._guesser(address), asyncio.Event()
        if len(guesser.waiting) >= MOST_WAITING:
            guesser.waiting.pop(random.randrange(len(guesser.waiting))).set()
        guesser.waiting.append(dropped)
        try:
            await _unless(dropped, guesser.lock.acquire())
        finally:
            if dropped in guesser.waiting:
                guesser.waiting.remove(dropped)
        try:
            is_suspect = guesser.wrong >= FREE_GUESSES
            wait = (self._suspect if is_suspect else self._fresh).take(dropped)
            if is_suspect or wait:
                await _unless(dropped, self._sleep(max(wait, WAIT_SECONDS if is_suspect else 0.0)))
            yield guesser
        finally:
            guesser.lock.release()

    def _guesser(self, address: str) -> _Guesser:
        guesser = self._guessers.setdefault(network_of(address), _Guesser())
        self._guessers.move_to_end(network_of(address))
        if len(self._guessers) > MOST_ADDRESSES:
            self._guessers.popitem(last=False)
        return guesser


async def _unless(dropped: asyncio.Event, work: Awaitable[object]) -> None:
    """Wait for `work` to be done.

    Raises:
        TooManyError: `dropped` was set first.
    """
    working, dropping = asyncio.ensure_future(work), asyncio.ensure_future(dropped.wait())
    try:
        await asyncio.wait({working, dropping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TooManyError
        await working
    finally:
        working.cancel()
        dropping.cancel()


def network_of(address: str) -> str:
    """Return the /64 network of an IPv6 address, whose owner has all 2**64 of them; other addresses unchanged."""
    with suppress(ValueError):
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
            return str(ip_network((parsed, 64), strict=False))
    return address


class Gate:
    """ASGI middleware in front of Gradio's own login.

    Gradio 6.31 shows the names of all endpoints to anyone who opens its login page, leaves a dozen routes open
    (``/gradio_api/cancel``, ``/stream``, ``/vibe-edit`` …), and asks for a user name as well.

    Args:
        app: Gradio's app.
        throttle: Delays guesses.
        seconds: How long a login's request may take to arrive.
    """

    def __init__(self, app: ASGIApp, throttle: Throttle, seconds: float = LOGIN_SECONDS) -> None:
        self._app, self._throttle, self._seconds = app, throttle, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or _may_pass(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            answer = await self._answer(Request(scope, receive))
            await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response | ASGIApp:
        path = request.url.path.rstrip("/")
        if request.method in ("GET", "HEAD") and not path:
            return login_page()
        if request.method in ("GET", "HEAD") and path == "/login":  # where a browser is after a wrong guess
            return RedirectResponse("./", status_code=303)
        if request.method == "POST" and path == "/login":
            return await self._log_in(request)
        return JSONResponse({"detail": {"error": "Not authenticated"}}, status_code=401)

    async def _log_in(self, request: Request) -> Response | ASGIApp:
        is_browser = "text/html" in request.headers.get("accept", "")
        try:  # before the turn, so that nobody waits for a slow request
            body = await read_whole(request.receive, limits.LOGIN_BODY, self._seconds)
        except BodyError as error:
            return JSONResponse({"detail": error.text}, error.status, {"connection": "close"})
        try:
            async with self._throttle.turn(request.client.host if request.client else "") as guesser:
                said = await _said(self._app, request, body)
                good = said[0]["status"] == 200
                guesser.wrong = 0 if good else guesser.wrong + 1
        except TooManyError:
            if is_browser:
                return login_page(words.TOO_MANY_GUESSES, status=429)
            return JSONResponse({"detail": words.TOO_MANY_GUESSES}, status_code=429)
        if not is_browser:
            return _repeat(said)
        if not good:
            return login_page(words.WRONG_PASSWORD, status=401)
        answer = RedirectResponse("./", status_code=303)
        answer.raw_headers += [(name, value) for name, value in said[0]["headers"] if name == b"set-cookie"]
        return answer


def login_page(problem: str = "", *, status: int = 200) -> HTMLResponse:
    """Return the login page: one field, one button, and a problem if there is one. It needs no script or other file."""
    page = _template().substitute(
        language=language(),
        title=escape(words.TITLE),
        label=escape(words.PASSWORD),
        told=escape(problem or words.PASSWORD_HELP),
        role='role="alert"' if problem else "",
        open=escape(words.OPEN_PAGE),
        style=asset("login.css"),
    )
    return HTMLResponse(page, status_code=status, headers={"Cache-Control": "no-store"})


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template(asset("login.html"))


def _may_pass(scope: Scope) -> bool:
    """Return whether the client has logged in, or the path is open to everybody."""
    app, path = scope["app"], scope["path"]
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path.startswith(STATIC):
        return True
    if path == "/gradio_api/startup-events" and not app.startup_events_triggered:
        return True  # Gradio's launch requests it, before anybody knows the address
    cookies = Request({**scope, "type": "http"}).cookies
    tokens = (cookies.get(f"access-token{kind}-{app.cookie_id}") for kind in ("", "-unsecure"))
    return any(token in app.tokens for token in tokens if token)


async def _said(app: ASGIApp, request: Request, body: bytes) -> list[Message]:
    """Return the app's whole answer to a request whose body has been read."""
    messages: list[Message] = []
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return unread.pop() if unread else await request.receive()

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(request.scope, receive, keep)
    return messages


def _repeat(messages: list[Message]) -> ASGIApp:
    async def answer(_: Scope, __: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return answer
