"""What the server prints and logs of requests that make no sense: nothing raw, and no traceback."""

import io
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from starlette.exceptions import HTTPException

from ltx_studio.engine import Engine
from ltx_studio.errors import RequestError
from ltx_studio.logs import SafeFormatter
from ltx_studio.settings import LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from ltx_studio.web.access.answers import Answers, is_mistake, refusing
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.support import ROOT, environment
from tests.web.malformed import ESCAPE, MARK, Request, requests
from tests.web.serving import serving, working

JSON = {"content-type": "application/json"}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the log file would keep."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(SafeFormatter("RECORD %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client of these tests
    yield told
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    logging.getLogger().removeHandler(handler)


@contextmanager
def launched(home: Settings) -> Iterator[StudioBlocks]:
    with serving(working(home, Engine(home))) as blocks:
        yield blocks


@pytest.fixture
def opened_anew(home: Settings, capfd: pytest.CaptureFixture[str]) -> Iterator[StudioBlocks]:
    """A page whose terminal is captured from the start."""
    capfd.readouterr()
    with launched(home) as blocks:
        yield blocks


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioBlocks]:
    home = tmp_path_factory.mktemp("answers")
    with launched(Settings(home=home, hub_cache=home / "hub")) as blocks:
        yield blocks


@pytest.fixture
def opened(shared: StudioBlocks, capfd: pytest.CaptureFixture[str]) -> StudioBlocks:
    """A page for several tests, whose terminal is captured from here on."""
    capfd.readouterr()
    return shared


def send(url: str, asked: list[Request]) -> list[tuple[Request, int | str]]:
    """What came of each; a stream is read until its end. Gradio lets those that ask for progress wait for seconds."""
    with httpx.Client(base_url=url, timeout=httpx.Timeout(20, read=20)) as http, ThreadPoolExecutor() as others:
        waits = [others.submit(answer_to, http, each) for each in asked if "/upload_progress" in each[1]]
        came = [(each, answer_to(http, each)) for each in asked if "/upload_progress" not in each[1]]
        return came + [(("GET", "/upload_progress", b""), each.result()) for each in waits]


def answer_to(http: httpx.Client, asked: Request) -> int | str:
    """Return the status of the answer, or the name of the error."""
    method, path, body = asked
    try:
        with http.stream(method, path, content=body, headers=JSON) as answer:
            with suppress(httpx.ReadError, httpx.RemoteProtocolError):
                answer.read()
            return answer.status_code
    except httpx.HTTPError as error:
        return type(error).__name__


def drain(url: str) -> list[dict[str, Any]]:
    """The messages that wait for the two sessions of the malformed calls."""
    messages = []
    with httpx.Client(base_url=url, timeout=30) as http:
        for session in ("s1", "s2"):
            for line in http.get("/gradio_api/queue/data", params={"session_hash": session}).text.splitlines():
                if line.startswith("data: "):
                    messages.append(json.loads(line.removeprefix("data: ")))
    return messages


def test_malformed_requests_leave_no_traceback_and_nothing_raw(
    opened_anew: StudioBlocks, logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = list(requests(opened_anew))

    came = send(str(opened_anew.local_url), asked)
    messages = drain(str(opened_anew.local_url))

    terminal = "".join(capfd.readouterr())
    assert len(asked) > 1_000
    assert (len(terminal), terminal[:2_000]) == (0, "")
    assert re.findall(r"(?s).{400}Traceback.*?\n(?=RECORD)", logged.getvalue()) == []
    assert "\x1b" not in logged.getvalue()
    assert [each for each in came if not isinstance(each[1], int)] == []
    assert any(each["msg"] == "process_completed" and not each["success"] for each in messages)
    assert [each for each in messages if "unexpected" in json.dumps(each)] == []


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: \x1b[2Jowned\r\n\r\n",
        b"\x1b[2Jowned\r\n\r\n",
        b"GET /\x1b[2Jowned HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: [owned\r\nContent-Type: application/json\r\n"
        b'Content-Length: 46\r\n\r\n{"data":[1],"fn_index":0,"session_hash":"abcd"}',
        b"POST /gradio_api/run/jobs HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: [\x1bowned:x\r\nContent-Length: 12\r\n"
        b'Content-Type: application/json\r\n\r\n{"data":[1]}',
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nowned",
    ],
)
def test_broken_http_is_not_shown_either(
    raw: bytes, opened: StudioBlocks, logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection((LOOPBACK, opened.server_port or 0), timeout=20) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while connection.recv(65536):
                pass
    httpx.get(f"{opened.local_url}gradio_api/queue/status")  # the server still answers, and has dealt with the other

    assert capfd.readouterr() == ("", "")
    assert MARK not in logged.getvalue()
    assert "Traceback" not in logged.getvalue()


def test_a_fault_of_ours_is_one_bounded_traceback_in_the_log(
    opened: StudioBlocks, logged: io.StringIO, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError(ESCAPE * 10_000 + "\nRECORD CRITICAL root: forged")

    returns = next(fn for fn in opened.fns.values() if fn.name == "_returns")
    monkeypatch.setattr(returns, "fn", fails)
    call = {"data": [], "fn_index": returns._id, "session_hash": "s1"}

    with httpx.Client(base_url=str(opened.local_url)) as http:
        http.post("/gradio_api/queue/join", json=call).raise_for_status()
    (done,) = [each for each in drain(str(opened.local_url)) if each["msg"] == "process_completed"]

    assert "Something unexpected went wrong: RuntimeError" in done["output"]["error"]
    assert capfd.readouterr() == ("", "")
    told = logged.getvalue()
    assert told.count("Traceback") == 1
    assert "\x1b" not in told
    assert "\nRECORD CRITICAL" not in told
    assert len(told) < 40_000


def test_only_our_own_code_makes_a_server_error() -> None:
    def raised(raising: Any) -> BaseException:
        try:
            raising()
        except BaseException as error:
            return error
        raise AssertionError

    def after_start() -> None:
        try:
            raise HTTPException(404)  # noqa: TRY301
        except HTTPException as error:
            raise RuntimeError("response already started") from error

    assert is_mistake(raised(lambda: json.loads("{")))
    assert is_mistake(raised(after_start))
    assert is_mistake(ExceptionGroup("", [HTTPException(404)]))
    assert not is_mistake(raised(lambda: Path("/none/of/it").read_bytes()))
    assert not is_mistake(ExceptionGroup("", [HTTPException(404), OSError()]))
    assert not is_mistake(raised(lambda: SafeFormatter().format(None)))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [ValueError, KeyError, TypeError, RecursionError])
def test_what_a_value_breaks_is_told_without_a_traceback(kind: type[Exception], logged: io.StringIO) -> None:
    with pytest.raises(gr.Error) as caught, refusing():
        raise kind(ESCAPE)

    assert not caught.value.print_exception
    assert MARK not in logged.getvalue()


def test_errors_for_the_user_pass_as_words(home: Settings) -> None:
    answers = Answers(home, Owners())
    with pytest.raises(gr.Error, match=r"Why\. What to do\.") as caught, answers.answering("it"):
        raise RequestError("Why.", "What to do.")
    with pytest.raises(gr.Error, match=r"Said\.") as said, answers.answering("it"):
        raise gr.Error("Said.")

    assert not caught.value.print_exception
    assert not said.value.print_exception


def test_the_terminal_of_serve_shows_its_address_and_nothing_of_a_client(home: Settings, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ltx_studio", "serve"],
        cwd=ROOT,
        env=environment(home, GRADIO_TEMP_DIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(200, process.kill)  # a line that never comes is a failure, not a wait
    watchdog.start()
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = first.split(":")[2].partition("/")[0]
        blocks = build_app(home, studio=Studio(home))  # for the numbers of its events
        came = send(f"http://{LOOPBACK}:{port}/", list(requests(blocks))[::5])
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=100)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()

    assert first.startswith("The page is at")
    assert len(came) > 200
    assert rest == ""


@pytest.mark.parametrize(
    ("endpoint", "body", "said"),
    [
        ("job", b'{"data": ["\\ud800"]}', "lone surrogate"),
        ("take", b'{"data": ["a\\udfffb"]}', "lone surrogate"),
        ("tag", b'{"data": ["x", ["\\udc00"]]}', "lone surrogate"),
        ("takes", b'{"data": ["", null, false, 1000000000000000000000000000000, 5]}', "too large"),
        ("move", b'{"data": ["x", NaN]}', "infinite or NaN"),
    ],
)
def test_a_value_that_nothing_can_use_is_named(endpoint: str, body: bytes, said: str, opened: StudioBlocks) -> None:
    answer = httpx.post(f"{opened.local_url}gradio_api/api/{endpoint}", content=body, headers=JSON)

    assert said in answer.json()["error"]


def test_a_client_cannot_pass_as_a_batch(opened: StudioBlocks) -> None:
    call = {"data": [5], "batched": True, "session_hash": "s1"}

    answer = httpx.post(f"{opened.local_url}gradio_api/api/jobs", json=call)

    assert answer.status_code == 500
    assert "does not understand" in answer.json()["error"]
