"""A stand-in of the platform's device API on loopback: it lends a GPU that is not there, or refuses it."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ltx_studio.settings import LOOPBACK


@dataclass(frozen=True)
class Answer:
    """An answer to a request for a GPU: a status with JSON, or events one after another."""

    status: int = 200
    body: Any = None
    events: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0.0
    """Seconds before each event."""


def quota(left: int, wait: float, *headers: tuple[str, str]) -> Answer:
    return Answer(429, {"left": left, "wait": wait}, headers=headers)


NO_GPU_NOW = Answer(503)
NO_GPU_IN_QUEUE = Answer(events=(("ping", {}), ("failed", {})))
EXPIRED = Answer(401)
BROKEN = Answer(500)


@dataclass
class Asked:
    """A request that the API got."""

    path: str
    values: dict[str, str]
    at: float = field(default_factory=time.monotonic)


class DeviceApi:
    """The API, with one GPU for each run at a time.

    Attributes:
        asked: The requests so far.
        answers: What the next requests for a GPU get instead of one, in order; None lends one.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer | None] = []
        self._guard = threading.Lock()
        self._lent: dict[str, int] = {}
        self._used: set[int] = set()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = urlsplit(self.path)
                api._answer(self, asked.path, {name: each[0] for name, each in parse_qs(asked.query).items()})

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, path: str) -> list[dict[str, str]]:
        """Return the values of the requests to a path."""
        return [each.values for each in self.asked if each.path == path]

    def forget(self) -> None:
        self.asked.clear()
        self.answers.clear()

    def lend(self) -> dict[str, Any]:
        """Return the data of a GPU that is free; it is idle if it was lent before."""
        with self._guard:
            index = next(each for each in range(100) if each not in self._lent.values())
            token = f"allow-{len(self._used)}-{time.monotonic_ns()}"
            self._lent[token] = index
            is_idle = index in self._used
            self._used.add(index)
        return {"idle": is_idle, "nvidiaIndex": index, "nvidiaUUID": f"GPU-{index}", "allowToken": token}

    def _answer(self, handler: BaseHTTPRequestHandler, path: str, values: dict[str, str]) -> None:
        self.asked.append(Asked(path, values))
        if path == "/release":
            self._lent.pop(values["allowToken"], None)
        if path != "/schedule":
            _send(handler, Answer())
            return
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            _send(handler, Answer(body=self.lend()))
        elif answer.events:
            _stream(handler, answer, self)
        else:
            _send(handler, answer)


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    handler.send_response(answer.status)
    for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *answer.headers):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _stream(handler: BaseHTTPRequestHandler, answer: Answer, api: DeviceApi) -> None:
    handler.send_response(200)
    for name, value in (("Content-Type", "text/event-stream"), ("Connection", "close"), *answer.headers):
        handler.send_header(name, value)
    handler.end_headers()
    for name, data in answer.events:
        time.sleep(answer.pause)
        found = api.lend() if name == "succeeded" else data
        try:
            handler.wfile.write(f"event: {name}\ndata: {json.dumps(found)}\n\n".encode())
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)  # the client takes each chunk for one event
    handler.close_connection = True
