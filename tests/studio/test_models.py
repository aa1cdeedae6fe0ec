"""Downloads as a studio's interfaces see them: those of dead processes and of other caches hold nobody up."""

from dataclasses import replace
from pathlib import Path

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.events import Cancelled as Ended
from ltx_studio.events import Waiting
from ltx_studio.models import ModelFile, Store
from ltx_studio.models.hub_cache import HubCache
from ltx_studio.queue.database import Database
from ltx_studio.queue.downloads import DownloadQueue
from ltx_studio.queue.states import Cancelled, Queued
from ltx_studio.queue.workers import WorkerId
from ltx_studio.runners.downloader import DownloadExecutor, cache_of
from ltx_studio.settings import Settings
from ltx_studio.studio import Models


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", hub_cache=tmp_path / "cache")


@pytest.fixture
def models(settings: Settings) -> Models:
    return Models.open(settings)


@pytest.fixture
def queue(settings: Settings) -> DownloadQueue:
    return DownloadQueue(Database(settings.database_file))


@pytest.fixture
def file(settings: Settings) -> ModelFile:
    return next(iter(Store(settings).registry.files.values()))


def left_by_a_killed_process(settings: Settings, queue: DownloadQueue, file: ModelFile) -> str:
    """Return a download that runs according to its row, although its process is gone."""
    download_id = queue.submit("A file", cache_of(settings), [file.key])
    assert queue.claim(cache_of(settings), WorkerId(settings.downloaders_dir).id) is not None
    return download_id


def test_a_download_of_a_killed_process_is_cancelled_at_once(
    settings: Settings, models: Models, queue: DownloadQueue, file: ModelFile
) -> None:
    left = left_by_a_killed_process(settings, queue, file)

    assert isinstance(models.cancel(left).state, Cancelled)


def test_a_download_of_a_killed_process_is_listed_as_waiting(
    settings: Settings, models: Models, queue: DownloadQueue, file: ModelFile
) -> None:
    left_by_a_killed_process(settings, queue, file)
    (listed,) = models.downloads()
    assert isinstance(listed.state, Queued)

    queue.claim(cache_of(settings), WorkerId(settings.downloaders_dir).id)
    (listed,) = models.active_downloads()
    assert isinstance(listed.state, Queued)


def test_a_download_of_a_killed_process_is_seen_to_wait_by_who_looks_or_follows(
    settings: Settings, models: Models, queue: DownloadQueue, file: ModelFile
) -> None:
    left = left_by_a_killed_process(settings, queue, file)
    assert isinstance(models.download(left).state, Queued)

    queue.claim(cache_of(settings), WorkerId(settings.downloaders_dir).id)
    next(models.follow(left))
    assert isinstance(queue.get(left).state, Queued)


def test_a_download_into_another_cache_brings_nothing(models: Models, queue: DownloadQueue, file: ModelFile) -> None:
    queue.submit("A file", "/another/cache", [file.key])

    assert models.bringing([file]) is None
    assert models.active_downloads() == []
    assert len(models.downloads()) == 1


def test_a_download_that_stops_brings_nothing(
    settings: Settings, models: Models, queue: DownloadQueue, file: ModelFile
) -> None:
    worker = WorkerId(settings.downloaders_dir)
    worker.hold()
    download_id = queue.submit("A file", cache_of(settings), [file.key])
    queue.claim(cache_of(settings), worker.id)
    coming = models.bringing([file])
    assert coming is not None
    assert coming.id == download_id

    models.cancel(download_id)

    assert models.bringing([file]) is None
    worker.release()


def test_a_fetch_that_ends_leaves_another_one_its_download(settings: Settings, models: Models, file: ModelFile) -> None:
    others = [each for each in Store(settings).registry.files.values() if each != file]
    with HubCache(settings).turn() as is_held:
        assert is_held
        first = models.fetch([file], "First", CancelToken())
        second = models.fetch(others[:1], "Second", CancelToken())
        assert next(first) == next(second) == Waiting("download")

        second.close()

        workers = {each.title: each.worker for each in models.downloads()}
        assert workers["First"] is not None
        assert workers["Second"] is None
        first.close()


def test_a_fetch_that_is_stopped_leaves_its_download_to_whoever_requested_it_too(
    settings: Settings, models: Models, file: ModelFile
) -> None:
    with HubCache(settings).turn():
        cancel = CancelToken()
        events = models.fetch([file], "A file", cancel)
        assert next(events) == Waiting("download")
        requested = models.get([file], "The same, on the page")
        cancel.cancel()

        *_, end = events

    assert end == Ended()
    left = models.download(requested)
    assert (left.state.name, left.worker) == ("queued", None)


def test_a_fetch_that_waits_for_long_keeps_its_lease(
    settings: Settings, models: Models, queue: DownloadQueue, file: ModelFile
) -> None:
    executor = DownloadExecutor(settings, queue)
    waiting = queue.get(queue.submit("A file", cache_of(settings), [file.key], worker=executor.worker))

    executor.renew(waiting)
    assert queue.get(waiting.id) == waiting, "not due"

    executor.renew(replace(waiting, lease_until=1.0))
    assert queue.get(waiting.id) != waiting


def test_no_files_are_brought_by_none(models: Models, file: ModelFile) -> None:
    models.get([file], "A file")

    assert models.bringing([]) is None
