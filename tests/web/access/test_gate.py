"""Logging in: nobody is locked out by others, and nobody guesses fast, whatever they say of where they come from."""

import asyncio
import contextlib
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltx_studio import limits
from ltx_studio.settings import EVERYWHERE, LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web import words
from ltx_studio.web.access.front import BELIEVED, believing
from ltx_studio.web.access.gate import (
    FREE_GUESSES,
    GUESSES_A_SECOND,
    GUESSES_AT_ONCE,
    MOST_QUEUED,
    MOST_WAITING,
    WAIT_SECONDS,
    Gate,
    Throttle,
)
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.web.asgi import Answer, ask, in_a_thread, scope_of
from tests.web.serving import serving

PASSWORD = "not to be guessed"


class FakeApp:
    """What the gate asks of Gradio's app: nobody has logged in yet."""

    cookie_id, startup_events_triggered, tokens = "id", True, dict[str, str]()


async def check(scope: Scope, receive: Receive, send: Send) -> None:
    """Gradio's own login."""
    body = (await receive())["body"]
    status = 200 if body == f"username=a&password={PASSWORD}".encode() else 400
    await JSONResponse({"detail": status == 200}, status)(scope, receive, send)


def login(address: str = "192.0.2.1", *headers: tuple[str, str]) -> Scope:
    return scope_of("POST", "/login", headers, client=(address, 1), app=FakeApp())


def sending(password: str) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": f"username=a&password={password}".encode(), "more_body": False}

    return receive


async def stall() -> Message:
    """A body that never comes."""
    await asyncio.Event().wait()
    raise AssertionError


class Time:
    """Seconds that pass by sleeping only; it notes how long."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, list[float]()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


async def settle() -> None:
    """Let every task go on until it waits for something."""
    for _ in range(1000):
        await asyncio.sleep(0)


def test_a_login_that_stalls_keeps_nobody_of_its_address_waiting() -> None:
    async def main() -> None:
        gate = Gate(check, Throttle(), 60)
        stalled = [asyncio.ensure_future(ask(gate, login(), stall)) for _ in range(50)]
        await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            answer = await ask(gate, login(), sending(PASSWORD))
        assert answer.status == 200
        assert not any(each.done() for each in stalled)
        for each in stalled:
            each.cancel()

    in_a_thread(main)


def test_a_login_that_stalls_is_ended() -> None:
    answer: Answer = in_a_thread(lambda: ask(Gate(check, Throttle(), 0.02), login(), stall))

    assert answer.status == 408
    assert words.SLOW_REQUEST in answer.text


@pytest.mark.parametrize("headers", [[], [("content-length", "10")], [("transfer-encoding", "chunked")]])
def test_a_login_is_as_large_as_it_is_and_not_as_it_says(headers: list[tuple[str, str]]) -> None:
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    answer: Answer = in_a_thread(lambda: ask(Gate(check, Throttle()), login("192.0.2.1", *headers), receive))

    assert answer.status == 413
    assert taken == limits.LOGIN_BODY.most // 1000 + 1


def guess(gate: ASGIApp, addresses: list[str], each: int) -> None:
    async def from_one(address: str) -> None:
        for _ in range(each):
            assert (await ask(gate, login(address), sending("wrong"))).status == 400

    async def main() -> None:
        await asyncio.gather(*map(from_one, addresses))

    in_a_thread(main)


def test_many_addresses_together_are_slowed_down() -> None:
    """Thirty addresses with ten guesses each: all are looked at, at the rate of all addresses."""
    passed = Time()
    gate = Gate(check, Throttle(passed.sleep, passed.clock))

    guess(gate, [f"192.0.2.{number}" for number in range(30)], 10)

    free, others = 30 * FREE_GUESSES - GUESSES_AT_ONCE, 30 * (10 - FREE_GUESSES) - GUESSES_AT_ONCE
    assert passed.now - 1000 >= max(free, others) / GUESSES_A_SECOND


def test_one_address_alone_is_not_slowed_down_by_the_rate_of_all() -> None:
    passed = Time()
    gate = Gate(check, Throttle(passed.sleep, passed.clock))

    guess(gate, ["192.0.2.1"], FREE_GUESSES + 4)

    assert passed.slept == [WAIT_SECONDS] * 4


def test_the_right_password_gets_in_while_others_guess() -> None:
    """A hundred addresses that have guessed wrong wait for one another, and not whoever comes from another one."""

    async def main() -> None:
        passed = Time()
        throttle = Throttle(passed.sleep, passed.clock)
        gate = Gate(check, throttle)
        for number in range(100):
            async with throttle.turn(f"198.51.100.{number}") as guesser:
                guesser.wrong = FREE_GUESSES
        passed.now += 3600
        held: list[float] = []

        async def hold(seconds: float) -> None:
            held.append(seconds)
            await asyncio.Event().wait()

        throttle._sleep = hold
        guesses = [asyncio.ensure_future(ask(gate, login(f"198.51.100.{each}"), sending("x"))) for each in range(100)]
        await asyncio.sleep(0.05)
        answer = await ask(gate, login("192.0.2.1"), sending(PASSWORD))

        assert answer.status == 200
        assert len(held) == 100
        assert max(held) == pytest.approx(MOST_QUEUED / GUESSES_A_SECOND)
        for each in guesses:
            each.cancel()

    in_a_thread(main)


def test_the_right_password_waits_a_bounded_time_behind_many_new_addresses() -> None:
    async def main() -> None:
        passed = Time()
        throttle = Throttle(passed.sleep, passed.clock)
        slept: list[float] = []

        async def hold(seconds: float) -> None:
            slept.append(seconds)
            await asyncio.Event().wait()

        throttle._sleep = hold
        gate = Gate(check, throttle)
        guesses = [asyncio.ensure_future(ask(gate, login(f"10.0.{each}.1"), sending("x"))) for each in range(250)]
        await settle()
        last = asyncio.ensure_future(ask(gate, login("192.0.2.1"), sending(PASSWORD)))
        await settle()

        assert not last.done()
        assert slept[-1] <= MOST_QUEUED / GUESSES_A_SECOND
        assert sum(not each.done() for each in guesses) <= MOST_QUEUED
        assert {each.result().status for each in guesses if each.done()} == {400, 429}
        for each in (*guesses, last):
            each.cancel()

    in_a_thread(main)


def test_of_too_many_guesses_of_one_address_any_may_be_the_one_that_is_dropped() -> None:
    dropped: set[int] = set()

    async def attempt() -> None:
        gate = Gate(check, Throttle())
        async with gate._throttle.turn("192.0.2.1"):
            guesses = [
                asyncio.ensure_future(ask(gate, login("192.0.2.1"), sending("x"))) for _ in range(MOST_WAITING + 1)
            ]
            await settle()
            done = [index for index, each in enumerate(guesses) if each.done()]
            assert [guesses[index].result().status for index in done] == [429]
            dropped.update(done)
            for each in guesses:
                each.cancel()
            await asyncio.sleep(0)

    async def main() -> None:
        for _ in range(20):
            await attempt()

    in_a_thread(main)
    assert len(dropped) > 1


def test_uvicorn_believes_the_named_proxies_only_while_the_server_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BELIEVED, "*")
    with believing(["10.0.0.0/8", LOOPBACK]):
        assert os.environ[BELIEVED] == "10.0.0.0/8,127.0.0.1"
    assert os.environ[BELIEVED] == "*"
    monkeypatch.delenv(BELIEVED)
    with believing([]):
        assert os.environ[BELIEVED] == ""
    assert BELIEVED not in os.environ


# On a real server


Serve = Callable[..., StudioBlocks]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """``served("10.0.0.0/8")``: a page behind the password that trusts these proxies, one for all tests with them."""
    home = tmp_path_factory.mktemp("gate")
    settings, opened = Settings(home=home, hub_cache=home / "hub"), dict[tuple[str, ...], StudioBlocks]()
    with ExitStack() as until_the_end:

        def serve(*proxies: str) -> StudioBlocks:
            if proxies not in opened:
                studio = Studio(replace(settings, password=PASSWORD, trusted_proxies=proxies))
                opened[proxies] = until_the_end.enter_context(serving(studio, on=EVERYWHERE))
            return opened[proxies]

        yield serve


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses whose guesses are counted, as the throttle is told them."""
    told: list[str] = []
    turn = Throttle.turn

    def note(self: Throttle, address: str) -> contextlib.AbstractAsyncContextManager[object]:
        told.append(address)
        return turn(self, address)

    monkeypatch.setattr(Throttle, "turn", note)
    return told


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        ((), {"X-Forwarded-For": "198.51.100.7"}, LOOPBACK),
        ((), {"Forwarded": "for=198.51.100.7", "X-Real-IP": "198.51.100.7"}, LOOPBACK),
        (("10.0.0.0/8",), {"X-Forwarded-For": "198.51.100.7"}, LOOPBACK),
        ((f"{LOOPBACK}/32",), {"X-Forwarded-For": "198.51.100.7"}, "198.51.100.7"),
        ((f"{LOOPBACK}/32",), {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}, "198.51.100.7"),
    ],
)
def test_only_a_named_proxy_says_who_guesses(
    proxies: tuple[str, ...], forwarded: dict[str, str], expected: str, served: Serve, seen: list[str]
) -> None:
    url = f"http://{LOOPBACK}:{served(*proxies).server_port}/login"
    httpx.post(url, data={"username": "a", "password": "wrong"}, headers=forwarded, timeout=60)

    assert seen == [expected]


def test_one_open_request_locks_nobody_out_of_a_server(served: Serve) -> None:
    blocks = served()
    with socket.create_connection((LOOPBACK, blocks.server_port or 0)) as slow:
        head = f"POST /login HTTP/1.1\r\nHost: localhost:{blocks.server_port}\r\nContent-Length: 100\r\n"
        slow.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=".encode())
        time.sleep(0.2)
        url = f"http://{LOOPBACK}:{blocks.server_port}/login"
        answer = httpx.post(url, data={"username": "a", "password": PASSWORD}, timeout=60)
        assert answer.status_code == 200
        slow.settimeout(60)
        assert re.match(rb"HTTP/1.1 408 ", slow.recv(1000))


@pytest.mark.parametrize("path", ["/", "/login", "/config"])
def test_the_login_has_the_pages_headers_and_hosts(path: str, served: Serve) -> None:
    url = f"http://{LOOPBACK}:{served().server_port}{path}"
    assert "frame-ancestors 'self'" in httpx.get(url).headers["content-security-policy"]
    assert httpx.get(url, headers={"Host": "evil.test"}).status_code == 421
    guessed = {"username": "a", "password": PASSWORD}
    assert httpx.post(url, data=guessed, headers={"Origin": "http://evil.test"}).status_code == 403
