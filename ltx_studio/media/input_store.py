"""The store of user files for jobs and recipes: each kept once, named by its contents."""

import hashlib
import os
import re
import shutil
from pathlib import Path

from ltx_studio.errors import ExecutionError, Remedy, RequestError
from ltx_studio.fileio import is_full, whole
from ltx_studio.media.open import locate

_BLOCK = 1 << 20
_LONGEST_SUFFIX = len(".safetensors")
_KEPT_NAME = re.compile("[0-9a-f]{64}")


class InputStore:
    """A folder of files named ``<sha256><suffix>``; existing files never change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, path: Path, *, linked: bool = False) -> Path:
        """Keep a file and return the kept path. The user may then move or change the original.

        Args:
            path: The file.
            linked: Keep only a link to it, for a large file that stays in place; it is lost if the original is deleted.

        Raises:
            RequestError: There is no such file, or it cannot be read.
            ExecutionError: The copy cannot be stored.
        """
        path = locate(path)
        if path.parent == self._folder:
            if not path.is_symlink():  # its time records when its target was checked
                os.utime(path)  # needed again, so it must not be freed meanwhile
            return path
        digest = sha256(path)
        kept = self._folder / f"{digest}{_suffix(path)}"
        if kept.exists() and not kept.is_symlink():  # a link may lead to another file by now
            os.utime(kept)  # needed again, so it is not a leftover
            return kept
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole(kept) as partial:
                if linked:
                    partial.symlink_to(path)
                else:
                    shutil.copyfile(path, partial)
            return kept
        except OSError as error:
            raise ExecutionError(
                f"{path.name} could not be copied: {error.strerror}.",
                f"Check the folder {self._folder} and its free space.",
                remedies=[Remedy.MAKE_ROOM] if is_full(error) else [],
            ) from None


def check_kept(path: Path) -> None:
    """Refuse a linked file that has changed since it was kept.

    Raises:
        RequestError: It was replaced or deleted.
    """
    if not path.is_symlink():
        return
    target = path.readlink()
    state = locate(target).stat()
    if max(state.st_mtime, state.st_ctime) <= path.lstat().st_mtime:
        return
    if sha256(target) != path.stem:
        raise RequestError(f"{target} has changed since the job was submitted.", "Submit the job again.")
    os.utime(path, follow_symlinks=False)


def would_be_copied(path: Path) -> bool:
    """Return whether keeping a file needs space; one whose name shows that it is kept already does not."""
    return not _KEPT_NAME.fullmatch(path.stem)


def is_here(path: Path) -> bool:
    """Return whether a kept file still exists unchanged."""
    try:
        locate(path)
        check_kept(path)
    except RequestError:
        return False
    return True


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's contents, in hexadecimal.

    Raises:
        RequestError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
    return digest.hexdigest()


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if len(suffix) <= _LONGEST_SUFFIX and suffix[1:].isalnum() and suffix.isascii() else ""
