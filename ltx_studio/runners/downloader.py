"""Carry downloads out: one after another for each cache, beside the jobs."""

import contextlib
import logging
import sqlite3
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

from ltx_studio.cancel import CancelToken
from ltx_studio.downloads import ensure_models
from ltx_studio.errors import DownloadError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Fetching, Finished, Outcome, Waiting
from ltx_studio.models.files import ModelFile
from ltx_studio.models.hub_cache import HubCache
from ltx_studio.models.store import NOTHING, Store
from ltx_studio.queue.download import Download, DownloadProgress
from ltx_studio.queue.downloads import DownloadQueue
from ltx_studio.queue.states import Queued
from ltx_studio.queue.workers import LEASE_SECONDS, RENEW_SECONDS, WorkerId, is_gone
from ltx_studio.runners.patience import PAUSE_SECONDS, patiently
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""How often to look for downloads that other processes requested, or left behind."""

REPORT_SECONDS = 0.4
"""The shortest time between two reports of progress, which also ask if the download is to stop."""


class DownloadExecutor:
    """Carries downloads out in the caller's thread.

    Args:
        settings: The studio's settings.
        queue: The downloads.
        closing: Set while the studio is closing: a download that is stopped then goes back to the queue. Until then, a
            database that cannot be written is waited for. With None, neither happens, as a command wants it.
    """

    def __init__(self, settings: Settings, queue: DownloadQueue, closing: threading.Event | None = None) -> None:
        self._settings, self._queue, self._closing = settings, queue, closing
        self._workers = settings.downloaders_dir
        self._worker = WorkerId(self._workers)

    @property
    def worker(self) -> str:
        """The id that downloads are leased to."""
        return self._worker.id

    def hold(self) -> None:
        """Show other processes that this worker lives.

        Raises:
            OSError: The studio's home cannot be written.
        """
        self._worker.hold()

    def release(self) -> None:
        """Let other workers have what this one did not end."""
        self._worker.release()

    def recover(self) -> None:
        """Let anyone go on with the downloads whose process is gone."""
        now = time.time()
        self._queue.recover(lambda worker, lease_until: is_gone(worker, lease_until, self._workers, now))

    def renew(self, download: Download) -> None:
        """Renew the lease of a waiting download of this worker when that is due."""
        is_due = download.lease_until is not None and download.lease_until < time.time() + LEASE_SECONDS - RENEW_SECONDS
        if download.worker == self.worker and is_due:
            self._queue.renew(download.id, self.worker)

    def has_waiting(self) -> bool:
        """Return whether any download waits, into this cache or another."""
        return any(isinstance(each.state, Queued) for each in self._queue.active())

    def run_next(self, cancel: CancelToken, *, only: str | None = None, token: str | None = None) -> Iterator[Event]:
        """Carry out the next download into this cache; yield nothing if there is none, or another one runs.

        Afterwards the download's row says how it ended. Closing the iterator puts it back into the queue.

        Args:
            cancel: Stops the download.
            only: Carry out this one and no other.
            token: A token for the hub, in place of the user's own. It is not stored.
        """
        cache = cache_of(self._settings)
        download = self._queue.next(cache, self.worker, only)
        if download is None:
            return
        with self._turn(download) as is_ours:
            claimed = self._queue.claim(cache, self.worker, download.id) if is_ours else None
            if claimed is not None:
                yield from self._carry_out(claimed, cancel, token)

    def _turn(self, download: Download) -> AbstractContextManager[bool]:
        """Return the lock of downloads into the cache; what is here already needs none."""
        with contextlib.suppress(StudioError):  # the download fails with this error
            store, distrust = Store(self._settings), download.damaged or NOTHING
            if all(store.find(file, distrust) for file in _files_of(download, store)):
                return nullcontext(True)
        return HubCache(self._settings).turn()

    def _carry_out(self, download: Download, cancel: CancelToken, token: str | None) -> Iterator[Event]:
        report = _Report(self._queue, download.id, self.worker)
        try:
            outcome: Outcome = Failed(DownloadError("The download ended without a result.", "Try again."))
            for event in self._events(download, cancel, token):
                if isinstance(event, Finished | Failed | Cancelled):
                    outcome = event
                    break
                if report.see(event):
                    cancel.cancel()
                yield event
        except GeneratorExit:
            self._queue.release(download.id, self.worker)
            raise
        report.now()
        self._end(download, outcome)
        yield outcome

    def _events(self, download: Download, cancel: CancelToken, token: str | None) -> Iterator[Event]:
        """Yield the events of the download; like `ensure_models`, it does not raise."""
        try:
            store = Store(self._settings, token=token)
            files = _files_of(download, store)
        except StudioError as error:
            yield Failed(error)
            return
        distrust, is_repair = download.damaged or NOTHING, download.damaged is not None
        try:
            yield from ensure_models(files, store, cancel, distrust=distrust, repair=is_repair)
        except Exception as error:
            log.exception("download %s could not be carried out", download.id)
            yield Failed(DownloadError.unexpected(error, details=traceback.format_exc()))

    def _end(self, download: Download, outcome: Outcome) -> None:
        """Write how a download ended. Where that is impossible, another worker finds out when this one is gone."""

        def end() -> None:
            match outcome:
                case Finished():
                    self._queue.finish(download.id, self.worker)
                case Failed(error):
                    log.error("%s: %s", download.title, error.message)
                    self._queue.fail(download.id, self.worker, error)
                case Cancelled() if self._closing is None:
                    self._queue.withdraw(download.id, self.worker)
                case Cancelled() if self._closing.is_set():
                    self._queue.release(download.id, self.worker)
                case Cancelled():
                    self._queue.drop(download.id, self.worker)

        try:
            end() if self._closing is None else patiently(end, self._closing)
        except sqlite3.Error:
            log.exception("the end of download %s could not be stored", download.id)


class _Report:
    """The progress of a running download, written a few times per second at most."""

    def __init__(self, queue: DownloadQueue, download_id: str, worker: str) -> None:
        self._queue, self._id, self._worker = queue, download_id, worker
        self._files: dict[str, Fetching] = {}
        self._had: dict[str, int] = {}
        self._wait: Waiting | None = None
        self._has_grown = False
        self._at = 0.0

    def see(self, event: Event) -> bool:
        """Note an event, and return whether the download must stop."""
        if isinstance(event, Fetching):
            self._files[event.file], self._wait = event, None
            self._compare(event)
        elif isinstance(event, Waiting):
            self._wait = event
        return time.monotonic() - self._at >= REPORT_SECONDS and self.now()

    def _compare(self, event: Fetching) -> None:
        """Note whether a file has new bytes; those that are only checked were here before."""
        if event.phase == "fetching":
            self._had.setdefault(event.file, event.done)
        self._has_grown |= event.done > self._had.get(event.file, event.done)

    def now(self) -> bool:
        """Write the progress, and return whether the download must stop. A failed report never ends a download."""
        progress = DownloadProgress(tuple(self._files.values()), self._wait)
        self._at = time.monotonic()
        try:
            return self._queue.report(self._id, self._worker, progress, has_grown=self._has_grown)
        except sqlite3.Error:
            return False


class Downloader:
    """A thread that carries out the downloads that wait; several processes may have one."""

    def __init__(self, settings: Settings, queue: DownloadQueue) -> None:
        self._over, self._news = threading.Event(), threading.Event()
        self._executor = DownloadExecutor(settings, queue, self._over)
        self._cancel = CancelToken()
        self._thread = threading.Thread(target=self._work, name="downloader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Look for new downloads at once."""
        self._news.set()

    def stop(self) -> None:
        """Start no more downloads, and have the running one put back into the queue; do not wait."""
        self._over.set()
        self._news.set()
        self._cancel.cancel()

    def close(self, timeout: float) -> bool:
        """Stop, wait, and return whether all has ended."""
        self.stop()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        has_complained = False
        while not self._over.is_set():
            try:
                self._do_what_waits()
                has_complained = False
            except Exception as error:
                if not has_complained:
                    _complain(error)
                has_complained = True
                self._over.wait(PAUSE_SECONDS)
        self._executor.release()

    def _do_what_waits(self) -> None:
        """Carry out the next download; pause if there is none."""
        self._executor.hold()
        self._executor.recover()
        if not (self._executor.has_waiting() and self._did_one()):
            self._news.wait(IDLE_SECONDS)
            self._news.clear()

    def _did_one(self) -> bool:
        self._cancel = CancelToken()
        if self._over.is_set():
            self._cancel.cancel()
        did_one = False
        for _ in self._executor.run_next(self._cancel):
            did_one = True
        return did_one


def _complain(error: Exception) -> None:
    """Log why downloads cannot be carried out now."""
    if isinstance(error, StudioError):
        log.error("downloads cannot be carried out now: %s", error.message)
    else:
        log.error("downloads cannot be carried out now", exc_info=error)


def cache_of(settings: Settings) -> str:
    """Return the cache that downloads go to, as their rows name it.

    Raises:
        SetupError: It is a file, or HF_ENDPOINT is not an address.
    """
    return str(HubCache(settings).folder.resolve())


def _files_of(download: Download, store: Store) -> list[ModelFile]:
    """Return the files of a download.

    Raises:
        RequestError: The registry does not know one any more.
    """
    return [store.registry.get_file(key) for key in download.files]
