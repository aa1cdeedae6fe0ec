"""The small clips of the empty screen's examples: which there are, how they are served, and when they are loaded."""

import re

import pytest
from playwright.sync_api import Page, Request, expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ltx_studio.modes import MODES
from ltx_studio.web.example_clips import CLIPS, PREFIX, ExampleClips, clip_name, poster_name
from tests.web.conftest import Watch
from tests.web.driver import choose, step

MOST_BYTES = 300_000
A_CLIP = "t2v-a-ball-bounces.mp4"


@pytest.fixture
def client() -> TestClient:
    """Behind the middleware, everything is answered by Gradio."""
    behind = Route("/{path:path}", lambda _: PlainTextResponse("Gradio's"), methods=["GET", "POST"])
    return TestClient(Starlette(routes=[behind], middleware=[Middleware(ExampleClips)]))


def test_each_example_of_the_pocket_model_has_a_clip_and_all_are_small() -> None:
    examples = [(mode, each) for mode in MODES.values() for each in mode.examples if each.for_pocket]
    needed = {make(*each) for each in examples for make in (clip_name, poster_name)}

    assert needed == {each.name for each in CLIPS.iterdir()}
    assert sum(each.stat().st_size for each in CLIPS.iterdir()) < MOST_BYTES


def test_a_clip_comes_whole_or_in_part(client: TestClient) -> None:
    whole = client.get(PREFIX + A_CLIP)
    part = client.get(PREFIX + A_CLIP, headers={"range": "bytes=0-99"})

    assert whole.content == (CLIPS / A_CLIP).read_bytes()
    assert (whole.headers["content-type"], whole.headers["content-encoding"]) == ("video/mp4", "identity")
    assert (part.status_code, part.content) == (206, whole.content[:100])


@pytest.mark.parametrize("path", ["/", PREFIX, f"{PREFIX}..%2Fowners.py", f"{PREFIX}%2Fetc%2Fpasswd", f"/{A_CLIP}"])
def test_anything_else_is_left_to_gradio(client: TestClient, path: str) -> None:
    assert client.get(path).text == "Gradio's"
    assert client.post(PREFIX + A_CLIP).text == "Gradio's"


def test_a_card_shows_a_poster_once_the_form_is_there_and_plays_while_it_is_pointed_at(
    page: Page, page_url_without_comfyui: str, watch: Watch
) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if PREFIX in request.url:
            asked.append(request.url.rpartition("/")[2])

    page.on("request", note)
    page.set_viewport_size({"width": 1440, "height": 900})  # where all cards are in sight
    page.goto(page_url_without_comfyui)
    card = page.locator("#screen .example:visible").first
    video = card.locator("video")
    with step("only the posters of the open mode are loaded"):
        expect(video).to_have_attribute("poster", re.compile("t2v-.*webp"))
        choose(page, "i2v")
        shown = page.locator("#screen .example:visible video")
        expect(shown.last).to_have_attribute("poster", re.compile("i2v-.*webp"))
        page.wait_for_function("document.querySelectorAll('#screen video[poster]').length >= 7")
        assert {each.partition("-")[0] for each in asked} == {"t2v", "i2v"}
        assert not [each for each in asked if each.endswith(".mp4")]
        choose(page, "t2v")
    plays = "video => !video.paused && video.currentTime > 0 && video.muted && video.loop"
    with step("it plays under the pointer, and is still afterwards"):
        card.hover()
        page.wait_for_function(plays, arg=video.element_handle())
        page.locator("#studio-header h1").hover()
        page.wait_for_function("video => video.paused && video.currentTime === 0", arg=video.element_handle())
    with step("and with the keyboard's focus"):
        page.locator("#screen .example:visible").nth(1).focus()
        page.keyboard.press("Shift+Tab")
        page.wait_for_function(plays, arg=video.element_handle())
        page.keyboard.press("Tab")
        page.wait_for_function("video => video.paused", arg=video.element_handle())
    with step("it does not move where the system asks for stillness"):
        page.emulate_media(reduced_motion="reduce")
        last = page.locator("#screen .example:visible").last
        last.hover()
        page.wait_for_timeout(300)
        assert last.locator("video").evaluate("video => video.paused && !video.src")
    assert watch.errors == []
