"""The users' own files as jobs and recipes know them: each kept once, named by what is in it."""

import hashlib
import os
import re
import shutil
from pathlib import Path

from ltx_studio.errors import ExecutionError, RequestError
from ltx_studio.fileio import whole
from ltx_studio.media.open import locate

_BLOCK = 1 << 20
_LONGEST_SUFFIX = len(".safetensors")
_KEPT_NAME = re.compile("[0-9a-f]{64}")


class InputStore:
    """A folder of files named ``<sha256><suffix>``; what is there is never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, path: Path, *, linked: bool = False) -> Path:
        """Keep a file; where it is kept. The user may move or change theirs then.

        Args:
            path: The file.
            linked: Keep a link to it, because it is large and stays where it is; if it is gone one day, so is this.

        Raises:
            RequestError: There is no such file, or it cannot be read.
            ExecutionError: The copy cannot be stored.
        """
        path = locate(path)
        if path.parent == self._folder:
            if not path.is_symlink():  # whose time says when its target was looked at
                os.utime(path)  # it is wanted again, so it is not freed meanwhile
            return path
        digest = sha256(path)
        kept = self._folder / f"{digest}{_suffix(path)}"
        if kept.exists() and not kept.is_symlink():  # where a link leads, there may be another file by now
            os.utime(kept)  # it is wanted again, so it is no leftover
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
                f"{path.name} could not be kept: {error.strerror}.",
                f"Check the folder {self._folder} and the free space.",
            ) from None


def check_kept(path: Path) -> None:
    """Refuse a linked file that is no longer the one that was kept.

    Raises:
        RequestError: It is another one, or gone.
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
    """Return whether keeping a file takes room: not that of one that is kept already, which its name says."""
    return not _KEPT_NAME.fullmatch(path.stem)


def is_here(path: Path) -> bool:
    """Whether a kept file is here still, and the one that was kept."""
    try:
        locate(path)
        check_kept(path)
    except RequestError:
        return False
    return True


def sha256(path: Path) -> str:
    """Of a file's contents, in hexadecimal.

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
