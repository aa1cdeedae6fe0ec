"""No other site acts through a visitor's browser: by another name for this machine, from another origin, in a frame."""

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserType, Frame, Page, expect

from ltx_studio.engine import Engine
from ltx_studio.queue import LOCAL
from ltx_studio.settings import EVERYWHERE, LOOPBACK, Settings
from ltx_studio.studio import Studio
from ltx_studio.web.access.gate import own_addresses
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.support import small_spec, small_workflow
from tests.web.past import Past
from tests.web.serving import serving, working
from tools.browser import FLAGS

EVIL = "http://evil.test"


def uploads_of(blocks: StudioBlocks) -> set[Path]:
    return {each for each in Path(blocks.app.uploaded_file_dir).rglob("*") if each.is_file()}


@pytest.fixture(scope="module")
def blocks(
    past: Past, settings: Settings, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StudioBlocks]:
    """The page as `serve` opens it on loopback, over a home that has takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        with serving(working(settings, engine)) as blocks:
            yield blocks


@pytest.fixture(scope="module")
def take(past: Past) -> str:
    """The id of a take of whoever sits at this machine."""
    return past.render(LOCAL, small_spec(preset="draft", seed=31)).id


@pytest.mark.parametrize("path", ["/", "/config", "/assets/x.js", "/gradio_api/info", "/gradio_api/startup-events"])
def test_a_server_refuses_another_name_for_everything(path: str, blocks: StudioBlocks) -> None:
    url = f"http://{LOOPBACK}:{blocks.server_port}"

    answer = httpx.get(url + path, headers={"Host": f"evil.test:{blocks.server_port}"})

    assert answer.status_code == 421
    assert "access-control-allow-origin" not in answer.headers


def test_a_preflight_of_another_origin_is_refused_wherever_the_page_is_open(settings: Settings) -> None:
    with serving(Studio(settings), on=EVERYWHERE) as blocks:
        for name in [LOOPBACK, *own_addresses()]:
            asked = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
            answer = httpx.options(f"http://{name}:{blocks.server_port}/gradio_api/call/jobs", headers=asked)
            assert answer.status_code == 403
            assert not [each for each in answer.headers if each.startswith("access-control")]


def test_trust_is_never_taken_from_another_site(blocks: StudioBlocks, settings: Settings) -> None:
    """A workflow whose nodes may do anything runs where the page is this machine's only: then the request must be."""
    url = f"http://{LOOPBACK}:{blocks.server_port}"
    graph = json.dumps(small_workflow().graph).encode()
    uploaded = httpx.post(f"{url}/gradio_api/upload", files={"files": ("mine.json", graph)}).json()[0]
    data = [{"path": uploaded, "meta": {"_type": "gradio.FileData"}}, None, True]
    before = len(Studio(settings).jobs.of(LOCAL, limit=1000))

    for origin in (EVIL, f"http://localhost:{blocks.server_port}", "null"):
        for headers in ({"Origin": origin}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            answer = httpx.post(f"{url}/gradio_api/call/workflow", json={"data": data}, headers=headers)
            assert answer.status_code == 403
    host = {"Host": f"evil.test:{blocks.server_port}", "Origin": f"http://evil.test:{blocks.server_port}"}
    assert httpx.post(f"{url}/gradio_api/call/workflow", json={"data": data}, headers=host).status_code == 421

    assert len(Studio(settings).jobs.of(LOCAL, limit=1000)) == before


# In a real browser

ACT = """async ([url, take]) => {
    const form = new FormData();
    form.append("files", new Blob(["stored"]), "evil.txt");
    const json = { "Content-Type": "application/json" };
    const asked = [
        [url + "config", {}],
        [url + "config", { mode: "no-cors" }],
        [url + "gradio_api/upload", { method: "POST", body: form }],
        [url + "gradio_api/upload", { method: "POST", body: form, mode: "no-cors" }],
        [url + "gradio_api/call/takes", { method: "POST", headers: json, body: '{"data": []}' }],
        [url + "gradio_api/call/delete", { method: "POST", headers: json, body: JSON.stringify({ data: [take] }) }],
        [url + "gradio_api/call/delete", { method: "POST", body: JSON.stringify({ data: [take] }), mode: "no-cors" }],
        [url + "gradio_api/run/delete", { method: "POST", headers: json, body: JSON.stringify({ data: [take] }) }],
    ];
    const seen = [];
    for (const [address, how] of asked) {
        try {
            const answer = await fetch(address, how);
            seen.push([answer.status, await answer.text()]);
        } catch (error) {
            seen.push([0, String(error)]);
        }
    }
    return seen;
}"""


@pytest.fixture(scope="module")
def misled(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """A browser for which evil.test is this machine, as after DNS rebinding."""
    arguments = [*FLAGS, f"--host-resolver-rules=MAP evil.test {LOOPBACK}"]
    browser = browser_type.launch(**(browser_type_launch_args | {"args": arguments}))
    yield browser
    browser.close()


@pytest.fixture
def rebound(misled: Browser) -> Iterator[Page]:
    page = misled.new_page()
    yield page
    page.close()


def test_a_name_that_was_rebound_to_this_machine_gets_nothing(
    rebound: Page, blocks: StudioBlocks, take: str, past: Past
) -> None:
    url, stored = f"http://evil.test:{blocks.server_port}/", uploads_of(blocks)

    opened = rebound.goto(url)
    seen = rebound.evaluate(ACT, [url, take])

    assert opened is not None
    assert opened.status == 421
    assert "gradio" not in rebound.content()
    assert {status for status, _ in seen} == {421}
    assert not [text for _, text in seen if "LTX_STUDIO_ALLOWED_HOSTS" not in text]
    assert uploads_of(blocks) == stored
    assert past.studio.takes.get(take, LOCAL).id == take


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of another site on this machine: an empty page."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "index.html").write_text("<!doctype html><title>Elsewhere</title>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer((LOOPBACK, 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", [LOOPBACK, "localhost"])
def test_a_page_of_another_port_neither_reads_nor_changes_anything(
    name: str, page: Page, elsewhere: str, blocks: StudioBlocks, take: str, past: Past
) -> None:
    url, stored = f"http://{name}:{blocks.server_port}/", uploads_of(blocks)

    page.goto(elsewhere)
    seen = page.evaluate(ACT, [url, take])

    assert {status for status, _ in seen} == {0}
    assert not [text for _, text in seen if text and "Failed to fetch" not in text]
    assert uploads_of(blocks) == stored
    assert past.studio.takes.get(take, LOCAL).id == take


def test_a_form_of_another_site_stores_nothing(page: Page, elsewhere: str, blocks: StudioBlocks) -> None:
    url, stored = f"http://{LOOPBACK}:{blocks.server_port}/", uploads_of(blocks)

    page.goto(elsewhere)
    with page.expect_navigation():
        page.evaluate(
            """url => {
                document.body.innerHTML = `<form method=post enctype=multipart/form-data action="${url}">
                    <input type=file name=files></form>`;
                const files = new DataTransfer();
                files.items.add(new File(["stored"], "evil.txt"));
                document.querySelector("input").files = files.files;
                document.querySelector("form").submit();
            }""",
            f"{url}gradio_api/upload",
        )

    expect(page.locator("body")).to_contain_text("The studio refuses requests from other sites")
    assert uploads_of(blocks) == stored


def frames_of(page: Page, blocks: StudioBlocks) -> list[Frame]:
    """Frame the studio on a page, by each of its names, and return the frames."""
    for name in (LOOPBACK, "localhost"):
        page.evaluate(
            """url => new Promise((loaded) => {
                const frame = document.createElement("iframe");
                frame.onload = loaded;
                frame.src = url;
                document.body.append(frame);
            })""",
            f"http://{name}:{blocks.server_port}/",
        )
    framed = [each for each in page.frames if each != page.main_frame]
    assert len(framed) == 2
    return framed


def test_another_site_cannot_show_the_page_in_a_frame(page: Page, elsewhere: str, blocks: StudioBlocks) -> None:
    page.goto(elsewhere)

    framed = frames_of(page, blocks)

    assert not [each for each in framed if each.locator("gradio-app, .gradio-container, form").count()]


def test_a_site_of_another_name_neither_frames_the_page_nor_acts_on_it(
    rebound: Page, elsewhere: str, blocks: StudioBlocks, take: str, past: Past
) -> None:
    stored = uploads_of(blocks)
    rebound.goto(elsewhere.replace(LOOPBACK, "evil.test"))

    framed = frames_of(rebound, blocks)
    seen = rebound.evaluate(ACT, [f"http://{LOOPBACK}:{blocks.server_port}/", take])

    assert not [each for each in framed if each.locator("gradio-app, .gradio-container, form").count()]
    assert {status for status, _ in seen} == {0}
    assert uploads_of(blocks) == stored
    assert past.studio.takes.get(take, LOCAL).id == take


def test_a_link_of_another_site_opens_the_page(page: Page, elsewhere: str, blocks: StudioBlocks) -> None:
    page.goto(elsewhere)
    page.evaluate("url => { document.body.innerHTML = `<a href=${url}>Open</a>` }", str(blocks.local_url))
    page.get_by_role("link", name="Open").click()

    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
