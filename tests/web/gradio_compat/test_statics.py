"""`ltx_studio.web.gradio_compat.statics`: Gradio's own files, answered from memory."""

from pathlib import Path

import pytest
from gradio.brotli_middleware import BrotliMiddleware
from gradio.route_utils import BUILD_PATH_LIB
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ltx_studio.web.gradio_compat.frontend_patch import patched
from ltx_studio.web.gradio_compat.statics import Statics

A_SCRIPT = max(
    (each for each in Path(BUILD_PATH_LIB).glob("*.js") if patched(each.name, each.read_bytes()) == each.read_bytes()),
    key=lambda each: each.stat().st_size,
)
"""One that is not patched."""


@pytest.fixture
def client() -> TestClient:
    """Behind the middleware, everything is answered by Gradio."""
    behind = Route("/{path:path}", lambda _: PlainTextResponse("Gradio's"), methods=["GET", "POST"])
    return TestClient(Starlette(routes=[behind], middleware=[Middleware(Statics)]))


def test_a_file_of_the_page_comes_as_it_is_and_may_be_kept(client: TestClient) -> None:
    answer = client.get(f"/assets/{A_SCRIPT.name}")

    is_whole = answer.content == A_SCRIPT.read_bytes()  # pytest would take minutes to show how they differ
    assert is_whole
    assert answer.headers["content-type"].split(";")[0] in {"application/javascript", "text/javascript"}
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(("visitor", "packing"), [("127.0.0.1", "identity"), ("192.0.2.7", "br")])
def test_it_is_packed_only_for_other_machines(visitor: str, packing: str) -> None:
    app = BrotliMiddleware(Statics(Starlette()), quality=4)  # as Gradio lays its own around ours
    client = TestClient(app, client=(visitor, 5000))

    with client.stream("GET", f"/assets/{A_SCRIPT.name}", headers={"accept-encoding": "br"}) as answer:
        assert answer.headers["content-encoding"] == packing
        assert (b"".join(answer.iter_raw()) == A_SCRIPT.read_bytes()) == (packing == "identity")


@pytest.mark.parametrize(
    "path", ["/", "/assets/", "/assets/..%2Findex.html", "/assets/%2Fetc%2Fpasswd", "/assets/svelte", "/other/x.js"]
)
def test_anything_else_is_left_to_gradio(client: TestClient, path: str) -> None:
    assert client.get(path).text == "Gradio's"
    assert client.post(f"/assets/{A_SCRIPT.name}").text == "Gradio's"


def test_a_name_without_its_folder_is_not_known(client: TestClient) -> None:
    assert client.get(f"/{A_SCRIPT.name}").text == "Gradio's"
