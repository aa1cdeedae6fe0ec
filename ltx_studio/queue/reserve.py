"""Disk space that is kept for deleting clips, which the database must note before it frees anything."""

import contextlib
import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

SIZE = 4 << 20
"""Bytes: the notes for a few hundred takes."""
SLICE = 256 << 10
"""Bytes that SQLite needs to open a database."""
_PLENTY = 64 << 20
"""Free bytes below which the reserve is not made: others may need them more."""


class Reserve:
    """A file that is given up when the disk is full.

    Args:
        folder: A folder on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / ".reserve"

    def keep(self) -> None:
        """Make the file, or make it whole again, if the disk has room."""
        with contextlib.suppress(OSError):
            if self._size() < SIZE and shutil.disk_usage(self._file.parent).free > _PLENTY:
                self._file.write_bytes(os.urandom(SIZE))  # zeros may take no space

    def release(self, size: int = SIZE) -> bool:
        """Free some bytes of it, by default all; return whether there were any."""
        try:
            left = self._size() - size
            if left > 0:
                os.truncate(self._file, left)
            else:
                self._file.unlink()
        except OSError:
            return False
        log.warning("the disk is full: %d bytes of %s are given up", size, self._file)
        return True

    def _size(self) -> int:
        return self._file.stat().st_size if self._file.exists() else 0
