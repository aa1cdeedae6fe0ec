"""One case, measured: what it raised, how long it took, how much memory, and what it touched outside of its folders."""

import contextlib
import os
import pickle
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from ltx_studio.errors import StudioError

SECONDS = 2.0
"""Of processor time, which a case may take: it does not depend on what else the machine does."""
MEMORY = 1_000_000_000
"""Bytes that a case may add to those of its process."""
LONGEST_MESSAGE = 20_000
"""Characters of an error's message and hint together."""
UNFORESEEN = re.compile(r"Something unexpected went wrong|cannot be read: [A-Za-z_.]*(Error|Exception|Iteration): ")
"""How the studio words an exception that a parser should have foreseen (`StudioError.unexpected`, `reading.read`)."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROCESSES = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn"}
_PATHS = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.truncate": 1}

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that must not be.

    Attributes:
        kind: What it is and where, the same for all cases of one fault.
        details: A traceback, or figures.
    """

    kind: str
    details: str


@dataclass(slots=True)
class Measured:
    """Attributes: whether it was accepted, its faults, seconds of processor time, bytes of memory added."""

    accepted: bool
    faults: list[Fault]
    seconds: float
    memory: int


class Watch:
    """Notes every file that Python opens elsewhere, every process and every connection, while a case runs."""

    def __init__(self, *writable: Path, readable: tuple[Path, ...]) -> None:
        self._writable = tuple(f"{path.resolve()}{os.sep}" for path in writable)
        places = (*readable, *map(Path, {sys.prefix, sys.base_prefix, *filter(None, sys.path)}))
        system = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib")
        self._readable = (*self._writable, *(f"{path.resolve()}{os.sep}" for path in places), *system)
        self._seen: list[str] = []
        self._watching = False
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def watching(self) -> Iterator[list[str]]:
        self._seen, self._watching = [], True
        try:
            yield self._seen
        finally:
            self._watching = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event == "open":
            path, _, flags = arguments
            writes = bool(flags & _WRITING)
            self._look_at(path, self._writable if writes else self._readable, "written" if writes else "read")
        elif event in _PATHS:
            for path in arguments[: _PATHS[event]]:
                self._look_at(path, self._writable, event)
        elif event in _PROCESSES or event == "socket.connect":
            self._seen.append(f"{event} {arguments[:2]!r}"[:300])

    def _look_at(self, path: Any, allowed: tuple[str, ...], what: str) -> None:
        if isinstance(path, int) or path is None:
            return
        self._watching = False  # what follows looks at files itself
        try:
            text = os.path.realpath(os.fsdecode(path))
        except (ValueError, UnicodeError, OSError):
            return
        finally:
            self._watching = True
        if not text.startswith(allowed) and text not in ("/dev/null", "/"):
            self._seen.append(f"{what} {text[:200]}")


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return name → (size, time of change) of all that lies below a folder."""
    return {
        str(path): (state.st_size, state.st_mtime_ns)
        for path in folder.rglob("*")
        if (state := path.lstat()) and not path.is_dir()
    }


class Attempts:
    """Calls what a case is about, one function after another, and goes on after a refusal."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.refused = 0

    def __call__(self, call: Callable[[], Result]) -> Result | None:
        """Return the result, or None when there is none: a StudioError is a refusal, everything else a fault."""
        try:
            return call()
        except StudioError as error:
            self.refused += 1
            self.faults += faults_of(error)
        except (Exception, SystemExit) as error:
            self.refused += 1
            self.faults.append(foreign(error))
        return None

    def passes(self, check: Callable[[], None]) -> bool:
        """Return whether a check refuses nothing."""
        refused = self.refused
        self(check)
        return self.refused == refused


def measure(act: Callable[[Attempts], None], watch: Watch, canaries: Path, seconds: float) -> Measured:
    """Run one case.

    Args:
        act: What the case is about.
        watch: Of this process.
        canaries: A folder in which nothing may change.
        seconds: Of processor time; when five times as much is used up, the system ends this process.
    """
    before, used = snapshot(canaries), psutil.Process().memory_info().rss
    attempts = Attempts()
    signal.setitimer(signal.ITIMER_PROF, seconds * 5)
    begun = time.process_time()
    with watch.watching() as seen:
        attempts(lambda: act(attempts))
    faults = attempts.faults
    took = time.process_time() - begun
    signal.setitimer(signal.ITIMER_PROF, 0)
    grown = max(0, _peak() - used)
    if took > seconds:
        faults.append(Fault("slow", f"{took:.1f} s of processor time"))
    if grown > MEMORY and _peak() > _last_peak[0]:
        faults.append(Fault("memory", f"{grown / 1e9:.2f} GB"))
    _last_peak[0] = _peak()
    faults += [Fault(f"outside: {each.split()[0]}", each) for each in seen]
    if snapshot(canaries) != before:
        faults.append(Fault("outside: a file was changed", "among the canaries"))
    return Measured(not attempts.refused, faults, took, grown)


def faults_of(error: StudioError) -> list[Fault]:
    """Return what is wrong with an error that a user would read."""
    said = f"{error.message} {error.hint}"
    found = []
    if UNFORESEEN.search(said):
        lines = [line.strip() for line in error.details.splitlines() if "ltx_studio" in line]
        found.append(Fault(f"unforeseen: {lines[-1] if lines else said[:100]}", error.details or said[:2000]))
    if len(said) > LONGEST_MESSAGE:
        found.append(Fault(f"long message: {_shape(said)}", f"{len(said):,} characters"))
    if pickle.loads(pickle.dumps(error)) != error:
        found.append(Fault("error that does not survive pickling", said[:200]))
    return found


def foreign(error: BaseException) -> Fault:
    """Name an exception that is none of the studio's by its class and the innermost place of ours."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if f"{os.sep}ltx_studio{os.sep}" in frame.filename
    ]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "nowhere of ours"
    return Fault(f"{type(error).__name__} in {place}", "".join(traceback.format_exception(error))[-4000:])


def _shape(said: str) -> str:
    return re.sub(r"[^a-zA-Z ]+", "…", said)[:60]


def _peak() -> int:
    """Bytes that this process had at most."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` says is at first that of the process which started this one
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


_last_peak = [0]
