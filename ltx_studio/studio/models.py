"""The studio's model files: what is here, and downloads, which are jobs of their own kind."""

import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from typing import Self

from ltx_studio.cancel import CancelToken
from ltx_studio.errors import StudioError
from ltx_studio.events import Cancelled, Event, Failed, Fetching, Finished, Heartbeat, Outcome, Waiting
from ltx_studio.models.files import Identity, ModelFile
from ltx_studio.models.remove import Removal, remove
from ltx_studio.models.store import Store
from ltx_studio.models.verify import Reading, Verdict, look
from ltx_studio.queue import states
from ltx_studio.queue.database import Database
from ltx_studio.queue.download import Download
from ltx_studio.queue.downloads import DownloadQueue
from ltx_studio.runners.downloader import Downloader, DownloadExecutor, cache_of
from ltx_studio.settings import Settings

LOOK_SECONDS = 0.25
"""How often a follower looks at a download."""


class Models:
    """The model files of a studio.

    A download belongs to the studio, not to who asked for it: it goes on when a page is closed, and after a kill when
    a studio runs again. For each Hugging Face cache one download runs at a time, beside the jobs.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._queue = DownloadQueue(database)
        self._executor = DownloadExecutor(settings, self._queue)
        self._downloader: Downloader | None = None
        self._guard = threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the model files without the rest of the studio.

        Raises:
            DatabaseDamagedError: The database is damaged.
            SetupError: The database or its folder cannot be used.
        """
        return cls(settings, Database(settings.database_file))

    def store(self) -> Store:
        """Return where the files are, as models.toml says now.

        Raises:
            StudioError: models.toml is wrong, or the cache cannot be used.
        """
        return Store(self._settings)

    # Downloads

    def get(self, files: Sequence[ModelFile], title: str, *, damaged: Collection[Identity] | None = None) -> str:
        """Queue the download of files, and return its id at once; one that brings the same files is returned again.

        A process that works (`work`) carries it out. With `damaged`, these copies are replaced; such a repair is always
        a download of its own.
        """
        return self._submit(files, title, damaged, None)

    def _submit(
        self, files: Sequence[ModelFile], title: str, damaged: Collection[Identity] | None, worker: str | None
    ) -> str:
        self._executor.recover()
        keys = list(dict.fromkeys(file.known_key for file in files))
        download_id = self._queue.submit(title, cache_of(self._settings), keys, damaged=damaged, worker=worker)
        if self._downloader is not None:
            self._downloader.nudge()
        return download_id

    def download(self, download_id: str) -> Download:
        """Return a download.

        Raises:
            RequestError: There is none with this id.
        """
        self._executor.recover()  # else one whose process was killed would look as if it ran
        return self._queue.get(download_id)

    def downloads(self, limit: int = 50) -> list[Download]:
        """Return the downloads: those that run, those that wait in their order, then the ended ones, newest first."""
        self._executor.recover()
        return self._queue.all(limit)

    def active_downloads(self) -> list[Download]:
        """Return the downloads into this studio's cache that run, then those that wait."""
        self._executor.recover()
        try:
            cache = cache_of(self._settings)
        except StudioError:
            return []
        return [each for each in self._queue.active() if each.cache == cache]

    def cancel(self, download_id: str) -> Download:
        """Cancel a download; one that runs stops soon. What has been fetched is kept.

        Raises:
            RequestError: There is none with this id.
        """
        self._executor.recover()  # a process that was killed would not see the request
        return self._queue.cancel(download_id)

    def bringing(self, files: Iterable[ModelFile]) -> Download | None:
        """Return a download into this studio's cache that brings all these files; None without files."""
        keys = {file.known_key for file in files}
        if not keys:
            return None
        coming = (each for each in self.active_downloads() if not each.is_stopping)
        return next((each for each in coming if keys <= set(each.files)), None)

    def work(self) -> None:
        """Start this process's downloader, which carries out what waits; a second call does nothing."""
        with self._guard:
            if self._downloader is None:
                self._downloader = Downloader(self._settings, self._queue)
                self._downloader.start()
        self._downloader.nudge()

    def stop(self) -> None:
        """Have a running download put back into the queue, and do not wait; `close` does."""
        if self._downloader is not None:
            self._downloader.stop()

    def close(self, timeout: float) -> bool:
        """Put a running download back into the queue, wait, and return whether all has ended."""
        return self._downloader is None or self._downloader.close(timeout)

    def follow(self, download_id: str) -> Generator[Event, None, None]:
        """Yield the events of a download, up to its end; closing the iterator ends nothing.

        Raises:
            RequestError: There is none with this id.
        """
        news = _News()
        while True:
            found = self.download(download_id)
            others = (each for each in self._queue.active() if each.id != download_id and each.cache == found.cache)
            yield from news.of(found, is_blocked=any(isinstance(each.state, states.Running) for each in others))
            if not found.is_active:
                yield _outcome(found)
                return
            time.sleep(LOOK_SECONDS)
            yield Heartbeat(time.time() - found.created)

    def fetch(
        self,
        files: Sequence[ModelFile],
        title: str,
        cancel: CancelToken,
        *,
        damaged: Collection[Identity] | None = None,
        token: str | None = None,
    ) -> Generator[Event, None, None]:
        """Fetch files in this process, or follow the download that brings them already, and yield its events.

        Setting `cancel` stops the download unless somebody else requested it too.

        Args:
            files: The files.
            title: What they are, for users.
            cancel: Stops it.
            damaged: Replace these copies.
            token: A token for the hub, in place of the user's own. It is not stored.
        """
        executor = DownloadExecutor(self._settings, self._queue)  # another fetch must not release this one's lease
        executor.hold()
        try:
            download_id = self._submit(files, title, damaged, executor.worker)
            yield from self._carry_out(download_id, executor, cancel, token)
        finally:
            executor.release()

    def _carry_out(
        self, download_id: str, executor: DownloadExecutor, cancel: CancelToken, token: str | None
    ) -> Iterator[Event]:
        news = _News()
        while True:
            for event in executor.run_next(cancel, only=download_id, token=token):
                yield event
                if isinstance(event, Finished | Failed | Cancelled):
                    return
            found = self._queue.get(download_id)
            is_withdrawn = cancel.cancelled
            if is_withdrawn:
                found = self._queue.withdraw(download_id, executor.worker)
            executor.renew(found)
            yield from news.of(found, is_blocked=True)
            if not found.is_active or is_withdrawn:
                yield Cancelled() if found.is_active else _outcome(found)
                return
            cancel.wait(LOOK_SECONDS)
            executor.recover()

    # Files

    def verify(self, files: Iterable[ModelFile], *, contents: bool) -> Iterator[Reading | Verdict]:
        """Check the copies of files, and yield progress and verdicts; with `contents`, every byte is read."""
        return look(files, self.store(), contents=contents)

    def remove(self, removals: Iterable[Removal]) -> list[Removal]:
        """Carry out planned removals; return what was removed and kept."""
        store = self.store()
        return [remove(removal, store) for removal in removals]


class _News:
    """Tells what has changed about a download since the last look, as events."""

    def __init__(self) -> None:
        self._waiting: Waiting | None = None
        self._told: dict[str, Fetching] = {}

    def of(self, download: Download, *, is_blocked: bool) -> Iterator[Event]:
        """Yield the events; `is_blocked` says whether another download keeps a waiting one from its start."""
        if isinstance(download.state, states.Queued):
            waiting = Waiting("download") if is_blocked else None
        else:
            waiting = download.progress.wait
        if waiting is not None and waiting != self._waiting:
            self._waiting = waiting
            yield waiting
        for each in download.progress.files:
            if self._told.get(each.file) != each:
                self._told[each.file] = each
                yield each


def _outcome(download: Download) -> Outcome:
    """Return how a download ended."""
    match download.state:
        case states.Done(started, ended):
            return Finished((), ended - started)
        case states.Failed(_, error):
            return Failed(error)
    return Cancelled()
