"""Reading users' files, here and in child processes."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ltx_studio import limits, sandbox
from ltx_studio.errors import RequestError, StoppedError, WorkflowError

FILE = Path("/somewhere/clip.mp4")


def describe(path: Path, more: str) -> str:
    return f"{path.name} {more}"


def refuse(path: Path) -> None:
    raise WorkflowError(f"{path.name} is empty.", "Use another one.", where="Save")


def stumble(path: Path) -> None:
    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


def spin(path: Path) -> None:
    while True:
        pass


def sleep(path: Path) -> None:
    time.sleep(60)


def swell(path: Path) -> int:
    return len(b"x" * (limits.READ_MEMORY.most + 1))


def crash(path: Path) -> None:
    os.abort()


def chatter(path: Path) -> str:
    print("noise on the standard output")
    os.write(1, b"more noise")
    return "quiet"


def process(path: Path) -> int:
    return os.getpid()


def nap(path: Path) -> int:
    time.sleep(0.3)
    return os.getpid()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Child processes, as a server uses them."""
    pool = sandbox._Pool()
    monkeypatch.setattr(sandbox, "_pool", pool)
    yield
    pool.close()


@pytest.fixture(params=["here", "child"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "child":
        request.getfixturevalue("children")
    else:
        monkeypatch.setattr(sandbox, "_pool", None)  # a page may have been opened in this process before


@pytest.mark.usefixtures("either")
def test_it_returns_what_the_parser_returns() -> None:
    assert sandbox.read(describe, FILE, "is a clip") == "clip.mp4 is a clip"


@pytest.mark.usefixtures("either")
def test_an_error_of_the_studio_comes_through_whole() -> None:
    with pytest.raises(WorkflowError) as caught:
        sandbox.read(refuse, FILE)

    assert caught.value == WorkflowError("clip.mp4 is empty.", "Use another one.", where="Save")


@pytest.mark.usefixtures("either")
def test_any_other_exception_becomes_an_error_that_names_the_file() -> None:
    with pytest.raises(RequestError, match=r"^clip\.mp4 cannot be read: UnicodeDecodeError") as caught:
        sandbox.read(stumble, FILE)

    assert "Traceback" in caught.value.details
    assert "/somewhere" not in caught.value.message


@pytest.mark.usefixtures("children")
def test_a_parser_that_never_ends_is_ended_by_its_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_CPU_SECONDS", limits.Limit(1, "seconds", "Use another file."))

    with pytest.raises(RequestError, match=r"clip\.mp4 took more than 1 s of CPU time"):
        sandbox.read(spin, FILE)

    assert sandbox.read(describe, FILE, "again") == "clip.mp4 again"


@pytest.mark.usefixtures("children")
def test_a_parser_that_waits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS", limits.Limit(1, "seconds", "Use another file."))

    with pytest.raises(RequestError, match=r"clip\.mp4 took longer than 1 s to read"):
        sandbox.read(sleep, FILE)


@pytest.mark.usefixtures("children")
def test_a_parser_that_wants_too_much_memory_is_refused() -> None:
    with pytest.raises(RequestError, match=r"clip\.mp4 is too complex to read"):
        sandbox.read(swell, FILE)


@pytest.mark.usefixtures("children")
def test_a_parser_that_crashes_takes_only_its_own_process_along() -> None:
    with pytest.raises(RequestError, match=r"clip\.mp4 cannot be read: its reader crashed"):
        sandbox.read(crash, FILE)

    assert sandbox.read(process, FILE) != os.getpid()


@pytest.mark.usefixtures("children")
def test_what_a_parser_prints_does_not_disturb_the_answer() -> None:
    assert sandbox.read(chatter, FILE) == "quiet"


@pytest.mark.usefixtures("children")
def test_one_process_serves_files_that_come_one_after_another() -> None:
    assert sandbox.read(process, FILE) == sandbox.read(process, FILE)


@pytest.mark.usefixtures("children")
def test_files_are_read_side_by_side_and_only_one_process_stays() -> None:
    with ThreadPoolExecutor(6) as pool:
        used = set(pool.map(lambda _: sandbox.read(nap, FILE), range(6)))

    assert len(used) > 1
    assert sandbox._pool is not None
    assert len(sandbox._pool._idle) == 1


def busy(path: Path, more: str, check: Callable[[], None]) -> str:
    check()
    return f"{path.name} {more}"


def busy_for_ever(path: Path, check: Callable[[], None]) -> None:
    while True:
        check()


def crash_at_work(path: Path, check: Callable[[], None]) -> None:
    os.abort()


def process_at_work(path: Path, check: Callable[[], None]) -> int:
    return os.getpid()


@pytest.mark.usefixtures("either")
def test_work_returns_what_its_task_returns() -> None:
    assert sandbox.work(busy, FILE, "is done", check=lambda: None) == "clip.mp4 is done"


@pytest.mark.usefixtures("either")
def test_work_ends_when_its_check_raises() -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) > 2:
            raise StoppedError("Stopped.", "")

    with pytest.raises(StoppedError):
        sandbox.work(busy_for_ever, FILE, check=check)


@pytest.mark.usefixtures("children")
def test_work_that_crashes_takes_only_its_own_process_along() -> None:
    with pytest.raises(RequestError, match=r"clip\.mp4 cannot be read: its reader crashed"):
        sandbox.work(crash_at_work, FILE, check=lambda: None)

    assert sandbox.work(process_at_work, FILE, check=lambda: None) != os.getpid()
