"""Files that the hub has in Xet: fetched from there at any byte, checked like others, and by HTTP where Xet fails."""

import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from ltx_studio.cancel import CancelToken
from ltx_studio.downloads import ensure_models, xet
from ltx_studio.downloads.file_download import Fetch, Patience, _Part
from ltx_studio.downloads.hub import Hub
from ltx_studio.downloads.xet import PIECE, XetError, XetStream
from ltx_studio.errors import StoppedError
from ltx_studio.events import Cancelled, Event, Fetching, Finished
from ltx_studio.models import ModelFile
from ltx_studio.models.hub_cache import PARTIAL, XetFile
from tests.shop import Shop
from tests.support import ROOT

SIZE = 4 * PIECE
SOON = Patience(tries=3, first=0.01, longest=0.02)


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "ltx_studio"):
        yield


def ensure(shop: Shop, file: ModelFile, cancel: CancelToken | None = None) -> list[Event]:
    return list(ensure_models([file], shop.store(), cancel, patience=SOON))


def is_whole(shop: Shop, file: ModelFile) -> bool:
    return shop.cached(file).read_bytes() == shop.contents(file) and not left(shop)


def left(shop: Shop) -> list[Path]:
    assert shop.settings.hub_cache is not None
    return list(shop.settings.hub_cache.rglob(f"*{PARTIAL}"))


def test_a_file_in_xet_comes_from_there_with_progress(shop: Shop) -> None:
    file = shop.add_in_xet("a.safetensors", size=SIZE)

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_whole(shop, file)
    assert shop.hub.sent() == 0, "no byte came by HTTP"
    assert [event for event in events if isinstance(event, Fetching)][-1].done == SIZE


def test_a_partial_file_is_continued_at_its_byte(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    file = shop.add_in_xet("a.safetensors", size=SIZE)
    have = SIZE // 2 + 7
    remote = shop.hub.put(file.repo, file.path, shop.contents(file))
    partial = shop.store().cache.partial(file.repo, remote)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(shop.contents(file)[:have])

    ensure(shop, file)

    assert is_whole(shop, file)
    assert f"by Xet from byte {have}\n" in caplog.text


def test_what_http_began_xet_ends(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shop.add("a.safetensors", size=SIZE)
    shop.hub.fail(file.path, cut=SIZE // 4, times=3)
    cancel = CancelToken()
    events = ensure_models([file], shop.store(), cancel, patience=Patience(tries=3, first=60, longest=60))
    for event in events:
        if isinstance(event, Fetching) and event.phase == "retrying":
            cancel.cancel()
    shop.hub.put_into_xet(shop.contents(file), shop.settings.home.parent / "xet-store")

    ensure(shop, file)

    assert is_whole(shop, file)
    assert f"by Xet from byte {SIZE // 4}\n" in caplog.text
    assert shop.hub.sent() == SIZE // 4


def test_a_killed_download_goes_on_at_its_byte(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    file = shop.add_in_xet("a.safetensors", size=SIZE)
    place = ("ltx_studio.downloads.file_download:_Part.append", "after", "2")
    command = [sys.executable, "-m", "bench.faults.trap", "kill", *place, "--", "models", "get", file.name]
    killed = subprocess.run(command, cwd=ROOT, env=shop.environment(), capture_output=True, timeout=100, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (partial,) = left(shop)
    assert partial.stat().st_size == 2 * PIECE

    ensure(shop, file)

    assert is_whole(shop, file)
    assert f"by Xet from byte {2 * PIECE}\n" in caplog.text
    assert shop.hub.sent() == 0


def test_a_stop_acts_within_a_block(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.add_in_xet("a.safetensors", size=SIZE)
    cancel, real = CancelToken(), _Part.append

    def stop_after(part: _Part, block: Any) -> None:
        real(part, block)
        cancel.cancel()
        stopped.wait(30)

    stopped = threading.Event()
    monkeypatch.setattr(_Part, "append", stop_after)

    events = ensure(shop, file, cancel)

    stopped.set()
    for thread in threading.enumerate():
        if thread.name == "models-fetch":
            thread.join(30)
    assert isinstance(events[-1], Cancelled)
    (partial,) = left(shop)
    assert partial.stat().st_size == PIECE


def test_a_stop_acts_while_the_storage_is_silent(shop: Shop) -> None:
    file, cancel = shop.add_in_xet("a.safetensors", size=SIZE), CancelToken()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shop.hub.xet_storage = f"http://127.0.0.1:{silent.getsockname()[1]}"
        events = ensure_models([file], shop.store(), cancel, patience=SOON)
        for event in events:
            if isinstance(event, Fetching) and event.phase == "fetching":
                silent.accept()
                cancel.cancel()

        for thread in threading.enumerate():
            if thread.name == "models-fetch":
                thread.join(10)
                assert not thread.is_alive()
    assert isinstance(event, Cancelled)


def test_http_goes_on_where_xet_does_not_have_it(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    file = shop.add_in_xet("a.safetensors", size=SIZE)
    (digest,) = shop.hub.xet
    shop.hub.xet[digest] = "0" * 64

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_whole(shop, file)
    assert shop.hub.sent() == SIZE
    assert "cannot be downloaded by Xet, so HTTP continues" in caplog.text


def test_http_goes_on_where_xet_gives_no_token(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    file = shop.add_in_xet("a.safetensors", size=SIZE)
    shop.hub.fail(shop.hub.repos[file.repo].commit, status=403, times=9, at="hub", method="GET")

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_whole(shop, file)
    assert "127.0.0.1" not in caplog.text


def test_wrong_contents_from_xet_are_fetched_again_by_http(shop: Shop) -> None:
    file, other = shop.add_in_xet("a.safetensors", size=SIZE), shop.add_in_xet("b.safetensors", size=SIZE)
    first, second = shop.hub.xet
    shop.hub.xet[first] = shop.hub.xet[second]

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_whole(shop, file)
    assert shop.hub.sent(file.path) == SIZE
    assert shop.hub.sent(other.path) == 0


def test_hugging_faces_own_switch_turns_it_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    file = shop.add_in_xet("a.safetensors", size=SIZE)

    ensure(shop, file)

    assert is_whole(shop, file)
    assert shop.hub.sent() == SIZE


def test_the_token_goes_to_the_hub_only(shop: Shop) -> None:
    class Found:
        class xet_file_data:  # noqa: N801
            file_hash, refresh_route = "0" * 64, "https://elsewhere.example/token"

    assert xet.xet_file(Found(), shop.hub.url) is None
    Found.xet_file_data.refresh_route = f"{shop.hub.url}/token"
    assert xet.xet_file(Found(), shop.hub.url) == XetFile("0" * 64, f"{shop.hub.url}/token")


class Panic(BaseException):
    """What hf_xet raises when its Rust code panics."""


@pytest.mark.parametrize("error", [Panic, OSError])
def test_whatever_hf_xet_raises_lets_http_continue(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    def fail(self: XetStream) -> Iterator[bytes]:
        raise error("inside")

    monkeypatch.setattr(XetStream, "_open", fail)

    with pytest.raises(XetError, match="inside"):
        list(XetStream(XetFile("0" * 64, ""), SIZE, 0, {}))


def test_a_request_to_end_is_no_error_of_xet(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(self: XetStream) -> Iterator[bytes]:
        raise KeyboardInterrupt

    monkeypatch.setattr(XetStream, "_open", end)

    with pytest.raises(KeyboardInterrupt):
        list(XetStream(XetFile("0" * 64, ""), SIZE, 0, {}))


def test_a_stop_just_before_the_stream_is_there_is_noticed_without_a_byte(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`abort` cannot end a stream that it does not see yet, and a silent storage would be waited for."""
    file, stop = shop.add_in_xet("a.safetensors", size=SIZE), CancelToken()
    read: list[object] = []

    class Silent:
        def __iter__(self) -> Iterator[bytes]:
            read.append(self)
            yield b""

        def abort(self) -> None:
            pass

    def stream(*_: object) -> Silent:
        stop.cancel()
        return Silent()

    monkeypatch.setattr(Hub, "xet_stream", stream)
    store = shop.store()
    fetch = Fetch(Hub(shop.settings, store.cache, None), file, SOON, stop, lambda *_: None)

    with pytest.raises(StoppedError):
        fetch.run(fetch.remote(), lambda _: None, ())

    assert read == []
