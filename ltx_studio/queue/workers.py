"""Workers that share a queue: which one runs a job, and whether its process is gone."""

import contextlib
import os
import socket
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

LEASE_SECONDS = 60.0
"""How long a worker on another host may stay silent before its job is taken from it."""

RENEW_SECONDS = 10.0
"""How often a worker renews the lease of its job."""


class WorkerId:
    """The name of one worker: ``host:process:number``.

    It holds a lock on a file of that name while it works. The system frees the lock whenever and however the process
    ends, so other workers on this host see at once that it is gone.

    Attributes:
        id: The name.
    """

    def __init__(self, folder: Path) -> None:
        self.id = f"{host()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._lock = FileLock(_lock_file(folder, self.id), thread_local=False)

    def hold(self) -> None:
        """Take the lock, unless it is already held.

        Raises:
            OSError: The file cannot be created or locked.
        """
        if not self._lock.is_locked:
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()

    def release(self) -> None:
        """Remove the file and free the lock: jobs leased to this worker count as lost from now on."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                Path(self._lock.lock_file).unlink()
            self._lock.release(force=True)


def host() -> str:
    """Return the name of this machine as used in worker ids."""
    return socket.gethostname().replace(":", "_") or "host"


def is_gone(worker: str | None, lease_until: float | None, folder: Path, now: float) -> bool:
    """Return whether a worker no longer runs its job.

    Args:
        worker: The worker's id; None in a row that an earlier version wrote.
        lease_until: When the lease of its job ends, in seconds since the epoch.
        folder: The folder with the workers' lock files.
        now: The current time, in seconds since the epoch.
    """
    if worker is None:
        return True
    if worker.partition(":")[0] != host():
        return lease_until is None or lease_until < now
    try:
        return _is_free(_lock_file(folder, worker))
    except OSError:
        return lease_until is None or lease_until < now


def _is_free(path: Path) -> bool:
    """Return whether nobody holds a lock; a lock file that nobody holds is removed.

    Raises:
        OSError: The lock cannot be checked.
    """
    if not path.exists():
        return True
    try:
        with FileLock(path).acquire(blocking=False):
            path.unlink(missing_ok=True)
            return True
    except Timeout:
        return False


def any_alive(folder: Path) -> bool:
    """Return whether a worker of this host holds a lock."""
    prefix = f"{host()}-"
    names = [path.stem for path in folder.glob("*.lock") if path.name.startswith(prefix)]
    return not all(_is_free(folder / f"{name}.lock") for name in names)


def _lock_file(folder: Path, worker: str) -> Path:
    return folder / f"{worker.replace(':', '-')}.lock"
