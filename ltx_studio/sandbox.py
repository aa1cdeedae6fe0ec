"""Read users' files with any parser, so that no file can crash, block or fill the studio.

`read` turns every exception that is not the studio's own into one that names the file. In a process that serves
others (`use_child_processes`), it also runs the parser in a child process with limits on processor time, wall time and
memory: a thread cannot be killed, and a parser that holds the interpreter would make everybody wait.
"""

import atexit
import contextlib
import logging
import math
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from ltx_studio import limits
from ltx_studio.errors import BusyError, RequestError, StudioError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

Check = Callable[[], None]

MOST_CHILDREN = 3
"""How many files are read at the same time; more wait their turn."""

_BETWEEN_CHECKS = 0.2
"""Seconds."""

_LENGTH_BYTES = 8
_CHUNK = 1 << 16


def read(parse: Callable[..., Result], path: Path, *args: Any) -> Result:
    """Return ``parse(path, *args)``.

    Args:
        parse: A function at the top level of a module; arguments and result must be picklable.
        path: The user's file. Errors name it without its folder.
        args: Further arguments of `parse`.

    Raises:
        StudioError: What `parse` raised, or a RequestError for every other exception and every exceeded limit.
    """
    if _pool is None:
        return _parsed(parse, path, args)
    result: Result = _raised(_pool.run(parse, path, args))
    return result


def work(task: Callable[..., Result], path: Path, *args: Any, check: Check) -> Result:
    """Return ``task(path, *args, check)``, which may take as long as the user is willing to wait.

    Args:
        task: A function at the top level of a module; arguments and result must be picklable.
        path: The user's file. Errors name it without its folder.
        args: Further arguments of `task`.
        check: Called repeatedly; an exception from it ends the work. In a child process `task` gets another one.

    Raises:
        StudioError: What `task` or `check` raised, or a RequestError for every other exception of `task`.
    """
    if _pool is None:
        return _parsed(task, path, (*args, check))
    child = _Child(limits.WORK_MEMORY)
    try:
        outcome = child.run(task, path, (*args, _unchecked), _Bounds(check))
    finally:
        child.end()
    result: Result = _raised(outcome)
    return result


def _raised(outcome: Any) -> Any:
    if isinstance(outcome, StudioError):
        raise outcome
    return outcome


def _unchecked() -> None:
    """Do nothing, because the parent ends this process."""


def read_or(otherwise: Result, parse: Callable[..., Result], path: Path, *args: Any) -> Result:
    """Return the result of `read`, or `otherwise` if the file cannot be read; the log says why.

    The caller can cache the result. Only a busy studio raises, because the next try may succeed.

    Raises:
        BusyError: Too many files are being read.
    """
    try:
        return read(parse, path, *args)
    except BusyError:
        raise
    except StudioError as error:
        log.warning("%s could not be read: %s", path.name, error.message)
        return otherwise


def use_child_processes() -> None:
    """Read files in child processes from now on. A second call does nothing."""
    global _pool  # noqa: PLW0603  (one server for each process)
    if _pool is None:
        _pool = _Pool()
        atexit.register(_pool.close)


def _parsed(parse: Callable[..., Result], path: Path, args: tuple[Any, ...]) -> Result:
    try:
        return parse(path, *args)
    except StudioError:
        raise
    except (MemoryError, RecursionError) as error:
        raise _refused(path, "is too complex to read", limits.READ_MEMORY, str(error)) from None
    except Exception as error:
        log.exception("%s could not be read", path.name)
        raise RequestError(
            f"{path.name} cannot be read: {type(error).__name__}: {str(error)[:200]}.",
            "Convert it again, or use another file.",
            details=traceback.format_exc(),
        ) from None


def _refused(path: Path, what: str, limit: limits.Limit, details: str = "") -> RequestError:
    return RequestError(f"{path.name} {what}.", limit.hint, where=path.name, details=details)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The bounds of a child process: `check`, which ends it by raising, and limits, if any."""

    check: Check = _unchecked
    seconds: limits.Limit | None = None
    cpu: limits.Limit | None = None


class _Pool:
    """A few child processes; one is kept warm, the others end when they are no longer needed."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(MOST_CHILDREN)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def run(self, parse: Callable[..., Any], path: Path, args: tuple[Any, ...]) -> Any:
        """Return the result, or the error as an object."""
        if not self._free.acquire(timeout=limits.READ_SECONDS.most):
            return BusyError("The studio is reading other files.", "Try again in a moment.")
        try:
            child = self._take()
            try:
                bounds = _Bounds(seconds=limits.READ_SECONDS, cpu=limits.READ_CPU_SECONDS)
                outcome = child.run(parse, path, args, bounds)
            except BaseException:  # the child may be in the middle of an answer
                child.end()
                raise
            self._give_back(child)
            return outcome
        finally:
            self._free.release()

    def _take(self) -> "_Child":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child(limits.READ_MEMORY)

    def _give_back(self, child: "_Child") -> None:
        with self._lock:
            if child.is_alive and not self._idle:
                self._idle.append(child)
                return
        child.end()

    def close(self) -> None:
        """End the idle child; a busy one ends with this process, whose pipe it reads."""
        with self._lock:
            for child in self._idle:
                child.end()
            self._idle.clear()


class _Child:
    """One child process, which reads one file after another."""

    def __init__(self, memory: limits.Limit) -> None:
        self._memory = memory
        package = str(Path(__file__).resolve().parent.parent)
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from ltx_studio.sandbox import serve; serve({memory.most})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            process_group=0,  # Ctrl+C on the terminal is for the studio
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, parse: Callable[..., Any], path: Path, args: tuple[Any, ...], bounds: _Bounds) -> Any:
        """Return the result, or the error as an object; end the process if it exceeds a limit.

        Raises:
            StudioError: What the check raised; the process goes on.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        until = math.inf if bounds.seconds is None else time.monotonic() + bounds.seconds.most
        try:
            _write(stdin, pickle.dumps((parse, path, args, bounds.cpu.most if bounds.cpu else None)))
            return pickle.loads(_receive(stdout.fileno(), until, bounds.check))
        except TimeoutError:
            assert bounds.seconds is not None
            self.end()
            return _refused(path, f"took longer than {bounds.seconds.most} s to read", bounds.seconds)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.end()
            return self._why_it_ended(path)

    def _why_it_ended(self, path: Path) -> RequestError:
        code = self._process.returncode
        if code == -signal.SIGXCPU:
            limit = limits.READ_CPU_SECONDS
            return _refused(path, f"took more than {limit.most} s of CPU time to read", limit)
        log.error("a child process ended with %s while it read %s", code, path.name)
        return _refused(path, "cannot be read: its reader crashed or ran out of memory", self._memory)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def serve(memory: int) -> None:
    """Answer the parent until it closes the pipe, in at most `memory` bytes. The main function of a child process."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  (what a parser prints is discarded)
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    _limit_memory(memory)
    while length := requests.read(_LENGTH_BYTES):
        parse, path, args, seconds = pickle.loads(requests.read(int.from_bytes(length, "little")))
        with _limited_cpu(seconds):
            outcome = _outcome(parse, path, args)
        _write(answers, outcome)


def _outcome(parse: Callable[..., Any], path: Path, args: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps(_parsed(parse, path, args))
    except StudioError as error:
        return pickle.dumps(error)
    except Exception as error:
        return pickle.dumps(_refused(path, "is too complex to read", limits.READ_MEMORY, repr(error)))


def _limit_memory(most: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


@contextlib.contextmanager
def _limited_cpu(seconds: int | None) -> Iterator[None]:
    """Have the system end this process if one file takes too much processor time, however busy the machine is."""
    if seconds is None:
        yield
        return
    try:
        import resource
    except ImportError:
        yield
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + seconds, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
    pipe.flush()


def _receive(pipe: int, until: float, check: Check) -> bytes:
    length = int.from_bytes(_exactly(pipe, _LENGTH_BYTES, until, check), "little")
    return _exactly(pipe, length, until, check)


def _exactly(pipe: int, count: int, until: float, check: Check) -> bytes:
    data = bytearray()
    while len(data) < count:
        check()
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if not select.select([pipe], [], [], min(left, _BETWEEN_CHECKS))[0]:
            continue
        chunk = os.read(pipe, min(_CHUNK, count - len(data)))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


_pool: _Pool | None = None
