"""Requests that no browser and no client of ours makes, in many shapes."""

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.components.api_component import Api

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
MARK = "owned"
HALF = "\ud800"
DEEP: Any = []
for _ in range(300):
    DEEP = [DEEP]
NONSENSE: tuple[Any, ...] = (ESCAPE, HALF, {"a": [ESCAPE]}, [[ESCAPE]], -(10**30), 1e308, True, None, DEEP)
SESSIONS: tuple[Any, ...] = ("", " ", ESCAPE, HALF, "x" * 100_000, 5, None, {}, "../..", "s1")
FETCHING = {"_get", "_get_for"}
"""Events that would fetch model files when they are asked in the right way."""
Request = tuple[str, str, bytes]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def bodies() -> Iterator[bytes]:
    """What is no call at all."""
    yield from (b"", b"{", b"\xff\xfe", ESCAPE.encode(), b"[" * 100_000, b'{"data":' * 5_000, b'{"data": [NaN]}')
    values: list[Any] = [None, [], ESCAPE, 5, {}, {"data": None}, {"data": ESCAPE}, {"data": {}}]
    yield from map(_json, values)


def calls(fn: int) -> Iterator[dict[str, Any]]:
    """Calls of a function with one thing wrong in each."""
    right: dict[str, Any] = {"data": [1], "fn_index": fn, "session_hash": "s1"}
    yield from ({**right, "session_hash": each} for each in SESSIONS)
    numbers: list[Any] = [-1, 10**6, 10**30, ESCAPE, None, 1.5, [], True]
    for wrong in numbers:
        yield right | {"fn_index": wrong}
        yield right | {"trigger_id": wrong}
        yield right | {"event_id": wrong}
    for each in NONSENSE:
        yield right | {"event_data": each}
    yield right | {"batched": True}
    yield right | {"batched": True, "data": [[1]]}
    yield right | {"simple_format": True, "oauth_token": ESCAPE}


def of_page(blocks: gr.Blocks) -> Iterator[dict[str, Any]]:
    """For each event of the page: too many values, too few, and of other kinds."""
    for fn in blocks.fns.values():
        if not fn.fn or any(isinstance(each, Api) for each in fn.inputs):
            continue
        named = {"fn_index": fn._id, "session_hash": "s2"}
        count = len(fn.inputs)
        yield {**named, "data": [ESCAPE] * (count + 1)}
        if count:
            yield {**named, "data": []}
            if fn.name not in FETCHING:
                yield {**named, "data": [None] * count}
            yield {**named, "data": [{"a": [ESCAPE]}] * count}
            yield {**named, "data": [HALF] * count}
        if fn.collects_event_data:
            for each in (None, ESCAPE, [1], {"take": {"a": ESCAPE}, "act": [1], "after": "9" * 40}):
                yield {**named, "data": [None] * count, "event_data": each}


def of_api(blocks: gr.Blocks) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each endpoint: too many values, none, and of each kind."""
    for fn in blocks.fns.values():
        if not fn.api_name or fn.api_name == "follow" or not any(isinstance(each, Api) for each in fn.inputs):
            continue
        named = {"session_hash": "s3"}  # without one, Gradio copies the page for each call
        yield str(fn.api_name), {**named, "data": []}
        yield str(fn.api_name), {**named, "data": [ESCAPE] * 30}
        for each in NONSENSE:
            yield str(fn.api_name), {**named, "data": [each] * len(fn.inputs)}


def requests(blocks: gr.Blocks) -> Iterator[Request]:
    """All of them: method, path and body."""
    jobs = next(fn._id for fn in blocks.fns.values() if fn.api_name == "jobs")
    base = "/gradio_api"
    posts = [f"{base}/{each}" for each in ("queue/join", "call/jobs", "call/v2/jobs", "run/predict", "api/jobs")]
    for path in [*posts, f"{base}/cancel", f"{base}/reset", f"{base}/component_server", f"{base}/call/none"]:
        yield from (("POST", path, body) for body in bodies())
    for call in [*calls(jobs), *of_page(blocks)]:
        for path in (f"{base}/queue/join", f"{base}/run/predict"):
            yield "POST", path, _json(call)
    for name, call in of_api(blocks):
        for path in (f"{base}/call/{name}", f"{base}/api/{name}", f"{base}/run/{name}"):
            yield "POST", path, _json(call)
    for name in ("none", "%1b%5b2J", "../jobs", "x" * 3_000):
        for path in (f"{base}/call/{name}", f"{base}/call/v2/{name}", f"{base}/run/{name}", f"{base}/api/{name}"):
            yield "POST", path, _json({"data": [1]})
    for component in (-1, 10**6, ESCAPE, None, [1], 3):
        for function in ("x", ESCAPE, "__class__", "preprocess", None):
            for session in SESSIONS:
                call = {"component_id": component, "fn_name": function, "session_hash": session, "data": ESCAPE}
                yield "POST", f"{base}/component_server", _json(call)
    for name in ("none", "%1b%5b2J", "%ff", "x" * 3_000):
        yield "GET", f"{base}/queue/data?session_hash={name}", b""
        yield "GET", f"{base}/call/jobs/{name}", b""
        yield "GET", f"{base}/stream/{name}/{name}/1/playlist.m3u8", b""
        yield "GET", f"{base}/upload_progress?upload_id={name}", b""
        yield "GET", f"{base}/file={name}", b""
        yield "GET", f"{base}/deep_link?session_hash={name}", b""
        yield "POST", f"{base}/upload", name.encode()
