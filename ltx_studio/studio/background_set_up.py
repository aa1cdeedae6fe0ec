"""Set-up in a process of its own, while the page is open already, as on a Hugging Face Space that has just started."""

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, TextIO

from ltx_studio.errors import SetupError

log = logging.getLogger(__name__)

ERROR = "Error: "
"""How the command begins the line that says what happened."""

LAST_LINES = 20
"""How many lines of a failed set-up its error has as details."""


class BackgroundSetUp:
    """A run of `ltx-studio setup` with the environment of this process. It boots ComfyUI, and this process may too.

    Args:
        done: Called once, in another thread, when the set-up has ended, whether it worked or not.
        command: The command, for tests.
    """

    def __init__(
        self, done: Callable[[], None], command: tuple[str, ...] = (sys.executable, "-m", "ltx_studio", "setup")
    ) -> None:
        self._done, self._command = done, command
        self._lines: list[str] = []
        self._over = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self.error: SetupError | None = None

    @property
    def is_running(self) -> bool:
        return not self._over.is_set()

    @property
    def step(self) -> str:
        """What it does now, as it reports it; empty at first."""
        return self._lines[-1] if self._lines else ""

    def start(self) -> None:
        """Start it, and return at once."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        terminal = sys.stdout, sys.stderr  # a server replaces them once it is open
        threading.Thread(target=self._follow, args=(self._process, *terminal), name="set-up", daemon=True).start()

    def stop(self) -> None:
        """End it. It continues where it stopped when it is started again."""
        if self._process is not None:
            self._process.terminate()

    def _follow(self, process: subprocess.Popen[str], out: TextIO, err: TextIO) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        problems: list[str] = []
        also = threading.Thread(target=_copy, args=(process.stderr, err, problems), daemon=True)
        also.start()
        _copy(process.stdout, out, self._lines)
        also.join()
        if process.wait() != 0:
            self.error = _error_of(problems or self._lines or [f"exit code {process.returncode}"])
        self._over.set()
        self._done()


def _error_of(lines: list[str]) -> SetupError:
    """Return the error that the command printed last: its message, and below it what to do."""
    said = [number for number, line in enumerate(lines) if line.startswith(ERROR)]
    if not said:
        return SetupError(
            f"The set-up failed: {lines[-1]}", "Restart the studio.", details="\n".join(lines[-LAST_LINES:])
        )
    message, hint = lines[said[-1]].removeprefix(ERROR), " ".join(lines[said[-1] + 1 :])
    return SetupError(f"The set-up failed: {message}", hint or "Restart the studio.")


def _copy(source: IO[str], target: TextIO, lines: list[str]) -> None:
    """Print the lines of a process as they come, and keep those that are not empty."""
    for line in source:
        with contextlib.suppress(OSError, ValueError):  # the terminal is gone, or cannot show a character
            print(line, end="", file=target, flush=True)
        if line.strip():
            lines.append(line.strip())
