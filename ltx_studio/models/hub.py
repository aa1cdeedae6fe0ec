"""What is said to Hugging Face, through `huggingface_hub`: metadata, tokens, gates, and the layout of its cache.

The cache keeps ``models--<org>--<repo>/{blobs/<etag>, refs/<revision>, snapshots/<commit>/<path> → blob}``
(huggingface.co/docs/huggingface_hub/guides/manage-cache). The etag of a large file is its sha256.
"""

import contextlib
import errno
import hashlib
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from ltx_studio.errors import DownloadError, GateError, SetupError, StudioError
from ltx_studio.models.files import ModelFile, is_file
from ltx_studio.privacy import as_usual
from ltx_studio.settings import Settings
from ltx_studio.words import printable

if TYPE_CHECKING:
    import httpx2

PARTIAL = ".ltx-studio.incomplete"
"""Ends the name of a blob that we are fetching. Hugging Face's tools list ``*.incomplete`` as left-overs."""

REVISION = "main"
ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_LOCK_POLL = 0.25
"""Seconds. How soon a wait for a lock notices that it was given up."""

_LONGEST_PAUSE = 300.0
"""Seconds. No server is obeyed beyond this."""


class Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as the hub has it now.

    Attributes:
        reference: What the cache had for the revision `main` when the hub was asked.
        asked: When that was, on the monotonic clock.
    """

    commit: str
    etag: str
    size: int
    url: str
    reference: bytes
    asked: float = 0.0


class TransientError(Exception):
    """Worth another try, after `pause` seconds when the server asked for that."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class Hub:
    """The hub and its cache, as `settings` name them or else as Hugging Face's own tools find them."""

    def __init__(self, settings: Settings, token: str | None = None) -> None:
        try:
            from huggingface_hub import constants
        except ValueError as error:  # it looks into the address at once
            raise SetupError(f"HF_ENDPOINT is no address: {error}.", "Correct it, or unset it.") from None
        cache = os.path.expanduser(settings.hub_cache or constants.HF_HUB_CACHE)  # noqa: PTH111  (leaves ~nobody alone)
        self.cache = Path(os.path.abspath(cache))  # noqa: PTH100  (links in it would break if it were relative)
        if is_file(self.cache):
            raise SetupError(
                f"The Hugging Face cache, {self.cache}, is a file.", "Set HF_HUB_CACHE to a folder.", where=cache
            )
        self.endpoint = (settings.hub_endpoint or constants.ENDPOINT).rstrip("/")
        self.name = re.sub(r"//[^/@]*@", "//", self.endpoint)
        """As it is shown: without a password."""

        self.is_offline = constants.is_offline_mode()
        self._timeout = float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
        self._token = token

    # What the cache holds; looks at files only.

    def repo_dir(self, repo: str) -> Path:
        return self.cache / f"models--{repo.replace('/', '--')}"

    def pointers(self, file: ModelFile) -> Iterator[Path]:
        """Where the cache has the file, the current revision first, then the newest; they may dangle."""
        if not file.repo:
            return
        snapshots = self.repo_dir(file.repo) / "snapshots"
        current = self.current(file)
        if current is not None:
            yield current
        with_times = []
        with contextlib.suppress(OSError):  # somebody cleans up just now, or it is not ours to read
            for path in snapshots.glob("*/"):
                pointer = path / file.path
                if pointer != current and os.path.lexists(pointer):
                    with_times.append((path.stat().st_mtime, pointer))
        yield from (pointer for _, pointer in sorted(with_times, reverse=True))

    def current(self, file: ModelFile) -> Path | None:
        """Where the cache has the file as of the revision `main`."""
        commit = self._reference(file.repo).decode(errors="replace").strip()
        pointer = self.repo_dir(file.repo) / "snapshots" / commit / file.path
        return pointer if _COMMIT.fullmatch(commit) and os.path.lexists(pointer) else None

    def blob(self, repo: str, etag: str) -> Path:
        return self.repo_dir(repo) / "blobs" / etag

    def partial(self, repo: str, etag: str) -> Path:
        return self.repo_dir(repo) / "blobs" / f"{etag}{PARTIAL}"

    def pointer(self, file: ModelFile, remote: Remote) -> Path:
        return self.repo_dir(file.repo) / "snapshots" / remote.commit / file.path

    def link(self, file: ModelFile, remote: Remote) -> Path:
        """Make the cache's pointer to a whole blob, and note the revision, as `hf_hub_download` does."""
        blob, pointer = self.blob(file.repo, remote.etag), self.pointer(file, remote)
        with as_usual():
            pointer.parent.mkdir(parents=True, exist_ok=True)
        snapshots = self.repo_dir(file.repo) / "snapshots"
        if not pointer.parent.resolve().is_relative_to(snapshots.resolve()):
            raise SetupError(
                f"The Hugging Face cache is damaged: {pointer.parent} leads out of it.",
                "Remove that link.",
                where=file.repo,
            )
        try:
            relink(pointer, Path(os.path.relpath(blob, pointer.parent)))
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            blob.replace(pointer)  # as `hf_hub_download` does on a file system without links
        if self._reference(file.repo) == remote.reference != remote.commit.encode():
            # else somebody has fetched a newer commit while we were at it
            ref = self.repo_dir(file.repo) / "refs" / REVISION
            with as_usual():
                ref.parent.mkdir(parents=True, exist_ok=True)
            scratch = self.repo_dir(file.repo) / f".{uuid.uuid4().hex[:8]}.tmp"  # in refs/, all are references
            try:
                with as_usual():
                    scratch.write_text(remote.commit, encoding="utf-8")
                scratch.replace(ref)
            finally:
                scratch.unlink(missing_ok=True)
        return pointer

    def _reference(self, repo: str) -> bytes:
        try:
            return (self.repo_dir(repo) / "refs" / REVISION).read_bytes()
        except OSError:
            return b""

    @contextmanager
    def lock(self, repo: str, etag: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock that Hugging Face's tools hold while they fetch this blob; calls `waiting` while they do."""
        from filelock import Timeout
        from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

        path = self.cache / ".locks" / self.repo_dir(repo).name / f"{etag}.lock"
        _make_lock(path)
        while True:
            held = WeakFileLock(path, timeout=_LOCK_POLL)
            try:
                held.__enter__()
            except Timeout:
                waiting()
                continue
            break
        try:
            yield
        finally:
            held.__exit__(None, None, None)

    @contextmanager
    def lock_if_free(self, repo: str, etag: str) -> Iterator[bool]:
        """Hold the lock of a blob if no program fetches it now; gives whether that is so."""
        from filelock import FileLock, Timeout

        path = self.cache / ".locks" / self.repo_dir(repo).name / f"{etag}.lock"
        try:
            _make_lock(path)
            lock = FileLock(path, timeout=0, mode=0o664)
            lock.acquire()
        except Timeout:
            yield False
            return
        except OSError:  # the cache is not ours to write to; whoever deletes will be told
            yield True
            return
        try:
            yield True
        finally:
            lock.release()

    # What the hub says.

    def remote(self, file: ModelFile) -> Remote:
        """Ask for a file's commit, etag and size: one HEAD.

        Raises:
            TransientError: It may work in a moment.
            DownloadError: It will not.
        """
        self._check_endpoint(file)
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        reference = self._reference(file.repo)
        with self.translated(file):
            url = hf_hub_url(file.repo, file.path, revision=REVISION, endpoint=self.endpoint)
            found = get_hf_file_metadata(url, token=self._token, endpoint=self.endpoint)
        commit, etag, size = found.commit_hash or "", found.etag or "", found.size
        if not _COMMIT.fullmatch(commit) or not ETAG.fullmatch(etag) or size is None or size < 0:
            raise DownloadError(
                f"{self.name} does not answer like a Hugging Face hub for {file.repo}.",
                "Check HF_ENDPOINT, and the proxy if there is one.",
                where=file.repo,
            )
        address = hf_hub_url(file.repo, file.path, revision=commit, endpoint=self.endpoint)
        return Remote(commit, etag, size, address, reference, time.monotonic())

    def _check_endpoint(self, file: ModelFile) -> None:
        try:
            parts = urlsplit(self.endpoint)
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise DownloadError(
                f"{self.name} is no address of a hub, so {file.name} cannot be fetched.",
                "Set HF_ENDPOINT to a whole address, such as https://huggingface.co, or unset it.",
                where=file.repo,
            )

    @contextmanager
    def stream(self, remote: Remote, offset: int) -> "Iterator[httpx2.Response]":
        """GET the bytes from `offset` on. The address is resolved anew each time, as signed ones expire."""
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        headers = {**build_hf_headers(token=self._token), "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        with get_session().stream("GET", remote.url, headers=headers, timeout=self._timeout) as response:
            if response.is_error:
                response.read()
                hf_raise_for_status(response)
            yield response

    @contextmanager
    def translated(self, file: ModelFile) -> Iterator[None]:
        """Turn what `huggingface_hub` raises into our errors.

        Raises:
            TransientError: It may work in a moment.
            DownloadError: It will not.
        """
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

        try:
            yield
        except OfflineModeIsEnabled:
            raise offline([file]) from None
        except HfHubHTTPError as error:
            raise self._told(error, file) from None
        except UnicodeEncodeError:
            raise GateError(
                "The token holds characters that no token has.",
                "Set HF_TOKEN to a token, or unset it.",
                where=file.repo,
            ) from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, ValueError) as error:
            raise DownloadError(
                f"{self.name} cannot be asked for {file.repo}: {printable(str(error))}.",
                "Check the repository's name, HF_ENDPOINT, and the proxy if there is one.",
                where=file.repo,
            ) from None
        except httpx2.TransportError as error:
            raise TransientError(printable(str(error)) or type(error).__name__) from None
        except httpx2.HTTPError as error:
            raise DownloadError(
                f"{file.name} could not be fetched from {self.name}: {printable(str(error))}.",
                "Check HF_ENDPOINT, and the proxy if there is one.",
                where=file.repo,
            ) from None

    def _told(self, error: Any, file: ModelFile) -> StudioError | TransientError:
        from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError

        response = error.response
        status, host, page = response.status_code, response.request.url.host, f"{self.name}/{file.repo}"
        if status in _TRANSIENT:
            return TransientError(f"{host} answers {status}", _pause(response.headers))
        if isinstance(error, GatedRepoError):
            return GateError(
                f"{file.repo} asks for consent before it hands out {file.name} ({status}).",
                f"Agree to its terms at {page}, then set HF_TOKEN to a token from {self.name}/settings/tokens.",
                where=page,
            )
        if isinstance(error, RepositoryNotFoundError):
            return DownloadError(
                f"There is no repository {file.repo} at {self.name}, or it is private.",
                f"Look at {page}. For a private one, set HF_TOKEN to a token that may read it.",
                where=page,
            )
        if isinstance(error, EntryNotFoundError) or status == 404:
            return DownloadError(
                f"{file.repo} has no {file.path} any more.",
                f"Look at {page}/tree/main; a newer studio may know its new name.",
                where=page,
            )
        if status == 401:
            return GateError(
                f"{host} does not take the token for {file.repo} (401).",
                f"Set HF_TOKEN to a token that may read {page}, or unset a stale one.",
                where=page,
            )
        return DownloadError(
            f"{file.name} could not be fetched: {host} answers {status}.",
            f"Look at {page}; check the proxy if there is one.",
            where=page,
        )


def offline(files: list[ModelFile]) -> DownloadError:
    names = ", ".join(file.name for file in files)
    return DownloadError(
        f"Offline mode is on (HF_HUB_OFFLINE), and {'these are' if len(files) > 1 else 'this is'} not here: {names}.",
        "Unset HF_HUB_OFFLINE, or put the files into a folder that LTX_STUDIO_MODEL_DIRS names.",
    )


def digest_for(etag: str, size: int) -> Hash:
    """The hash by which the hub names a blob: sha256 of large files, git's sha1 of small ones."""
    if len(etag) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def relink(path: Path, target: Path) -> None:
    """Have `path` be a link to `target`, in one step; what was there is gone."""
    scratch = path.with_name(f".{uuid.uuid4().hex[:8]}.link")
    scratch.symlink_to(target)
    try:
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def _pause(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks for: ``Retry-After: 5``, or ``RateLimit: "api";r=0;t=5``."""
    asked = headers.get("Retry-After", "").strip()
    limited = re.search(r"\bt=(\d+)", headers.get("RateLimit", ""))
    seconds = float(asked) if asked.isdigit() else float(limited.group(1)) if limited else 0.0
    return min(seconds, _LONGEST_PAUSE)


def _make_lock(path: Path) -> None:
    """Make a lock's file as Hugging Face's tools would: others may share the cache."""
    with as_usual():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch()
