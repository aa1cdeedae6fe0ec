"""Ask an ASGI app directly: a request with any headers, in any parts, and what it answers."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = dict[str, str] | Sequence[tuple[str, str]]


@dataclass
class Answer:
    """What was sent back.

    Attributes:
        messages: In their order.
    """

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def text(self) -> str:
        return b"".join(each.get("body", b"") for each in self.messages[1:]).decode()


def scope_of(method: str = "GET", path: str = "/", headers: Headers = (), **changes: Any) -> Scope:
    """A request as a server gives it."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 7860),
    } | changes


async def ask(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    answer = Answer()

    async def send(message: Message) -> None:
        answer.messages.append(message)

    await app(scope, receive, send)
    return answer


async def accept(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer everything: an app that refuses nothing."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"accepted"})


async def empty() -> Message:
    """Receive no body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def in_a_thread(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run `main`; the loop of a browser that the tests drive stays in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, main()).result()
