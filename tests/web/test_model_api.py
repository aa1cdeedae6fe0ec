"""Downloads over the API: begun, followed and stopped by whoever may, and nothing told that others must not see."""

import threading
from pathlib import Path

import gradio as gr
import pytest

from ltx_studio.errors import RequestError
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.model_api import ModelEndpoints
from ltx_studio.web.panels.download_board import DownloadBoard
from tests.shop import SIZE, Shop
from tests.web.panels.test_models import with_tiny_set

REQUEST = gr.Request(session_hash="a client")


@pytest.fixture
def owners() -> Owners:
    """The page is for this machine only."""
    owners = Owners()
    owners.apart = False
    return owners


@pytest.fixture
def endpoints(shop: Shop, owners: Owners) -> ModelEndpoints:
    settings = with_tiny_set(shop)
    return ModelEndpoints(Studio(settings).models, Redaction(settings, owners))


def test_a_set_is_downloaded_and_followed(endpoints: ModelEndpoints, shop: Shop) -> None:
    begun = endpoints.download_models("tiny", REQUEST)

    *_, ended = endpoints.follow_download(begun["id"], REQUEST)

    assert (ended["state"], ended["title"], ended["bytes"], ended["total_bytes"]) == (
        "done",
        "Tiny",
        3 * SIZE,
        3 * SIZE,
    )
    assert [each["id"] for each in endpoints.downloads(REQUEST)] == [begun["id"]]
    assert endpoints.download(begun["id"], REQUEST) == ended
    assert shop.hub.sent() == 3 * SIZE


def test_a_download_is_stopped(endpoints: ModelEndpoints, shop: Shop) -> None:
    held = shop.hub.fail("one.safetensors", cut=SIZE // 2, wait=threading.Event())
    begun = endpoints.download_models("tiny", REQUEST)
    for now in endpoints.follow_download(begun["id"], REQUEST):
        if now["bytes"]:
            endpoints.stop_download(begun["id"], REQUEST)

    assert now["state"] == "cancelled"
    assert held.wait is not None
    held.wait.set()


def test_without_a_password_others_only_look(endpoints: ModelEndpoints, owners: Owners) -> None:
    owners.apart, owners.guarded = True, False

    for refused in (endpoints.download_models, endpoints.stop_download):
        with pytest.raises(RequestError, match="Without a password"):
            refused("tiny", REQUEST)
    assert endpoints.downloads(REQUEST) == []


def test_others_see_no_folder_in_an_error(
    endpoints: ModelEndpoints, owners: Owners, shop: Shop, tmp_path: Path
) -> None:
    shop.settings.models_dir.mkdir(parents=True, exist_ok=True)
    (shop.settings.models_dir / "checkpoints").write_text("in the way")
    owners.apart = owners.guarded = True
    begun = endpoints.download_models("tiny", REQUEST)

    *_, ended = endpoints.follow_download(begun["id"], REQUEST)

    assert ended["state"] == "failed"
    error = endpoints._models.download(begun["id"]).error
    assert error is not None
    assert str(tmp_path) in f"{error.message} {error.hint}"
    assert str(tmp_path) not in str(ended)


@pytest.mark.parametrize("may", [True, False])
def test_only_who_may_stop_a_download_sees_the_button(shop: Shop, owners: Owners, *, may: bool) -> None:
    settings = with_tiny_set(shop)
    models, redaction = Studio(settings).models, Redaction(settings, owners)
    board = DownloadBoard(models, redaction)
    with gr.Blocks():
        board.build()
    download_id = models.get(list(models.store().registry.files.values())[:1], "A file")
    owners.apart, owners.guarded = not may, False

    assert board.show(download_id)[board.stop_button]["visible"] == may
