"""Downloads belong to the studio: they outlive closed pages and killed processes, one at a time, beside jobs."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from ltx_studio.cancel import CancelToken
from ltx_studio.downloads.xet import PIECE
from ltx_studio.errors import GateError, ModelMissingError
from ltx_studio.events import Cancelled, Failed, Fetching, FetchPhase, Finished, Waiting
from ltx_studio.models import ModelFile
from ltx_studio.models.hub_cache import PARTIAL
from ltx_studio.queue import LOCAL
from ltx_studio.queue.database import Database
from ltx_studio.queue.downloads import DownloadQueue
from ltx_studio.queue.states import Cancelled as Stopped
from ltx_studio.queue.states import Done, Queued, Running
from ltx_studio.runners.downloader import Downloader, _Report
from ltx_studio.settings import Settings
from ltx_studio.studio import Models, Studio
from tests.forked import run_forked
from tests.hub import Fault
from tests.runners.quick import QuickRunner
from tests.shop import SIZE, Shop
from tests.support import ROOT, small_spec

SERVER = """
import sys, threading
from bench.faults.trap import kill, set_trap
from ltx_studio.settings import get_settings
from ltx_studio.studio import Models
if len(sys.argv) > 1:
    set_trap(kill, sys.argv[1], "after", int(sys.argv[2]))
Models.open(get_settings()).work()
threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("phases", "grown"),
    [
        ([("checking", 10), ("checking", 20), ("fetching", 30)], False),
        ([("checking", 10), ("fetching", 30), ("fetching", 31)], True),
        ([("fetching", 0), ("done", 30)], True),
        ([("done", 30)], False),
    ],
)
def test_only_new_bytes_count_as_growth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, phases: list[tuple[FetchPhase, int]], grown: bool
) -> None:
    """Otherwise a download that ends the studio each time would start for ever."""
    queue, reported = DownloadQueue(Database(tmp_path / "studio.db")), []
    monkeypatch.setattr(queue, "report", lambda *_, has_grown: reported.append(has_grown))
    report = _Report(queue, "a download", "me")

    for phase, done in phases:
        report.see(Fetching("a", phase, done, 100, done, 100))
        report.now()

    assert any(reported) == grown


def worked(
    downloader: Downloader, rounds: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> list[logging.LogRecord]:
    """Return what a downloader logs in some rounds, without its pauses."""
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        if len(pauses) == rounds:
            downloader._over.set()
        return False

    monkeypatch.setattr(downloader._over, "wait", pause)
    monkeypatch.setattr(downloader._news, "wait", pause)
    caplog.clear()
    downloader._work()
    return [record for record in caplog.records if record.name.startswith("ltx_studio")]


def test_a_wrong_cache_is_logged_once_and_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", hub_cache=tmp_path / "cache")
    (tmp_path / "cache").write_text("no folder")
    queue = DownloadQueue(Database(settings.database_file))

    assert worked(Downloader(settings, queue), 3, caplog, monkeypatch) == [], "nothing waits"

    queue.submit("A file", "/cache", ["loras/a"])
    (record,) = worked(Downloader(settings, queue), 3, caplog, monkeypatch)
    assert record.exc_info is None
    assert str(tmp_path / "cache") in record.getMessage()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that is held here is waited for, however slow the machine is."""
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 300)


@pytest.fixture
def models(shop: Shop) -> Iterator[Models]:
    with opened(shop) as models:
        yield models


@contextmanager
def opened(shop: Shop) -> Iterator[Models]:
    """The models of a studio, as a process has them."""
    models = Models.open(shop.settings)
    yield models
    assert models.close(60)


@contextmanager
def server(shop: Shop, *trap: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that carries out downloads until it is killed, at the latest here."""
    command = [sys.executable, "-c", SERVER, *trap]
    process = subprocess.Popen(command, env=shop.environment(HF_HUB_DOWNLOAD_TIMEOUT="300"), cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def held(shop: Shop, file: ModelFile, at: int = SIZE // 2) -> tuple[Fault, threading.Event]:
    """Have the hub send half of a file, and wait."""
    release = threading.Event()
    return shop.hub.fail(file.path, cut=at, wait=release), release


def until(is_so: Callable[[], object]) -> None:
    for _ in range(6000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def came(shop: Shop, count: int) -> Callable[[], bool]:
    """Tell whether a partial file has that many bytes."""
    assert shop.settings.hub_cache is not None
    cache = shop.settings.hub_cache
    return lambda: any(path.stat().st_size >= count for path in cache.rglob(f"*{PARTIAL}"))


def is_here(shop: Shop, file: ModelFile) -> bool:
    path = shop.store().path(file)
    return path.is_file() and path.read_bytes() == shop.contents(file)


def test_a_download_goes_on_when_its_follower_is_closed(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    download = models.get([file], "A file")
    models.work()
    follower = models.follow(download)
    until(lambda: isinstance(next(follower), Fetching))
    until(came(shop, SIZE // 2))

    follower.close()
    release.set()

    *_, end = models.follow(download)
    assert isinstance(end, Finished)
    assert is_here(shop, file)
    assert shop.hub.sent() < 1.1 * SIZE


def test_several_see_the_same_progress(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    download = models.get([file], "A file")
    models.work()
    with opened(shop) as others:
        until(lambda: others.download(download).progress.done == SIZE // 2)
        found = others.downloads()[0]
        assert isinstance(found.state, Running)
        assert (found.title, found.progress.size) == ("A file", SIZE)
        release.set()
        *_, last, end = (event for event in others.follow(download) if isinstance(event, Fetching | Finished))
    assert isinstance(end, Finished)
    assert isinstance(last, Fetching)
    assert (last.phase, last.done) == ("done", SIZE)


def test_after_a_kill_of_the_server_the_next_one_goes_on_at_the_byte(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    download = models.get([file], "A file")
    with server(shop) as process:
        until(came(shop, SIZE // 2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    release.set()
    sent = shop.hub.sent()

    models.work()

    *_, end = models.follow(download)
    assert isinstance(end, Finished)
    assert is_here(shop, file)
    assert shop.hub.sent() - sent == SIZE // 2


def test_after_a_kill_of_the_server_xet_goes_on_at_the_byte(
    shop: Shop, models: Models, caplog: pytest.LogCaptureFixture
) -> None:
    file = shop.add_in_xet("a.safetensors", size=4 * PIECE)
    download = models.get([file], "A file")
    with server(shop, "ltx_studio.downloads.file_download:_Part.append", "2") as process:
        assert process.wait(100) == -signal.SIGKILL

    with caplog.at_level("INFO", "ltx_studio"):
        models.work()
        *_, end = models.follow(download)

    assert isinstance(end, Finished)
    assert is_here(shop, file)
    assert f"by Xet from byte {2 * PIECE}\n" in caplog.text
    assert shop.hub.sent() == 0


def test_what_a_killed_command_left_is_continued_by_the_studio(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    command = [sys.executable, "-m", "ltx_studio", "models", "get", file.name]
    process = subprocess.Popen(command, env=shop.environment(), stderr=subprocess.DEVNULL, cwd=ROOT)
    until(came(shop, SIZE // 2))
    (left,) = models.active_downloads()
    process.kill()
    process.wait()
    release.set()

    models.work()

    *_, end = models.follow(left.id)
    assert isinstance(end, Finished)
    assert is_here(shop, file)
    assert shop.hub.sent() < 1.1 * SIZE


def test_one_cache_has_one_download_at_a_time_whatever_the_process_and_the_home(
    shop: Shop, models: Models, tmp_path: Path
) -> None:
    first, second = shop.add("a.safetensors"), shop.add("b.safetensors")
    elsewhere = Shop(shop.hub, replace(shop.settings, home=tmp_path / "other home"))
    elsewhere.know(second.name, repo=second.repo)
    _, release = held(shop, first)
    one = models.get([first], "One")
    with server(shop), opened(elsewhere) as others:
        until(came(shop, SIZE // 2))
        other = others.get([second], "Another")
        others.work()
        cancel = CancelToken()
        for event in others.fetch([second], "Another", cancel):
            if isinstance(event, Waiting):
                break
        assert event == Waiting("download")
        assert shop.hub.sent(second.path) == 0
        assert isinstance(others.download(other).state, Queued)

        release.set()

        *_, end = others.follow(other)
        assert isinstance(end, Finished)
        assert isinstance(models.download(one).state, Done)
    assert is_here(shop, first)


def test_what_is_here_already_waits_for_no_other(shop: Shop, models: Models) -> None:
    here, coming = shop.add("a.safetensors"), shop.add("b.safetensors")
    *_, _ = models.fetch([here], "Here", CancelToken())
    _, release = held(shop, coming)
    models.get([coming], "Coming")
    models.work()
    until(came(shop, SIZE // 2))

    with opened(shop) as others:
        *_, end = others.fetch([here], "Here again", CancelToken())

    release.set()
    assert isinstance(end, Finished)


def test_downloads_and_jobs_run_side_by_side(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    studio = Studio(shop.settings, QuickRunner(shop.settings))
    download = studio.models.get([file], "A file")
    studio.models.work()
    until(came(shop, SIZE // 2))

    (job,) = studio.jobs.submit(LOCAL, [small_spec()])
    studio.work()
    *_, ended = studio.jobs.follow(job, LOCAL)

    assert isinstance(ended.state, Done), ended
    assert isinstance(studio.models.download(download).state, Running)
    release.set()
    *_, end = studio.models.follow(download)
    assert isinstance(end, Finished)
    assert studio.close(60)


def test_a_download_is_stopped_from_elsewhere_and_keeps_its_bytes(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    download = models.get([file], "A file")
    models.work()
    until(came(shop, SIZE // 2))

    with opened(shop) as others:
        others.cancel(download)
    *_, end = models.follow(download)

    release.set()
    assert isinstance(end, Cancelled)
    assert isinstance(models.download(download).state, Stopped)
    assert came(shop, SIZE // 2)()
    *_, end = models.fetch([file], "A file", CancelToken())
    assert isinstance(end, Finished)
    assert shop.hub.sent() < 1.1 * SIZE


def test_a_studio_that_closes_puts_its_download_back(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    with opened(shop) as models:
        download = models.get([file], "A file")
        models.work()
        until(came(shop, SIZE // 2))

    assert isinstance(models.download(download).state, Queued)
    release.set()


def test_a_failed_one_says_why_and_the_next_goes_on(shop: Shop, models: Models) -> None:
    closed, file = shop.add("a.safetensors", repo="org/closed"), shop.add("b.safetensors")
    shop.hub.repos["org/closed"].gate = "hf_secret"
    one, other = models.get([closed], "Closed"), models.get([file], "Open")

    models.work()

    *_, end = models.follow(one)
    assert isinstance(end, Failed)
    assert isinstance(end.error, GateError)
    assert models.download(one).error == end.error
    *_, end = models.follow(other)
    assert isinstance(end, Finished)


def test_what_is_known_no_longer_fails_with_the_reason(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    download = models.get([file], "A file")
    (shop.settings.home / "models.toml").write_text("")

    models.work()

    *_, end = models.follow(download)
    assert isinstance(end, Failed)
    assert "no model file" in end.error.message


def test_a_token_opens_the_gate_and_is_not_stored(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    shop.hub.repos[file.repo].gate = "hf_secret"
    with server(shop):  # which has no token, and must not take this download
        *_, end = models.fetch([file], "A file", CancelToken(), token="hf_secret")

    assert isinstance(end, Finished), end
    stored = b"".join(path.read_bytes() for path in shop.settings.home.glob("studio.db*"))
    assert b"A file" in stored
    assert b"hf_secret" not in stored


def test_a_repair_survives_a_kill_too(shop: Shop, models: Models) -> None:
    from ltx_studio.models.files import identity

    file = shop.add("a.safetensors", bytes=SIZE)
    *_, _ = models.fetch([file], "A file", CancelToken())
    whole = shop.store().path(file).resolve()
    contents = bytearray(shop.contents(file))
    contents[-1] ^= 255
    whole.write_bytes(contents)
    _, release = held(shop, file)
    repair = models.get([file], "Repair", damaged=[identity(whole)])
    with server(shop) as process:
        until(came(shop, SIZE // 2))
        process.kill()
    release.set()

    models.work()

    *_, end = models.follow(repair)
    assert isinstance(end, Finished)
    assert is_here(shop, file)


def test_a_file_without_a_source_is_named(shop: Shop, models: Models) -> None:
    file = shop.know("mine.safetensors")

    *_, end = models.fetch([file], "Mine", CancelToken())

    assert isinstance(end, Failed)
    assert isinstance(end.error, ModelMissingError)


def run(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_forked(["models", *arguments], shop.environment(), ROOT, 100)


def test_commands_list_and_stop_what_runs_elsewhere(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    download = models.get([file], "One LoRA")
    models.work()
    until(lambda: models.download(download).progress.done == SIZE // 2)

    shown = run(shop, "downloads")
    (listed,) = json.loads(run(shop, "downloads", "--json").stdout)
    stopped = run(shop, "stop", download)

    assert "running" in shown.stdout
    assert "1.5 MB of 3.0 MB  One LoRA" in shown.stdout
    assert (listed["id"], listed["state"], listed["bytes"]) == (download, "running", SIZE // 2)
    assert listed["files"] == [file.key]
    assert stopped.returncode == 0, stopped.stderr
    *_, end = models.follow(download)
    assert isinstance(end, Cancelled)
    assert "ltx-studio models downloads" in run(shop, "stop", "nobody").stderr
    release.set()


def test_get_follows_what_the_studio_fetches_already_and_leaves_it_running(shop: Shop, models: Models) -> None:
    file = shop.add("a.safetensors")
    _, release = held(shop, file)
    download = models.get([file], "A file")
    models.work()
    until(came(shop, SIZE // 2))
    command = [sys.executable, "-m", "ltx_studio", "models", "get", file.name]
    process = subprocess.Popen(command, env=shop.environment(), stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    for line in process.stderr:
        if "50%" in line:
            break
    process.send_signal(signal.SIGINT)

    _, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"models stop {download}" in said
    assert isinstance(models.download(download).state, Running)
    release.set()
    done = run(shop, "get", file.name)
    assert done.returncode == 0, done.stderr
    assert len(models.downloads()) <= 2
    assert shop.hub.sent() < 1.1 * SIZE
