"""Two browser profiles on a page that others can reach: two owners, who see nothing of each other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, BrowserContext, Page, expect
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ltx_studio.engine import Engine
from ltx_studio.modes import MODES
from ltx_studio.settings import EVERYWHERE, LOOPBACK, Settings
from ltx_studio.web.access.guard import Files
from ltx_studio.web.access.owners import COOKIE, GiveCookie, Owners
from tests.web.asgi import accept, ask, empty, in_a_thread, scope_of
from tests.web.conftest import Watch
from tests.web.driver import PLAYS, choose, choose_draft, expect_done, give, press, step, write
from tests.web.serving import serving, working

pytestmark = pytest.mark.usefixtures("few_steps")
"""What is sampled is proved elsewhere."""


@pytest.fixture(scope="module")
def url(settings: Settings, engine: Engine) -> Iterator[str]:
    with serving(working(settings, engine), on=EVERYWHERE) as blocks:
        yield f"http://{LOOPBACK}:{blocks.server_port}/"


@pytest.fixture
def profiles(browser: Browser) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    both = browser.new_context(), browser.new_context()
    yield both
    for each in both:
        each.close()


def of(context: BrowserContext, url: str) -> Client:
    """What the profile could ask by hand: a script with its cookie."""
    (cookie,) = (each["value"] for each in context.cookies(url) if each.get("name") == COOKIE)
    return Client(url, verbose=False, headers={"Cookie": f"{COOKIE}={cookie}"})


def make_clip(page: Page, url: str, prompt: str) -> str:
    """The address of the clip that is shown."""
    write(page, url, prompt)
    choose_draft(page)
    press(page, "Generate")
    expect_done(page)
    page.wait_for_function(PLAYS)
    return str(page.evaluate("document.querySelector('#clip video').currentSrc"))


def test_each_profile_sees_its_own_jobs_takes_clips_and_files_only(
    profiles: tuple[BrowserContext, BrowserContext], url: str, samples: dict[str, Path]
) -> None:
    ada, bob = (each.new_page() for each in profiles)
    watches = [Watch(ada), Watch(bob)]
    clip = make_clip(ada, url, "the secret of ada")
    bob.goto(url)
    expect(bob.locator("#screen")).to_contain_text("Describe your clip")
    expect(bob.locator("#panel-history")).to_contain_text("No clips yet.")
    expect(ada.locator("#panel-history .take")).to_have_count(1)
    poster = ada.evaluate("document.querySelector('#panel-history .take img').src")
    hers, his = (of(each, url) for each in profiles)

    (job,) = hers.predict(api_name="/jobs")
    assert [each["job"] for each in hers.predict(api_name="/takes")["takes"]] == [job["id"]]
    assert his.predict(api_name="/jobs") == []
    assert his.predict(api_name="/takes")["takes"] == []
    assert his.predict(search="secret", api_name="/takes")["takes"] == []
    assert ada.request.get(clip).status == 200
    assert ada.request.get(clip, headers={"Range": "bytes=0-99"}).status == 206
    assert [each.request.get(poster).status for each in (ada, bob)] == [200, 403]
    assert [bob.request.get(clip).status, bob.request.head(clip).status] == [403, 403]
    assert bob.request.get(clip.replace("/file=", "/file/")).status == 403
    assert bob.request.get(clip, headers={"Range": "bytes=0-99"}).status == 403
    assert [each.errors for each in watches] == [[], []]

    with step("what a browser brings is for its profile alone"):
        choose(ada, "i2v")
        give(ada, "i2v", {"image": samples["image"]})
        brought = ada.evaluate("document.querySelector('#i2v-image img').src")
        assert [each.request.get(brought).status for each in (ada, bob)] == [200, 403]
    with step("a reload keeps what was one's own"):
        ada.goto(url)
        expect(ada.get_by_role("button", name="Generate", exact=True)).to_be_visible()
        assert ada.request.get(clip).status == 200


def test_a_clip_that_one_was_sent_does_not_bring_what_another_made_it_of(
    profiles: tuple[BrowserContext, BrowserContext], url: str, samples: dict[str, Path], tmp_path: Path
) -> None:
    ada, bob = (each.new_page() for each in profiles)
    write(ada, url, "a blue circle moves right", mode="i2v")
    give(ada, "i2v", {"image": samples["image"]})
    choose_draft(ada, "i2v")
    press(ada, "Generate")
    expect_done(ada)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(ada.request.get(ada.evaluate("document.querySelector('#clip video').currentSrc")).body())

    for page, told in ((ada, "Settings restored"), (bob, "Picture is no longer available")):
        page.goto(url)
        page.locator("#restore-file input[type=file]").set_input_files(clip)
        expect(page.locator("#told")).to_contain_text(told)
        expect(page.locator("#i2v-prompt textarea")).to_have_value("a blue circle moves right")
    expect(ada.locator("#i2v-image img")).to_have_count(1)
    expect(bob.locator("#i2v-image img")).to_have_count(0)


ENDPOINTS: dict[str, dict[str, Any]] = {
    "/job": {},
    "/follow": {},
    "/cancel": {},
    "/retry": {},
    "/move": {"place": 1},
    "/take": {},
    "/favourite": {"favourite": True},
    "/tag": {"tags": ["mine"]},
    "/delete": {},
}
OF_NO_ONE = {"/batch", "/jobs", "/pause", "/takes", "/workflow_form", "/workflow", "/prune", "/recipe"}
"""Those that take neither a job nor a take."""

OF_THE_STUDIO = {"/download_models", "/downloads", "/download", "/follow_download", "/stop_download"}
"""Those about model files, which are the studio's, not a visitor's."""


@pytest.fixture(scope="module")
def ada(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def bob(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def hers(ada: Client, samples: dict[str, Path]) -> dict[str, Any]:
    """A take of Ada's, with what it was made of."""
    upload = ada.predict(prompt="hers", image=handle_file(samples["image"]), seconds=1, api_name="/i2v")
    *_, ended = ada.submit(job=upload["id"], api_name="/follow")
    assert ended["state"] == "done"
    return dict(ended)


def test_every_endpoint_that_takes_an_id_is_tried_below(bob: Client) -> None:
    known = set(bob.view_api(return_format="dict", print_info=False)["named_endpoints"])

    assert known == {*ENDPOINTS, *OF_NO_ONE, *OF_THE_STUDIO, *(f"/{mode}" for mode in MODES)}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_id_of_another_is_no_id(endpoint: str, ada: Client, bob: Client, hers: dict[str, Any]) -> None:
    named = bob.view_api(return_format="dict", print_info=False)["named_endpoints"][endpoint]["parameters"]
    kind = next(each["parameter_name"] for each in named if each["parameter_name"] in ("job", "take"))
    told = hers["id"] if kind == "job" else hers["take"]
    before = ada.predict(take=hers["take"], api_name="/take")[1], ada.predict(api_name="/takes")["takes"]

    with pytest.raises(AppError, match=f"There is no {'job' if kind == 'job' else 'clip'}"):
        bob.submit(**{kind: told}, **ENDPOINTS[endpoint], api_name=endpoint).result()

    assert (ada.predict(take=hers["take"], api_name="/take")[1], ada.predict(api_name="/takes")["takes"]) == before


def test_to_prune_all_and_to_pause_are_of_ones_own_only(ada: Client, bob: Client, hers: dict[str, Any]) -> None:
    assert bob.predict(keep=0, api_name="/prune") == []
    bob.predict(paused=True, api_name="/pause")
    job = ada.predict(prompt="goes on", seconds=1, api_name="/t2v")["id"]
    *_, ended = ada.submit(job=job, api_name="/follow")
    bob.predict(paused=False, api_name="/pause")

    assert ended["state"] == "done"
    assert hers["take"] in [each["take"] for each in ada.predict(api_name="/takes")["takes"]]


def upload(url: str, client: Client, path: Path) -> str:
    """A file that a client brings; where it lies on the server."""
    with path.open("rb") as file:
        answer = httpx.post(f"{url}gradio_api/upload", files={"files": file}, cookies=client.cookies)
    return str(answer.json()[0])


def test_an_upload_of_another_is_neither_shown_nor_used(
    url: str, ada: Client, bob: Client, samples: dict[str, Path]
) -> None:
    path = upload(url, ada, samples["last"])
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}

    def status(client: Client, name: str) -> int:
        return httpx.get(f"{url}gradio_api/file={name}", cookies=client.cookies).status_code

    assert [status(ada, path), status(bob, path)] == [200, 403]
    folder, _, name = path.rpartition("/")
    for spelt in (f"{folder}//{name}", f"{folder}/./{name}", f"{folder}/../{Path(folder).name}/{name}"):
        assert [status(ada, spelt), status(bob, spelt)] == [200, 403], spelt
    for given in (file, {"path": path}):
        asked = {"mode": "i2v", "prompt": "x", "image": given, "seconds": 1}
        assert "belongs to someone else" in by_hand(url, bob, "batch", [asked])
    assert "belongs to someone else" in by_hand(url, bob, "i2v", "x", file)
    assert "belongs to someone else" in by_hand(url, bob, "recipe", file)
    (job,) = json.loads(by_hand(url, ada, "batch", [asked]).partition("data: ")[2])[0]
    ada.predict(job=job, api_name="/cancel")


def by_hand(url: str, client: Client, endpoint: str, *data: Any) -> str:
    """What an endpoint answers when `gradio_client` does not upload for us the file that lies here by chance."""
    with httpx.Client(base_url=url, cookies=client.cookies) as http:
        event = http.post(f"/gradio_api/call/{endpoint}", json={"data": data}).json()["event_id"]
        return http.get(f"/gradio_api/call/{endpoint}/{event}").text


def test_whoever_brings_the_same_file_has_it_too(url: str, ada: Client, bob: Client, samples: dict[str, Path]) -> None:
    paths = {upload(url, each, samples["clip"]) for each in (ada, bob)}

    (path,) = paths
    for client in (ada, bob):
        assert httpx.get(f"{url}gradio_api/file={path}", cookies=client.cookies).status_code == 200


def test_a_file_that_was_told_to_nobody_is_nobodys(url: str, ada: Client, settings: Settings, tmp_path: Path) -> None:
    for path in (settings.database_file, "/etc/passwd", tmp_path, "http://127.0.0.1:9/x"):
        assert httpx.get(f"{url}gradio_api/file={path}", cookies=ada.cookies).status_code == 403


def test_files_that_are_gone_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltx_studio.web.access.guard.SWEEP_AT", 3)
    files, here = Files(), tmp_path / "here"
    here.touch()
    files.give(here, "ada")
    for number in range(5):
        files.give(tmp_path / f"gone-{number}", "ada")

    assert files.may(here, "ada")
    assert not files.may(tmp_path / "gone-0", "ada")


def test_behind_tls_the_cookie_is_for_tls_alone_if_a_trusted_proxy_says_so() -> None:
    async def cookie(trusted: str) -> str:
        app: Any = ProxyHeadersMiddleware(GiveCookie(accept, Owners()), trusted_hosts=trusted)  # type: ignore[arg-type]
        return (await ask(app, scope_of(headers={"X-Forwarded-Proto": "https"}), empty)).headers["set-cookie"]

    assert in_a_thread(lambda: cookie("127.0.0.1")).endswith("HttpOnly; SameSite=Lax; Secure")
    assert in_a_thread(lambda: cookie("10.0.0.1")).endswith("HttpOnly; SameSite=Lax")
