"""The page on ZeroGPU: the real package, fork, engine and browser."""

from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect

from tests.runners.zerogpu.hosted.device_api import quota
from tests.runners.zerogpu.hosted.hosts import HostProcess
from tests.support import SMALL
from tests.web.driver import expect_done, expect_playing, press, write

TOKEN = "head.eyJ1c2VyIjoiYSJ9.tail"
OWNERS = {"a": "a" * 32, "b": "b" * 32}


@pytest.fixture(scope="module")
def url(shared_host: HostProcess) -> str:
    shared_host.api.forget()
    opened = shared_host.ask("page")
    assert opened["most"] == 200  # Gradio's own is 1 there
    assert shared_host.api.of("/startup-report") == [{}]
    return str(opened["url"])


def visitor(url: str, name: str) -> Client:
    """A script of a visitor, with the token that the platform gave them."""
    headers = {"X-IP-Token": f"token-{name}", "ltx-studio-owner": OWNERS[name]}
    return Client(url, headers=headers, verbose=False)


def made(client: Client, **changes: Any) -> dict[str, Any]:
    """Submit a request and follow it to its end."""
    job = client.predict(**(SMALL | changes), api_name="/t2v")
    *_, ended = client.submit(job=job["id"], api_name="/follow")
    return dict(ended)


def test_scripts_of_two_visitors_use_their_own_quota_and_see_their_own_takes(host: HostProcess, url: str) -> None:
    one, two = visitor(url, "a"), visitor(url, "b")

    done = made(one)

    assert done["state"] == "done"
    assert [each.get("token") for each in host.api.of("/schedule")] == ["token-a"]
    assert [take["take"] for take in one.predict(api_name="/takes")["takes"]] == [done["take"]]
    assert two.predict(api_name="/takes")["takes"] == []
    for api_name in ("/take", "/delete"):
        with pytest.raises(AppError):
            two.predict(take=done["take"], api_name=api_name)
    with pytest.raises(AppError):
        two.predict(job=done["id"], api_name="/job")


def test_a_refusal_reaches_a_script(host: HostProcess, url: str) -> None:
    host.api.answers = [quota(20, 3600)]

    ended = made(visitor(url, "a"))

    assert (ended["state"], ended["error"]["error"]) == ("failed", "gpu_quota")


def test_a_visitor_sees_the_quote_makes_a_clip_and_finds_it_after_a_reload(
    host: HostProcess, url: str, page: Page
) -> None:
    page.set_extra_http_headers({"X-IP-Token": TOKEN, "ltx-studio-owner": "c" * 32})
    write(page, url, "a red ball bounces to the right", seconds=0.7)
    expect(page.locator("#t2v-told")).to_contain_text("s of GPU time; a free account gets 5 min a day")

    press(page, "Generate")

    expect(page.locator("#preview img")).to_be_visible(timeout=60_000)
    expect_done(page)
    expect_playing(page)
    assert [each.get("token") for each in host.api.of("/schedule")] == [TOKEN]
    page.reload()
    expect(page.locator("#history-takes .take")).to_have_count(1)


def test_a_closed_tab_ends_its_run_and_gives_the_gpu_back(host: HostProcess, url: str, page: Page) -> None:
    page.set_extra_http_headers({"X-IP-Token": TOKEN, "ltx-studio-owner": "d" * 32})
    write(page, url, "a blue ball rolls", seconds=4)
    press(page, "Generate")
    expect(page.locator(".chips .now")).to_contain_text("Stage", timeout=60_000)

    page.close()

    host.ask("wait_released")
    assert [each["fail"] for each in host.api.of("/release")] == ["false"]


def test_quota_that_is_used_up_is_said_on_the_page(host: HostProcess, url: str, page: Page) -> None:
    host.api.answers = [quota(20, 3 * 3600)]
    page.set_extra_http_headers({"X-IP-Token": TOKEN, "ltx-studio-owner": "e" * 32})
    write(page, url, "a red ball bounces", seconds=0.7)

    press(page, "Generate")

    expect(page.locator("#failure")).to_contain_text("you have 20 s left", timeout=60_000)
    expect(page.locator("#failure")).to_contain_text("Try again in 3:00:00")
