"""A Hugging Face hub on loopback, over real HTTP: repositories, commits, a CDN of its own, gates, and faults on order.

It answers as huggingface.co does: HEAD and GET of ``/{repo}/resolve/{revision}/{path}`` carry the commit, the etag
(the sha256) and the size, and send one on to the CDN, which knows ranges. For what is in Xet too, they carry its Xet
hash and the address of the tokens; the storage itself is a folder, which `hf_xet` reads as ``local://``.
"""

import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

BLOCK = 1 << 16


def safetensors(size: int, seed: int = 0) -> bytes:
    """A whole safetensors file of exactly `size` bytes, with noise in it."""
    blank = len(json.dumps({"weight": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}})) + 32
    count = size - 8 - blank
    header = json.dumps({"weight": {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}}).encode()
    header += b" " * (blank - len(header))
    return len(header).to_bytes(8, "little") + header + np.random.default_rng(seed).bytes(count)


@dataclass
class Fault:
    """What goes wrong with the CDN's next answers, or the hub's, to requests for `path`.

    Attributes:
        status: Answer this instead of the file.
        headers: Along with the answer, in place of those of the same name.
        cut: Close the connection after this many bytes.
        short: Say that there are only this many bytes, and send them.
        flip: Change the byte at this offset.
        whole: Ignore the range that was asked for.
        partial: Answer with a range although none was asked for.
        extra: Send this after the contents.
        wait: Send no more after `cut` bytes, but keep the connection until this is set.
        late: Seconds before `status` is answered.
        times: How often.
        at: ``hub`` or ``cdn``.
        method: ``GET`` or ``HEAD``; any when empty.
    """

    path: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    short: int | None = None
    flip: int | None = None
    whole: bool = False
    partial: bool = False
    extra: bytes = b""
    wait: threading.Event | None = None
    late: float = 0.0
    times: int = 1
    at: str = "cdn"
    method: str = ""


@dataclass
class Request:
    """One request that came, and how many bytes of contents went out for it."""

    method: str
    path: str
    range: str
    token: str
    sent: int = 0


class _Server(ThreadingHTTPServer):
    """Does not mind a client that goes away."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Repo:
    commit: str
    files: dict[str, bytes]
    gate: str = ""
    """The token that it wants."""

    refused: bool = False
    """Whether the token's owner has not agreed to the terms."""


class LoopbackHub:
    """The hub and its CDN, on two ports."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.xet: dict[str, str] = {}
        """The Xet hashes of the blobs that are in Xet."""
        self.xet_storage = ""
        """The address of Xet's storage."""
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._servers = [_Server(("127.0.0.1", 0), _handler(self, role)) for role in ("hub", "cdn")]
        self.url, self.cdn = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)

    def put(self, repo: str, path: str, contents: bytes, **settings: Any) -> str:
        """Commit a file; gives its sha256."""
        old = self.repos.get(repo)
        files = {**(old.files if old else {}), path: contents}
        tree = "".join(f"{name} {hashlib.sha256(body).hexdigest()}" for name, body in sorted(files.items()))
        previous = old.commit if old else ""
        commit = hashlib.sha1(f"{previous}{tree}".encode(), usedforsecurity=False).hexdigest()
        self.repos[repo] = Repo(commit, files, **settings)
        digest = hashlib.sha256(contents).hexdigest()
        self.blobs[digest] = contents
        return digest

    def put_into_xet(self, contents: bytes, store: Path) -> str:
        """Put what has been committed into Xet too, in the folder `store`; give its Xet hash."""
        from hf_xet import XetSession

        self.xet_storage = f"local://{store}/"
        store.mkdir(parents=True, exist_ok=True)
        commit = XetSession().new_upload_commit(endpoint=self.xet_storage)
        upload = commit.start_upload_bytes(contents)
        commit.wait_to_finish()
        found: str = upload.result().xet_info.hash
        self.xet[hashlib.sha256(contents).hexdigest()] = found
        return found

    def fail(self, path: str, **what: Any) -> Fault:
        fault = Fault(path, **what)
        with self._lock:
            self.faults.append(fault)
        return fault

    def sent(self, path: str = "") -> int:
        """Bytes of contents that went out for files whose path ends so."""
        return sum(request.sent for request in self.requests if request.path.endswith(path))

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    def next_fault(self, role: str, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.at == role and fault.times > 0 and path.endswith(fault.path) and fault.method in ("", method):
                    fault.times -= 1
                    return fault
        return None

    @contextmanager
    def running(self) -> Iterator["LoopbackHub"]:
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in self._servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for fault in self.faults:
                if fault.wait is not None:
                    fault.wait.set()
            for server in self._servers:
                server.shutdown()
                server.server_close()


def _handler(hub: LoopbackHub, role: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            asked = self.headers.get("Range", ""), self.headers.get("Authorization", "")
            request = Request(self.command, unquote(self.path), *asked)
            hub.requests.append(request)
            fault = hub.next_fault(role, self.command, request.path)
            if fault is not None and fault.status:
                time.sleep(fault.late)
                self._say(fault.status, fault.headers)
            elif role == "hub":
                self._resolve(request)
            else:
                self._send_blob(request, fault or Fault(""))

        def _resolve(self, request: Request) -> None:
            if re.fullmatch(r"/api/models/[^/]+/[^/]+/xet-read-token/[^/]+", request.path):
                self._give_token()
                return
            found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", request.path)
            repo = hub.repos.get(found.group(1)) if found else None
            if found is None or repo is None:
                self._say(401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
            elif repo.gate and request.token != f"Bearer {repo.gate}":
                self._say(401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted."})
            elif repo.refused:
                self._say(403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "You are not in the authorized list."})
            elif found.group(3) not in repo.files:
                self._say(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repo.commit})
            else:
                contents = repo.files[found.group(3)]
                digest = hashlib.sha256(contents).hexdigest()
                in_xet = {
                    "X-Xet-Hash": hub.xet.get(digest, ""),
                    "X-Xet-Refresh-Route": f"{hub.url}/api/models/{found.group(1)}/xet-read-token/{repo.commit}",
                }
                self._say(
                    302,
                    {
                        **(in_xet if digest in hub.xet else {}),
                        "Location": f"{hub.cdn}/{digest}/{found.group(3)}",
                        "X-Repo-Commit": repo.commit,
                        "X-Linked-Etag": f'"{digest}"',
                        "X-Linked-Size": str(len(contents)),
                    },
                )

        def _give_token(self) -> None:
            told = {"accessToken": "of-xet", "exp": int(time.time()) + 3600, "casUrl": hub.xet_storage}
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _send_blob(self, request: Request, fault: Fault) -> None:
            contents = hub.blobs[request.path.split("/")[1]]
            total = len(contents)
            asked = re.fullmatch(r"bytes=(\d+)-", request.range) if not fault.whole else None
            start = int(asked.group(1)) if asked else 0
            if start >= total:
                self._say(416, {"Content-Range": f"bytes */{total}"})
                return
            if fault.flip is not None:
                contents = contents[: fault.flip] + bytes([contents[fault.flip] ^ 255]) + contents[fault.flip + 1 :]
            body = contents[start:][: fault.short] + fault.extra
            self.send_response(206 if asked or fault.partial else 200)
            headers = {"Content-Length": str(len(body)), "ETag": '"of-the-cdn"'}
            headers |= {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if asked else {}
            for name, value in (headers | fault.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self._send(request, body if fault.cut is None else body[: fault.cut])
            if fault.wait is not None:
                fault.wait.wait()
            self.close_connection = fault.cut is not None or self.close_connection

        def _send(self, request: Request, body: bytes) -> None:
            try:
                for begin in range(0, len(body), BLOCK):
                    block = body[begin : begin + BLOCK]
                    self.wfile.write(block)
                    request.sent += len(block)
            except OSError:
                self.close_connection = True

        def _say(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Tests read `requests` instead."""

    return Handler
