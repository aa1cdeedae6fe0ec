"""Keep the studio's files readable by its user alone, and leave the permissions of other folders alone.

A process that was started as the studio (`make_private`) makes its new files private; `as_usual` creates the few
files that belong elsewhere, such as a clip at `--out` or a model in the shared Hugging Face cache, with the user's
own umask. A program that imports the package keeps its umask: there, the mode of the home keeps others out.
"""

import contextlib
import errno
import logging
import os
import shlex
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ltx_studio.errors import SetupError
from ltx_studio.fileio import FULL

log = logging.getLogger(__name__)

PRIVATE_UMASK = 0o077
_OTHERS = 0o077
_OURS = "studio.db", "worker.lock", "comfyui"
"""Any of these names in a folder shows that it was a studio's home before."""
_LOG = "logs", "studio.log"
_MARK = ".private"
"""Marks a home whose mode was set once: later changes by the user are kept."""


@dataclass(slots=True)
class _Umask:
    """The umask of this process."""

    users: int | None = None
    usual: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_umask = _Umask()


def make_private() -> None:
    """Make this process's new files private to its user. For entry points; a second call does nothing."""
    with _umask.lock:
        if _umask.users is None:
            _umask.users = os.umask(PRIVATE_UMASK)


def user_umask() -> int:
    """Return the umask that the user started this process with."""
    with _umask.lock:
        if _umask.users is not None:
            return _umask.users
        now = os.umask(PRIVATE_UMASK)  # a umask can only be read by setting it
        os.umask(now)
        return now


def user_mode(*, folder: bool = False) -> int:
    """Return the mode of the user's new files, or folders."""
    return (0o777 if folder else 0o666) & ~user_umask()


@contextlib.contextmanager
def as_usual() -> Iterator[None]:
    """Create files and folders outside the studio's home with the user's own umask.

    A umask applies to the whole process: files that another thread creates in the home meanwhile are protected by the
    home's own mode. Keep the body short.
    """
    with _umask.lock:
        if _umask.users is not None and not _umask.usual:
            os.umask(_umask.users)
        _umask.usual += 1
    try:
        yield
    finally:
        with _umask.lock:
            _umask.usual -= 1
            if _umask.users is not None and not _umask.usual:
                os.umask(PRIVATE_UMASK)


def open_home(home: Path) -> None:
    """Make the studio's home private; close one that an older studio left open, once.

    Raises:
        SetupError: The home cannot be created.
    """
    try:
        if home.is_dir():
            _close_once(home)
            return
        with as_usual():
            home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        _mark(home)
    except OSError as error:
        raise home_error(home, error) from error


def is_exposed(home: Path) -> bool:
    """Return whether other users of this machine can enter the home."""
    try:
        return hasattr(os, "getuid") and bool(home.stat().st_mode & _OTHERS)
    except OSError:
        return False


def command_to_close(home: Path) -> str:
    """Return the shell command that makes the home private."""
    return f"chmod 700 {shlex.quote(str(home))}"


def home_error(home: Path, error: OSError) -> SetupError:
    """Return the error for something in the home that cannot be written, with a remedy for the cause."""
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else home
    reason = error.strerror or str(error)
    message = f"The studio's folder {home} cannot be written: {reason}."
    if error.errno in FULL:
        hint = f"Free some space on the disk of {home}, or choose another folder with LTX_STUDIO_HOME."
    elif error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        hint = f"Move {path} away, or choose another folder with LTX_STUDIO_HOME."
    elif error.errno in (errno.EACCES, errno.EPERM):
        hint = f"Get permission to write to {path}, or choose another folder with LTX_STUDIO_HOME."
    elif error.errno == errno.EROFS:
        hint = "Remount its read-only disk as writable, or choose another folder with LTX_STUDIO_HOME."
    else:
        hint = "Choose another folder with LTX_STUDIO_HOME."
    return SetupError(message, hint, where=str(path))


def _close_once(home: Path) -> None:
    """Close a studio's home that an older studio, or the user, left open. Errors are ignored: it works without it."""
    with contextlib.suppress(OSError):
        if not hasattr(os, "getuid") or (home / _MARK).exists():
            return
        state = home.stat()
        if state.st_uid != os.getuid():
            return
        if state.st_mode & _OTHERS and _is_only_a_home(home, state.st_mode):
            home.chmod(stat.S_IMODE(state.st_mode) & ~_OTHERS)
            _tell(home, f"{home} was readable by other users; it is now private")
        _mark(home)


def _is_only_a_home(home: Path, mode: int) -> bool:
    """Return whether a folder is only a studio's home: not `/tmp`, nor the user's own home folder."""
    where = home.resolve()
    if mode & stat.S_ISVTX or where in (Path(where.anchor), Path("~").expanduser().resolve()):
        return False
    names = {entry.name for entry in home.iterdir()}
    return not names or any(name in names for name in _OURS)


def _tell(home: Path, text: str) -> None:
    """Write a line to the log file, even if no command has opened it."""
    if any(isinstance(handler, RotatingFileHandler) for handler in logging.getLogger().handlers):
        log.warning("%s", text)
        return
    with contextlib.suppress(OSError):
        path = home.joinpath(*_LOG)
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 WARNING {__name__}: {text}\n")


def _mark(home: Path) -> None:
    with contextlib.suppress(OSError):
        (home / _MARK).touch(mode=0o600)
