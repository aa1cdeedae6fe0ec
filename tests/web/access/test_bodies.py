"""A request's body is neither larger nor slower than a limit, whatever it says of itself."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio import limits
from ltx_studio.limits import MEBIBYTE
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web import words
from ltx_studio.web.access.bodies import Bodies, BodyError, read_whole
from ltx_studio.web.access.guard import UPLOAD
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.web.asgi import Answer, Headers, ask, in_a_thread, scope_of
from tests.web.serving import serving

CHUNK = bytes(MEBIBYTE // 4)


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer how much arrived."""
    size = 0
    async for chunk in Request(scope, receive).stream():
        size += len(chunk)
    await JSONResponse({"size": size})(scope, receive, send)


async def hide(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 400 for everything that goes wrong meanwhile, as FastAPI does."""
    try:
        await count(scope, receive, send)
    except Exception:
        await JSONResponse({"detail": "There was an error parsing the body"}, 400)(scope, receive, send)


class Stream:
    """A body of so many chunks, of which it counts those that were taken."""

    def __init__(self, chunks: int, *, stalls_at: int | None = None) -> None:
        self.chunks, self.stalls_at, self.taken = chunks, stalls_at, 0

    async def receive(self) -> Message:
        if self.taken == self.stalls_at:
            await asyncio.Event().wait()
        self.taken += 1
        return {"type": "http.request", "body": CHUNK, "more_body": self.taken < self.chunks}


def post(stream: Stream, headers: Headers = (), path: str = "/x", app: ASGIApp = count, **options: Any) -> Answer:
    made: Answer = in_a_thread(lambda: ask(Bodies(app, **options), scope_of("POST", path, headers), stream.receive))
    return made


CHUNKED = [("transfer-encoding", "chunked")]
MOST = limits.REQUEST_BODY.most // len(CHUNK)


@pytest.mark.parametrize("headers", [CHUNKED, [], [("content-length", "17")], [("content-length", "0")]])
@pytest.mark.parametrize("app", [count, hide])
def test_what_arrives_is_counted_whatever_the_request_says(headers: Headers, app: ASGIApp) -> None:
    fits, large = Stream(MOST), Stream(MOST + 1)

    assert post(fits, headers, app=app).status == 200
    answer = post(large, headers, app=app)

    assert answer.status == 413
    assert "The request is larger than 4.2 MB. Send less at once" in answer.text
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("length", "status"),
    [(str(limits.REQUEST_BODY.most), 200), (str(limits.REQUEST_BODY.most + 1), 413), ("9" * 40, 413), ("-1", 400),
     ("1e3", 400), ("²", 400), ("", 400)],
)  # fmt: skip
def test_a_declared_length_is_looked_at_before_anything_is_read(length: str, status: int) -> None:
    asked: list[Scope] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        await count(scope, receive, send)

    assert post(Stream(1), [("content-length", length)], app=note).status == status
    assert len(asked) == (status == 200)


def test_a_large_stream_is_refused_early_and_not_kept() -> None:
    stream = Stream(300 * 4)

    tracemalloc.start()
    assert post(stream, CHUNKED).status == 413
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert stream.taken <= 2 * MOST + 2  # the limit, and as much again so that the client sees the answer
    assert peak < 10 * MEBIBYTE


@pytest.mark.parametrize("path", [UPLOAD, f"{UPLOAD}/"])
def test_an_upload_may_be_larger(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOAD_BODY", limits.Limit(40 * MEBIBYTE, "bytes", "Upload fewer files at once."))

    assert post(Stream(8 * MOST), CHUNKED, path).status == 200
    assert post(Stream(16 * MOST), CHUNKED, path).status == 413
    assert post(Stream(1), [("content-length", str(50 * MEBIBYTE))], path).status == 413


@pytest.mark.parametrize("path", ["/gradio_api/upload/x", "/gradio_api//upload", "/x/gradio_api/upload", "/upload"])
def test_nothing_else_counts_as_an_upload(path: str) -> None:
    assert post(Stream(MOST + 1), CHUNKED, path).status == 413


@pytest.mark.parametrize("stalls_at", [0, 3])
@pytest.mark.parametrize("path", ["/x", UPLOAD])
def test_a_body_that_stalls_is_ended(stalls_at: int, path: str) -> None:
    answer = post(Stream(9, stalls_at=stalls_at), CHUNKED, path, hide, seconds=0.05, upload_seconds=0.05)

    assert answer.status == 408
    assert words.SLOW_REQUEST in answer.text


def test_a_body_that_drips_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltx_studio.web.access.bodies.SLOWEST", 1e9)

    class Drip(Stream):
        async def receive(self) -> Message:
            await asyncio.sleep(0.02)
            return {**await super().receive(), "body": b"x"}

    stream = Drip(1000)

    assert post(stream, CHUNKED, seconds=0.1).status == 408
    assert stream.taken < 100


def test_the_client_may_wait_for_its_answer_as_long_as_it_takes() -> None:
    """What follows the body is only that the client goes, which may be in an hour."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        waiting.cancel()
        await JSONResponse("done")(scope, receive, send)

    assert post(Stream(1, stalls_at=1), CHUNKED, app=slow, seconds=0.02).status == 200


def test_an_app_that_fails_by_itself_is_heard() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        post(Stream(1), app=fail)


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await count(scope, receive, send)

    assert [each["type"] for each in post(Stream(MOST + 1), CHUNKED, app=early).messages] == ["http.response.start"]


def test_a_body_is_read_whole_or_not_at_all() -> None:
    async def main() -> None:
        limit = limits.Limit(2 * len(CHUNK), "bytes", "Send less.")
        assert await read_whole(Stream(2).receive, limit, 5) == 2 * CHUNK
        for stream, status in ((Stream(3), 413), (Stream(2, stalls_at=1), 408)):
            with pytest.raises(BodyError) as caught:
                await read_whole(stream.receive, limit, 0.05)
            assert caught.value.status == status

    in_a_thread(main)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioBlocks]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        with serving(Studio(Settings(home=tmp_path_factory.mktemp("home")))) as blocks:
            yield blocks


@pytest.mark.parametrize("path", ["queue/join", "call/t2v", "run/t2v", "component_server", "cancel", "reset"])
def test_a_server_refuses_300_mb_after_a_part_of_them(path: str, studio: StudioBlocks) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(300 * 4):
            sent += len(CHUNK)
            yield CHUNK

    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{studio.local_url}gradio_api/{path}", content=body(), headers=headers, timeout=60)

    assert answer.status_code == 413
    assert "larger than 4.2 MB" in answer.json()["detail"]
    assert sent < 300 * MEBIBYTE


def test_a_server_takes_an_upload_larger_than_other_requests(studio: StudioBlocks) -> None:
    answer = httpx.post(f"{studio.local_url}gradio_api/upload", files={"files": ("a.bin", bytes(20 * MEBIBYTE))})

    assert answer.status_code == 200
    assert studio.max_file_size == limits.UPLOAD.most


def body_of(text: bytes) -> Answer:
    stream = iter([text[start : start + 50_000] for start in range(0, len(text), 50_000)] or [b""])

    async def main() -> Answer:
        left = -(-len(text) // 50_000) or 1

        async def receive() -> Message:
            nonlocal left
            left -= 1
            return {"type": "http.request", "body": next(stream), "more_body": left > 0}

        return await ask(Bodies(count), scope_of("POST", "/gradio_api/run/tag", ()), receive)

    answer: Answer = in_a_thread(main)
    return answer


MOST_VALUES = limits.REQUEST_VALUES.most


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"[]," * MOST_VALUES + b"1]",
        b"[" * (MOST_VALUES + 1),
        b"[" + b"0," * MOST_VALUES + b"1]",
        b"[" + b'{"a":1},' * (MOST_VALUES // 2) + b'"x"]',
        b'["\\\\",' + b"0," * MOST_VALUES + b"1]",
    ],
)
def test_a_body_with_too_many_values_is_refused_before_it_is_parsed(text: bytes) -> None:
    answer = body_of(text)

    assert answer.status == 413
    assert f"more than {MOST_VALUES:,} values" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'["' + b"," * (2 * MOST_VALUES) + b'"]',
        b'["\\"' + b"[" * (2 * MOST_VALUES) + b'"]',
        b'["' + b'\\",' * (2 * MOST_VALUES) + b'"]',
        b"[" + b"0," * (MOST_VALUES - 3) + b"1]",
    ],
)
def test_text_counts_as_one_value(text: bytes) -> None:
    assert body_of(text).status == 200
