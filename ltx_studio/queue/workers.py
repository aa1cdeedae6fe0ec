"""Workers that share a queue: who carries out a job, and whether that process is gone."""

import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LEASE_SECONDS = 60.0
"""How long a worker of another host may say nothing before its job is taken from it."""

RENEW_SECONDS = 10.0
"""How often a worker renews the lease of its job."""


class WorkerId:
    """The name of one worker: ``host:process:number``.

    It holds the lock of a file by that name as long as it works. The system frees the lock when the process ends in
    whatever way, so that other workers on this host see at once that it is gone.
    """

    def __init__(self, folder: Path) -> None:
        self.id = f"{host()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._lock = FileLock(_lock_file(folder, self.id))

    @contextmanager
    def held(self) -> Iterator[str]:
        """Hold the lock, and remove its file at the end.

        Raises:
            OSError: The file cannot be made or locked.
        """
        path = Path(self._lock.lock_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            try:
                yield self.id
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()


def host() -> str:
    """Return the name of this machine as worker ids have it."""
    return socket.gethostname().replace(":", "_") or "host"


def is_gone(worker: str | None, lease_until: float | None, folder: Path, now: float) -> bool:
    """Return whether a worker carries out nothing any more.

    Args:
        worker: Its id; None in a row that an earlier version wrote.
        lease_until: When the lease of its job ends, in seconds since the epoch.
        folder: Where workers hold their locks.
        now: Seconds since the epoch.
    """
    if worker is None:
        return True
    if worker.partition(":")[0] != host():
        return lease_until is None or lease_until < now
    path = _lock_file(folder, worker)
    if not path.exists():
        return True
    try:
        with FileLock(path).acquire(blocking=False):
            path.unlink(missing_ok=True)
            return True
    except Timeout:
        return False
    except OSError:
        return lease_until is None or lease_until < now


def _lock_file(folder: Path, worker: str) -> Path:
    return folder / f"{worker.replace(':', '-')}.lock"
