"""Write files atomically: under a temporary name first, then renamed to the final one."""

import contextlib
import errno
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

PREFIX, SUFFIX = ".ltx-studio-", ".part"
"""The prefix and suffix of the names of unfinished files."""

FOREIGN_SECONDS = 24 * 3600
"""The age in seconds at which an unfinished file of another machine, or of no known process, counts as left over."""

_NAME = re.compile(rf"{re.escape(PREFIX)}(?P<host>.+)-(?P<pid>\d+)-[0-9a-f]+{re.escape(SUFFIX)}")


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The error numbers of a full disk, and of a quota that is used up."""


def is_full(error: BaseException) -> bool:
    """Return whether a disk or its quota is full."""
    return isinstance(error, OSError) and error.errno in FULL


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; the file replaces `path` when the block ends without an exception.

    The temporary name does not depend on that of `path`, which may be as long as the file system allows.

    Raises:
        OSError: The file cannot be written; what was at `path` before is unchanged.
    """
    partial = path.with_name(f"{PREFIX}{_host()}-{os.getpid()}-{uuid.uuid4().hex[:12]}{SUFFIX}")
    try:
        yield partial
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def move(source: Path, destination: Path) -> None:
    """Move a whole file, even to another disk. On the same disk it needs neither memory nor free space.

    Raises:
        OSError: The file cannot be moved; `source` and what was at `destination` before are unchanged.
    """
    try:
        source.replace(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with whole(destination) as partial:
            shutil.copyfile(source, partial)
        with contextlib.suppress(OSError):
            source.unlink(missing_ok=True)


def sweep_partials(*folders: Path) -> None:
    """Remove unfinished files of killed processes of this machine from `folders`, never those of running ones."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for partial in folder.glob(f"{PREFIX}*{SUFFIX}"):
                with contextlib.suppress(OSError):
                    if _is_left_over(partial):
                        partial.unlink()


def _is_left_over(partial: Path) -> bool:
    changed, named = partial.lstat().st_mtime, _NAME.fullmatch(partial.name)
    if named is None or named["host"] != _host():
        return time.time() - changed > FOREIGN_SECONDS
    try:
        began = psutil.Process(int(named["pid"])).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
    return int(named["pid"]) != os.getpid() and began > changed + 1  # the process id has been reused since


def _host() -> str:
    return re.sub(r"[^\w.]", "_", socket.gethostname())[:60] or "host"
