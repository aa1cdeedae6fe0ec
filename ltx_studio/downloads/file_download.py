"""Download of one file from the hub into its cache: by Xet or HTTP Range, resumable, verified before it is linked.

`huggingface_hub` (2.4) downloads into a file with a random name, so it starts from zero after a kill. Here
the partial is named after the blob (``<etag>.ltx-studio.incomplete``), is only ever appended to, and becomes the blob
when its hash matches the hub's.
"""

import contextlib
import hashlib
import logging
import os
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ltx_studio.advice import Advice, Do
from ltx_studio.cancel import CancelToken
from ltx_studio.downloads.hub import Hub, TransientError
from ltx_studio.downloads.xet import XetError, XetStream
from ltx_studio.errors import DiskFullError, DownloadError, StoppedError, StudioError
from ltx_studio.events import FetchPhase
from ltx_studio.fileio import is_full
from ltx_studio.models.files import BLOCK, Identity, ModelFile, identity, is_file
from ltx_studio.models.hub_cache import PARTIAL, Hash, Remote, digest_for
from ltx_studio.permissions import as_usual
from ltx_studio.text.formatting import in_bytes
from ltx_studio.text.phrases import KEPT

log = logging.getLogger(__name__)


WRONG_CONTENTS = 2
"""Downloads with wrong contents after which we conclude that the server has nothing else."""

Report = Callable[[FetchPhase, int, str], None]
"""``report(phase, bytes present, note)``."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Retry policy for transient faults: `tries` in a row without a new byte, pausing `first` seconds, then twice
    as long, up to `longest`."""

    tries: int = 6
    first: float = 1.0
    longest: float = 30.0

    def pause(self, failures: int, asked: float) -> float:
        return float(max(asked, min(self.first * 2 ** (failures - 1), self.longest)))


PATIENCE = Patience()


class Fetch:
    """The download of one file. `note` is anything remarkable about it, for the user."""

    def __init__(self, hub: Hub, file: ModelFile, patience: Patience, cancel: CancelToken, report: Report) -> None:
        self.note = ""
        self._hub = hub
        self._file = file
        self._patience = patience
        self._cancel = cancel
        self._report = report
        self._response: Any = None
        self._stream: XetStream | None = None
        self._may_use_xet = True

    def remote(self) -> Remote:
        """Return the file's metadata from the hub.

        Raises:
            DownloadError: It is unavailable, or does not match the registry.
            StoppedError: It was cancelled.
        """
        remote: Remote = self._patiently(lambda: self._hub.remote(self._file), lambda: 0)
        if self._file.sha256 and len(remote.etag) == 64 and remote.etag != self._file.sha256:
            raise DownloadError(
                f"{self._file.repo} has a different {self._file.path} than expected: its sha256 is "
                f"{remote.etag[:12]}…, not {self._file.sha256[:12]}….",
                f'A newer studio may know it. To use it anyway, enter its bytes and sha256 under [files."'
                f'{self._file.key}"] in models.toml.',
                where=self._file.repo,
            )
        if self._file.exact and remote.size != self._file.size:
            raise DownloadError(
                f"{self._file.repo} has a different {self._file.path} than expected: it has "
                f"{remote.size:,} bytes, not {self._file.size:,}.",
                f'A newer studio may know it. To use it anyway, enter its bytes and sha256 under [files."'
                f'{self._file.key}"] in models.toml.',
                where=self._file.repo,
            )
        return remote

    def run(self, remote: Remote, got: Callable[[Path], None], distrust: Collection[Identity]) -> None:
        """Download the whole file into the cache, under the cache's pointer.

        `got(blob)` is called if bytes were fetched for it, not if the cache already had them. A blob
        whose identity is in `distrust` is fetched again.

        Raises:
            DownloadError: It is unavailable. The partial file is kept.
            StoppedError: It was cancelled. The partial file is kept.
        """
        blob = self._hub.cache.blob(self._file.repo, remote.etag)
        try:
            with as_usual():
                blob.parent.mkdir(parents=True, exist_ok=True)
            with self._hub.cache.lock(self._file.repo, remote.etag, self._while_locked):
                if not self._is_whole(blob, remote, distrust):
                    self._drop_orphans(blob)
                    self._fill(remote, blob)
                    got(blob)
                self._hub.cache.link(self._file, remote)
        except StudioError:
            raise
        except OSError as error:
            raise storage_error(error, self._file, remote.size) from None

    def abort(self) -> None:
        """Interrupt pending network reads; call it from another thread, after cancelling."""
        if self._stream is not None:
            self._stream.abort()
        response = self._response
        stream = response.extensions.get("network_stream") if response is not None else None
        if stream is not None:
            with contextlib.suppress(OSError, AttributeError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _is_whole(self, blob: Path, remote: Remote, distrust: Collection[Identity]) -> bool:
        return is_file(blob) and blob.stat().st_size == remote.size and identity(blob) not in distrust

    def _fill(self, remote: Remote, blob: Path) -> None:
        """Fetch the rest of the partial file; make it the blob if its contents are right."""
        partial, wrong = self._hub.cache.partial(self._file.repo, remote.etag), ""
        for _ in range(WRONG_CONTENTS):
            with as_usual():
                opened = partial.open("ab")
            with opened as file:
                part = _Part(file, self._digests(remote), remote.size)
                part.read(partial, self._while_checking)
                self._patiently(lambda: self._complete(remote, part), lambda: part.have)  # noqa: B023  (called here)
                os.fsync(file.fileno())
                is_right = not part.unlike() and os.fstat(file.fileno()).st_size == remote.size
            if is_right:
                partial.replace(blob)
                return
            wrong = part.unlike()
            log.warning("%s came with wrong contents", self._file.key)
            self._may_use_xet = False
            partial.unlink()
            self.note = "downloaded again, because it was damaged"
        raise DownloadError(
            f"{self._file.name} arrived damaged from {self._hub.name}, or is a different file: its hash is not "
            f"{wrong[:12]}….",
            "Try again later, or without the proxy or mirror (HF_ENDPOINT) in between.",
            where=self._file.repo,
        )

    def _digests(self, remote: Remote) -> dict[str, Hash]:
        """Return a hasher for each expected hash, the hub's and the registry's: the hub may give git's hash."""
        digests = {remote.etag: digest_for(remote.etag, remote.size)}
        return digests | ({self._file.sha256: hashlib.sha256()} if self._file.sha256 else {})

    def _complete(self, remote: Remote, part: "_Part") -> None:
        while part.have < remote.size:
            before = part.have
            self._receive(remote, part)
            if part.have == before:
                raise TransientError(f"the server sends only {part.have:,} of {remote.size:,} bytes")

    def _receive(self, remote: Remote, part: "_Part") -> None:
        """Append what the server sends from the end of the partial file on, by Xet if the file is there."""
        self._report("fetching", part.have, self.note)
        if remote.xet is not None and self._may_use_xet:
            self._receive_by_xet(remote, part)
        if part.have < remote.size:
            self._receive_by_http(remote, part)

    def _receive_by_xet(self, remote: Remote, part: "_Part") -> None:
        """Append what Xet has. Without an answer from it, HTTP is used from then on, whose errors are understood."""
        log.info("downloading %s by Xet from byte %d", self._file.key, part.have)
        self._stream = self._hub.xet_stream(remote, part.have)
        try:
            self._stop_if_asked()  # `abort` may have come before there was a stream
            for piece in self._stream:
                self._stop_if_asked()
                part.append(piece)
                self._report("fetching", part.have, self.note)
        except (XetError, TransientError) as error:
            self._stop_if_asked()  # may be our own `abort`
            self._may_use_xet = False
            log.warning("%s cannot be downloaded by Xet, so HTTP continues: %s", self._file.key, error)
        finally:
            self._stream.abort()

    def _receive_by_http(self, remote: Remote, part: "_Part") -> None:
        with self._hub.translated(self._file), self._hub.stream(remote, part.have) as response:
            self._response = response
            self._stop_if_asked()
            start = _start_of(response, remote.size)
            if start > part.have:
                raise TransientError("the server skips bytes")
            skip = part.have - start  # a server without range support sends everything again
            for block in response.iter_raw():
                self._stop_if_asked()
                if skip < len(block):
                    part.append(block[skip:])
                    self._report("fetching", part.have, self.note)
                skip = max(0, skip - len(block))

    def _patiently(self, work: Callable[[], Any], progress: Callable[[], int]) -> Any:
        """Run `work`, retrying transient faults until `patience` is exhausted without `progress`."""
        failures, before = 0, progress()
        while True:
            try:
                return work()
            except TransientError as error:
                self._stop_if_asked()  # may be our own `abort`
                now = progress()
                failures, before = (1, now) if now > before else (failures + 1, before)
                if failures >= self._patience.tries:
                    raise DownloadError(
                        f"{self._file.name} could not be downloaded from {self._hub.name}: {error}.",
                        "Check the network and try again: the download resumes.",
                        where=self._file.repo,
                    ) from None
                pause = self._patience.pause(failures, error.pause)
                self._report("retrying", now, f"{error}; retrying in {pause:.0f} s")
                self._cancel.wait(pause)
                self._stop_if_asked()

    def _drop_orphans(self, blob: Path) -> None:
        """Remove what killed downloads of other tools left of this blob: we hold the lock, so nobody writes to it."""
        for left in blob.parent.glob(f"{blob.name}.*incomplete"):
            if not left.name.endswith(PARTIAL):
                left.unlink(missing_ok=True)

    def _while_checking(self, done: int) -> None:
        self._report("checking", done, self.note)
        self._stop_if_asked()

    def _while_locked(self) -> None:
        self._report("waiting", 0, "")
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._cancel.cancelled:
            raise StoppedError("Stopped.", KEPT)


class _Part:
    """The partial file and its hash so far. `file` is open for appending."""

    def __init__(self, file: BinaryIO, digests: dict[str, Hash], size: int) -> None:
        self.have = 0
        self._digests = digests
        self._file = file
        self._size = size

    def read(self, path: Path, check: Callable[[int], None]) -> None:
        """Hash the existing bytes; a file that is too long is wrong and is dropped. Calls `check(bytes)` meanwhile."""
        if path.stat().st_size > self._size:
            self._file.truncate(0)
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                self._hash(block)
                check(self.have)

    def unlike(self) -> str:
        """Return the expected hash that the contents do not match; empty if they match all."""
        wrong = (name for name, digest in reversed(self._digests.items()) if digest.hexdigest() != name)
        return next(wrong, "")

    def append(self, block: bytes | memoryview) -> None:
        """Write a block to disk at once: a kill loses buffered bytes."""
        if self.have + len(block) > self._size:
            raise TransientError("the server sends more bytes than the file has")
        self._file.write(block)
        self._file.flush()
        self._hash(block)

    def _hash(self, block: bytes | memoryview) -> None:
        for digest in self._digests.values():
            digest.update(block)
        self.have += len(block)


def storage_error(error: OSError, file: ModelFile, size: int) -> StudioError:
    """Return the error for a failure of the local disk."""
    if is_full(error):
        return DiskFullError(
            f"The disk is full: {file.name} needs {in_bytes(size)}.",
            "Free some space and try again: downloaded data is kept.",
            advice=Advice.to(Do.FREE_SPACE),
            where=str(error.filename or ""),
        )
    return DownloadError(
        f"{file.name} could not be stored: {error.strerror or error} ({error.filename or 'no path given'}).",
        "Check that path: the studio must be able to write there, and nothing else may be there.",
        where=str(error.filename or ""),
    )


def _start_of(response: Any, size: int) -> int:
    """Return the offset at which a response's bytes begin.

    Raises:
        TransientError: They are not from this file: a captive portal's page, compressed, or of another range.
    """
    headers = response.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        raise TransientError("the server sends it compressed")
    if response.status_code == 200:
        if headers.get("Content-Length", str(size)) != str(size):
            raise TransientError(f"the server offers {headers['Content-Length']} bytes, but the file has {size:,}")
        return 0
    unit, _, rest = headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    start = span.partition("-")[0]
    right = response.status_code == 206 and unit == "bytes" and start.isdigit() and total in (str(size), "*")
    if not right:
        raise TransientError("the server sends something other than what was asked for")
    return int(start)
