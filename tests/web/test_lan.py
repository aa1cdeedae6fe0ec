"""A page that others can reach: nothing answers before the password, and after it everything works."""

import asyncio
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, AuthenticationError
from playwright.sync_api import Page, expect
from starlette.routing import Route

from ltx_studio.engine import Engine
from ltx_studio.queue import LOCAL
from ltx_studio.settings import EVERYWHERE, LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web.access.gate import (
    FREE_GUESSES,
    MOST_WAITING,
    WAIT_SECONDS,
    Throttle,
    TooManyError,
    make_password,
    network_of,
)
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.support import ROOT, environment, run_studio, small_spec
from tests.web.asgi import in_a_thread
from tests.web.conftest import Watch
from tests.web.serving import serving, working

PASSWORD = "not to be guessed, ünd long"
STATIC = {"/favicon.ico", "/static/{path:path}"}


@pytest.fixture(scope="module")
def locked(settings: Settings, engine: Engine) -> Iterator[StudioBlocks]:
    """What `serve --lan` opens, with a password of the user's own."""
    chosen = replace(settings, password=PASSWORD)
    with serving(working(chosen, engine), on=EVERYWHERE) as blocks:
        blocks.owners.at_home = True
        yield blocks


@pytest.fixture(scope="module")
def url(locked: StudioBlocks) -> str:
    return f"http://{LOOPBACK}:{locked.server_port}/"


def routes_of(router: Any) -> Iterator[Route]:
    """Those of the routers that it includes as well."""
    for each in router.routes:
        if isinstance(each, Route):
            yield each
        elif hasattr(each, "original_router"):
            yield from routes_of(each.original_router)


def log_in(page: Page, url: str, password: str = PASSWORD) -> None:
    page.goto(url)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Open").click()


@pytest.fixture
def locked_at_home(settings: Settings, engine: Engine) -> Iterator[str]:
    """What `serve` opens on this machine alone where LTX_STUDIO_PASSWORD is set; its address."""
    chosen = replace(settings, password=PASSWORD)
    with serving(working(chosen, engine)) as blocks:
        yield str(blocks.local_url)


def test_a_password_is_asked_for_on_this_machine_too_against_its_other_users(locked_at_home: str) -> None:
    with httpx.Client(base_url=locked_at_home) as http:
        assert http.get("config").status_code == 401
        assert http.post("gradio_api/call/jobs", json={"data": []}).status_code == 401
        assert http.post("login", data={"username": "me", "password": "wrong"}).status_code == 400
        assert http.post("login", data={"username": "me", "password": PASSWORD}).status_code == 200
        assert http.get("config").status_code == 200
    client = Client(locked_at_home, auth=("me", PASSWORD), verbose=False)

    jobs = client.predict(limit=3, api_name="/jobs")

    assert {job["owner"] for job in jobs} <= {LOCAL}


def test_no_route_answers_without_the_password(locked: StudioBlocks, url: str) -> None:
    """Asked of the app itself, so that a route of a later Gradio is looked at as well."""
    asked, answered = 0, []
    with httpx.Client(base_url=url, timeout=20) as http:
        for route in routes_of(locked.app):
            for method in sorted(route.methods or ()):
                path = re.sub(r"\{[^}]*\}", "x", route.path)
                asked += 1
                status = http.request(method, path).status_code
                if status != 401 and route.path not in STATIC:
                    answered.append((method, route.path, status))

    assert asked > 60
    assert [each for each in answered if each[1].rstrip("/") not in ("", "/login")] == []
    assert {each[1:] for each in answered} == {("/", 200), ("/login", 422), ("/login/", 422)}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file={home}/studio.db"),
        ("GET", "//gradio_api/info"),
        ("GET", "/gradio_api/../config"),
        ("GET", "/static/fonts/../../config"),
        ("GET", "/static/fonts/..%2f..%2f..%2findex.html"),
        ("POST", "/gradio_api/call/jobs"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/upload"),
        ("OPTIONS", "/config"),
        ("GET", "/no such page"),
    ],
)
def test_no_way_around_it_answers_either(method: str, path: str, url: str, settings: Settings) -> None:
    asked = path.format(home=settings.home)

    with httpx.Client(base_url=url) as http:
        answer = http.request(method, asked, files={"files": b"x"} if path.endswith("upload") else None)

    assert answer.status_code in (401, 403, 404, 405)
    assert "gradio_config" not in answer.text


def test_before_the_password_there_is_one_field_and_nothing_of_the_page(
    page: Page, url: str, watch: Watch, hosts: set[str], locked: StudioBlocks
) -> None:
    page.goto(url)

    expect(page.get_by_label("Password")).to_be_focused()
    assert page.evaluate("document.fonts.check('16px \"IBM Plex Sans\"')")
    assert hosts == {LOOPBACK}
    assert watch.errors == []
    assert "gradio" not in page.content().lower()
    assert locked.app.cookie_id not in page.content()


def test_a_wrong_password_is_told_and_the_right_one_opens_the_page(page: Page, url: str, watch: Watch) -> None:
    log_in(page, url, "wrong")
    expect(page.get_by_role("alert")).to_have_text("Wrong password. Try again.")
    watch.errors.clear()  # Chrome notes that the answer was a 401

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open").click()

    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    assert watch.errors == []
    page.reload()
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()


def test_who_reloads_after_a_wrong_guess_sees_the_login_again(page: Page, url: str) -> None:
    log_in(page, url, "wrong")
    page.goto(f"{url}login")

    expect(page.get_by_label("Password")).to_be_visible()
    assert page.url == url


def test_a_made_up_token_opens_nothing(locked: StudioBlocks, url: str) -> None:
    cookies = {f"access-token-{locked.app.cookie_id}": "x", f"access-token-unsecure-{locked.app.cookie_id}": ""}

    assert httpx.get(f"{url}config", cookies=cookies).status_code == 401


def test_a_script_logs_in_and_stays_one_owner(url: str, samples: dict[str, Path]) -> None:
    with pytest.raises(AuthenticationError):
        Client(url, verbose=False)
    with pytest.raises(ValueError, match="Could not login"):
        Client(url, verbose=False, auth=("studio", "wrong"))
    ada = Client(url, verbose=False, auth=("anybody", PASSWORD), headers={"X-Forwarded-For": "192.0.2.7"})

    picture = handle_file(samples["image"])
    job = ada.predict(prompt="x", image=picture, seconds=1, api_name="/i2v")["id"]
    ada.predict(job=job, api_name="/cancel")

    assert [each["id"] for each in ada.predict(api_name="/jobs")] == [job]


def test_a_script_can_be_the_same_owner_every_time(url: str) -> None:
    def client(digit: str) -> Client:
        headers = {"LTX-Studio-Owner": digit * 32, "X-Forwarded-For": "192.0.2.7"}
        return Client(url, verbose=False, auth=("studio", PASSWORD), headers=headers)

    job = client("d").predict(requests=[{"mode": "t2v", "prompt": "x"}], api_name="/batch")[0]
    client("d").predict(job=job, api_name="/cancel")

    assert job in [each["id"] for each in client("d").predict(api_name="/jobs")]
    assert client("e").predict(api_name="/jobs") == []


def test_behind_the_password_the_takes_of_two_owners_stay_apart(url: str) -> None:
    ada, bob = (
        Client(url, verbose=False, auth=("studio", PASSWORD), headers={"X-Forwarded-For": f"192.0.2.{number}"})
        for number in (7, 8)
    )
    job = ada.predict(prompt="hers", width=128, height=128, seconds=0.7, preset="draft", api_name="/t2v")["id"]
    *_, ended = ada.submit(job=job, api_name="/follow")
    take = ended["take"]

    assert [each["take"] for each in ada.predict(api_name="/takes")["takes"]] == [take]
    assert bob.predict(api_name="/takes")["takes"] == bob.predict(api_name="/jobs") == []
    for asked in ({"job": job, "api_name": "/job"}, {"take": take, "api_name": "/take"}):
        with pytest.raises(AppError, match="There is no"):
            bob.predict(**asked)
    with pytest.raises(AppError, match="There is no"):
        bob.predict(take=take, api_name="/delete")
    assert Path(ada.predict(take=take, api_name="/take")[0]).is_file()


def test_who_sits_at_the_machine_is_the_command_lines_owner(url: str, settings: Settings) -> None:
    studio = Studio(settings)
    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    studio.jobs.cancel(job, LOCAL)
    home = Client(url, verbose=False, auth=("studio", PASSWORD))
    away = Client(url, verbose=False, auth=("studio", PASSWORD), headers={"X-Forwarded-For": "127.0.0.1"})

    assert job in [each["id"] for each in home.predict(api_name="/jobs")]
    assert away.predict(api_name="/jobs") == []


@pytest.mark.parametrize(
    ("client", "headers", "expected"),
    [
        (("127.0.0.1", 1), [], True),
        (("::1", 1), [], True),
        (("192.168.1.7", 1), [], False),
        (("127.0.0.1", 1), [(b"x-forwarded-for", b"127.0.0.1")], False),
        (("127.0.0.1", 1), [(b"x-forwarded-host", b"studio.example")], False),
        (("127.0.0.1", 1), [(b"forwarded", b"for=1.2.3.4")], False),
        (("127.0.0.1", 1), [(b"x-real-ip", b"1.2.3.4")], False),
        (None, [], False),
    ],
)
def test_only_a_request_of_this_machine_itself_comes_from_home(
    client: tuple[str, int] | None, headers: list[tuple[bytes, bytes]], expected: bool
) -> None:
    owners = Owners()
    scope = {"type": "http", "client": client, "headers": headers}

    assert not owners.comes_from_home(scope)
    owners.at_home = True
    assert owners.comes_from_home(scope) is expected


def test_a_login_too_large_for_a_password_is_not_read(url: str) -> None:
    answer = httpx.post(f"{url}login", data={"username": "studio", "password": "x" * 20_000})

    assert answer.status_code == 413


def test_after_a_few_wrong_guesses_each_waits_but_only_at_that_address() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def guess(throttle: Throttle, address: str, count: int) -> None:
        for _ in range(count):
            async with throttle.turn(address) as guesser:
                guesser.wrong += 1

    async def main() -> None:
        throttle = Throttle(sleep)
        await guess(throttle, "192.0.2.1", FREE_GUESSES)
        assert waits == []
        await guess(throttle, "192.0.2.1", 2)
        assert waits == [WAIT_SECONDS] * 2
        await guess(throttle, "192.0.2.2", 1)
        assert waits == [WAIT_SECONDS] * 2

    in_a_thread(main)


def test_guesses_at_once_take_turns_and_too_many_are_sent_away() -> None:
    async def main() -> None:
        throttle, inside, most, refused = Throttle(), 0, 0, 0

        async def guess() -> None:
            nonlocal inside, most, refused
            try:
                async with throttle.turn("192.0.2.1"):
                    inside += 1
                    most = max(most, inside)
                    await asyncio.sleep(0)
                    inside -= 1
            except TooManyError:
                refused += 1

        await asyncio.gather(*(guess() for _ in range(MOST_WAITING + 5)))
        assert most == 1
        assert refused in (4, 5)  # the one that is drawn to leave may be the one whose turn it is

    in_a_thread(main)


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::2:3")
    assert network_of("2001:db8::1") != network_of("2001:db8:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


def test_made_passwords_differ_and_are_long() -> None:
    made = {make_password() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"([a-z2-9]{4}-){2}[a-z2-9]{4}", each) for each in made)


def test_the_password_is_in_no_log_and_no_answer_of_doctor(settings: Settings) -> None:
    chosen = replace(settings, password=PASSWORD)
    told = [run_studio(settings, "doctor", *json, LTX_STUDIO_PASSWORD=PASSWORD).stdout for json in ([], ["--json"])]

    assert PASSWORD not in f"{chosen!r} {chosen}"
    assert all(each and PASSWORD not in each for each in told)
    assert not settings.log_file.exists() or PASSWORD not in settings.log_file.read_text(encoding="utf-8")


def served(settings: Settings, tmp_path: Path, *command: str, lines: int, **changes: str) -> list[str]:
    """The first lines of a server, what it answers for its config without a login last."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(settings, GRADIO_TEMP_DIR=str(tmp_path), **changes),
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(100, process.kill)  # a line that never comes is a failure, not a wait
    watchdog.start()
    try:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(lines)]
        assert all(told)
        port = told[0].split(":")[2].partition("/")[0]
        return [*told, str(httpx.get(f"http://{LOOPBACK}:{port}/config").status_code)]
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_lan_tells_the_addresses_and_a_password_made_for_it(settings: Settings, tmp_path: Path) -> None:
    here, others, password, config = served(settings, tmp_path, "-m", "ltx_studio", "serve", "--lan", lines=3)

    assert here.startswith("The page is at http://localhost:")
    assert others.startswith("For others on your network: ")
    assert re.match(r"Password: ([a-z2-9]{4}-){2}[a-z2-9]{4} ", password)
    assert config == "401"
    assert password.split()[1] not in settings.log_file.read_text(encoding="utf-8")


def test_a_password_of_ones_own_is_asked_for_and_not_told(settings: Settings, tmp_path: Path) -> None:
    command = ("-m", "ltx_studio", "serve", "--host", EVERYWHERE)
    told = served(settings, tmp_path, *command, lines=3, LTX_STUDIO_PASSWORD=PASSWORD)

    assert told[2:] == ["The page asks for the password in LTX_STUDIO_PASSWORD.", "401"]
    assert PASSWORD not in " ".join(told)


def test_a_space_asks_for_no_password(settings: Settings, tmp_path: Path) -> None:
    _, _, config = served(settings, tmp_path, "app.py", lines=2, GRADIO_SERVER_NAME=EVERYWHERE)

    assert config == "200"


def test_lan_and_host_together_are_a_wrong_request(settings: Settings) -> None:
    done = run_studio(settings, "serve", "--lan", "--host", LOOPBACK)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Use one of them."
