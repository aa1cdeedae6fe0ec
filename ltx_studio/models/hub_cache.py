"""The layout of the Hugging Face cache, which other programs share.

It keeps ``models--<org>--<repo>/{blobs/<etag>, refs/<revision>, snapshots/<commit>/<path> → blob}``
(huggingface.co/docs/huggingface_hub/guides/manage-cache). The etag of a large file is its sha256.
"""

import contextlib
import errno
import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

from ltx_studio.errors import SetupError
from ltx_studio.models.files import ModelFile, is_file
from ltx_studio.permissions import as_usual
from ltx_studio.settings import Settings

PARTIAL = ".ltx-studio.incomplete"
"""Suffix of a blob that we are fetching. Hugging Face's tools list ``*.incomplete`` as leftovers."""

REVISION = "main"
ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_LOCK_POLL = 0.25
"""Seconds between attempts to get a lock, and so to notice a cancellation."""


class Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class XetFile:
    """A file in Xet, the hub's storage of large files.

    Attributes:
        hash: Its name there.
        token_url: The hub's address that hands out tokens for it.
    """

    hash: str
    token_url: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A file's current state on the hub.

    Attributes:
        reference: The cache's commit for the revision `main` when the hub was queried.
        asked: The time of that query, on the monotonic clock.
        xet: The same file in Xet; None if it is not there, or Xet cannot be used.
    """

    commit: str
    etag: str
    size: int
    url: str
    reference: bytes
    asked: float = 0.0
    xet: XetFile | None = None


class HubCache:
    """The Hugging Face cache from `settings`, or the one that Hugging Face's own tools use.

    Attributes:
        folder: Its absolute path; it need not exist.

    Raises:
        SetupError: It is a file, or HF_ENDPOINT is not an address.
    """

    def __init__(self, settings: Settings) -> None:
        folder = os.path.expanduser(settings.hub_cache or hub_constants().HF_HUB_CACHE)  # noqa: PTH111  (leaves ~nobody alone)
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100  (links in it would break if it were relative)
        if is_file(self.folder):
            raise SetupError(
                f"The Hugging Face cache, {self.folder}, is a file.", "Set HF_HUB_CACHE to a folder.", where=folder
            )

    def repo_dir(self, repo: str) -> Path:
        return self.folder / f"models--{repo.replace('/', '--')}"

    def pointers(self, file: ModelFile) -> Iterator[Path]:
        """Yield the cache's paths for the file, the current revision first, then the newest; they may dangle."""
        if not file.repo:
            return
        snapshots = self.repo_dir(file.repo) / "snapshots"
        current = self.current(file)
        if current is not None:
            yield current
        with_times = []
        with contextlib.suppress(OSError):  # another program is cleaning up, or we may not read it
            for path in snapshots.glob("*/"):
                pointer = path / file.path
                if pointer != current and os.path.lexists(pointer):
                    with_times.append((path.stat().st_mtime, pointer))
        yield from (pointer for _, pointer in sorted(with_times, reverse=True))

    def current(self, file: ModelFile) -> Path | None:
        """Return the cache's path for the file at the revision `main`."""
        commit = self.reference(file.repo).decode(errors="replace").strip()
        pointer = self.repo_dir(file.repo) / "snapshots" / commit / file.path
        return pointer if COMMIT.fullmatch(commit) and os.path.lexists(pointer) else None

    def blob(self, repo: str, etag: str) -> Path:
        return self.repo_dir(repo) / "blobs" / etag

    def partial(self, repo: str, etag: str) -> Path:
        return self.repo_dir(repo) / "blobs" / f"{etag}{PARTIAL}"

    def pointer(self, file: ModelFile, remote: Remote) -> Path:
        return self.repo_dir(file.repo) / "snapshots" / remote.commit / file.path

    def link(self, file: ModelFile, remote: Remote) -> Path:
        """Make the cache's pointer to a complete blob, and update the revision, as `hf_hub_download` does."""
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
        if self.reference(file.repo) == remote.reference != remote.commit.encode():
            # otherwise another program has fetched a newer commit meanwhile
            ref = self.repo_dir(file.repo) / "refs" / REVISION
            with as_usual():
                ref.parent.mkdir(parents=True, exist_ok=True)
            scratch = self.repo_dir(file.repo) / f".{uuid.uuid4().hex[:8]}.tmp"  # all files in refs/ are references
            try:
                with as_usual():
                    scratch.write_text(remote.commit, encoding="utf-8")
                scratch.replace(ref)
            finally:
                scratch.unlink(missing_ok=True)
        return pointer

    def reference(self, repo: str) -> bytes:
        """Return the cache's commit for the revision `main`; empty if there is none."""
        try:
            return (self.repo_dir(repo) / "refs" / REVISION).read_bytes()
        except OSError:
            return b""

    @contextmanager
    def lock(self, repo: str, etag: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock that Hugging Face's tools hold while they fetch this blob; call `waiting` while it is taken."""
        from filelock import Timeout
        from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

        path = self.folder / ".locks" / self.repo_dir(repo).name / f"{etag}.lock"
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
        """Hold the lock of a blob if no program is fetching it; yield whether that is so."""
        with _locked_if_free(self.folder / ".locks" / self.repo_dir(repo).name / f"{etag}.lock") as is_free:
            yield is_free

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Hold the lock of studios' downloads into this cache if it is free; yield whether it was."""
        with _locked_if_free(self.folder / ".locks" / "ltx-studio.lock") as is_free:
            yield is_free


@contextmanager
def _locked_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock in the cache if it is free; yield whether it was."""
    from filelock import FileLock, Timeout

    try:
        _make_lock(path)
        lock = FileLock(path, timeout=0, mode=0o664)
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError:  # we may not write to the cache; deleting reports that
        yield True
        return
    try:
        yield True
    finally:
        lock.release()


def hub_constants() -> ModuleType:
    """Return the values that Hugging Face's tools read from the environment.

    Raises:
        SetupError: HF_ENDPOINT is not an address.
    """
    try:
        from huggingface_hub import constants
    except ValueError as error:  # it parses the address on import
        raise SetupError(f"HF_ENDPOINT is not a URL: {error}.", "Correct it, or unset it.") from None
    return constants


def digest_for(etag: str, size: int) -> Hash:
    """Return the hash by which the hub names a blob: sha256 for large files, git's sha1 for small ones."""
    if len(etag) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def relink(path: Path, target: Path) -> None:
    """Make `path` a link to `target` atomically, replacing what was there."""
    scratch = path.with_name(f".{uuid.uuid4().hex[:8]}.link")
    scratch.symlink_to(target)
    try:
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def _make_lock(path: Path) -> None:
    """Make a lock file as Hugging Face's tools would: other users may share the cache."""
    with as_usual():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch()
