"""The studio's rotating log file. All records of ComfyUI and the libraries go there, not to the user's terminal."""

import contextlib
import io
import logging
import logging.handlers
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from ltx_studio.permissions import home_error, open_home
from ltx_studio.settings import Settings

MAX_BYTES = 2_000_000
BACKUPS = 3
LONGEST_TEXT = 8_000
"""The most characters of a message, and of a traceback."""
LONGEST_LINE = 1_000
"""The most characters of a line that a library prints."""

log = logging.getLogger(__name__)


def escaped(text: str) -> str:
    """Return the text on one line, with control characters and lone surrogates escaped as Python does."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class SafeFormatter(logging.Formatter):
    """Keeps a record from controlling a terminal, imitating another record, or filling the log.

    A message is one line. A traceback keeps its lines, indented, but only its beginning and its end if it is long.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.message = _cut(record.getMessage())
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        lines = [escaped(self.formatMessage(record))]
        trace = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        for block in (trace, record.stack_info):
            lines += [f"  {escaped(line)}" for line in _cut(block or "").split("\n") if line]
        return "\n".join(lines)


class LogFileHandler(logging.handlers.RotatingFileHandler):
    """A rotating log file that a forked process opens for itself.

    The lock of a file's buffer is copied with a fork, held if another thread was writing, and nobody there frees it:
    the first record would wait forever. So a forked process leaves the old stream alone and opens the file again. It
    does not rotate the file, which it shares with its parent.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
        self._of_parent: TextIO | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._open_anew)

    def _open_anew(self) -> None:
        """Forget the parent's stream, but keep the object: to delete it would take the lock of its buffer."""
        self._of_parent, self.stream, self.maxBytes = self.stream, None, 0


class _ToLog(io.TextIOBase):
    """A stream whose lines go to the log.

    Args:
        instead_of: The stream that it replaces. Callers that ask for the file number (`faulthandler`, which ComfyUI
            turns on, for the crash of a library) get that of the real stream.
    """

    encoding = "utf-8"

    def __init__(self, instead_of: TextIO) -> None:
        self._rest, self._real = "", instead_of

    def fileno(self) -> int:
        return self._real.fileno()

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).replace("\r", "\n").split("\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], ""
        for line in lines:
            if line.strip():
                log.info("printed: %s", line[:LONGEST_LINE])
        return len(text)

    def writable(self) -> bool:
        return True


@contextlib.contextmanager
def terminal_kept() -> Iterator[TextIO]:
    """Yield the only stream that writes to the terminal; what libraries print goes to the log.

    A server's libraries print what clients sent, escape sequences included.
    """
    terminal = sys.stdout
    with contextlib.redirect_stdout(_ToLog(sys.stdout)), contextlib.redirect_stderr(_ToLog(sys.stderr)):
        yield terminal


def keep_in_log(*names: str) -> None:
    """Send the records of these loggers only to the log file, not through their own handlers to the terminal."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def log_to_file(settings: Settings) -> None:
    """Send every log record and warning of this process to the log file. Calling it again does nothing.

    Raises:
        SetupError: The studio's folder cannot be written.
    """
    root = logging.getLogger()
    if any(isinstance(handler, logging.handlers.RotatingFileHandler) for handler in root.handlers):
        return
    open_home(settings.home)
    try:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handler = LogFileHandler(settings.log_file)
    except OSError as error:
        raise home_error(settings.home, error) from None
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would log signed addresses
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not fill the terminal with the log's own tracebacks


def _cut(text: str) -> str:
    """Return a text's beginning and end if it is too long; the end of a traceback says what happened."""
    if len(text) <= LONGEST_TEXT:
        return text
    part = LONGEST_TEXT // 2
    return f"{text[:part]}\n… {len(text) - 2 * part} characters …\n{text[-part:]}"
