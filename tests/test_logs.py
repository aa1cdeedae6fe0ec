import contextlib
import errno
import io
import logging
import logging.handlers
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltx_studio import logs
from ltx_studio.errors import SetupError
from ltx_studio.logs import SafeFormatter, escaped, keep_in_log, log_to_file, terminal_kept
from ltx_studio.permissions import home_error
from ltx_studio.settings import Settings


def test_the_log_rotates_and_keeps_a_few(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    try:
        root.handlers = []
        logs.log_to_file(home)
        logs.log_to_file(home)
        (handler,) = root.handlers
        for number in range(100):
            logging.getLogger("test").info("line %d of a long story", number)
        handler.close()
    finally:
        root.handlers, root.level = before
        logging.captureWarnings(False)

    names = {path.name for path in home.log_file.parent.iterdir()}
    assert names == {"studio.log", "studio.log.1", "studio.log.2", "studio.log.3"}
    assert "line 99" in home.log_file.read_text()


def test_warnings_go_to_the_log_and_not_to_the_terminal(tmp_path: Path) -> None:
    code = (
        "import warnings; from pathlib import Path\n"
        "from ltx_studio.logs import log_to_file; from ltx_studio.settings import Settings\n"
        f"settings = Settings(home=Path({str(tmp_path)!r})); log_to_file(settings)\n"
        "warnings.warn('mind the gap'); print(settings.log_file.read_text())"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert "mind the gap" in done.stdout


@pytest.fixture
def no_log_yet() -> Iterator[None]:
    root = logging.getLogger()
    kept = list(root.handlers)
    root.handlers = [each for each in kept if not isinstance(each, logging.handlers.RotatingFileHandler)]
    yield
    root.handlers = kept


@pytest.mark.usefixtures("no_log_yet")
@pytest.mark.parametrize("what", ["home", "logs", "studio.log"])
def test_something_in_its_place_is_named(tmp_path: Path, what: str) -> None:
    settings = Settings(home=tmp_path / "home")
    places = {"home": settings.home, "logs": settings.log_file.parent, "studio.log": settings.log_file}
    places[what].parent.mkdir(parents=True, exist_ok=True)
    places[what].mkdir() if what == "studio.log" else places[what].touch()

    with pytest.raises(SetupError, match="cannot be written") as told:
        log_to_file(settings)

    assert told.value.hint.startswith(f"Move {places[what]} away")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EROFS, "read-only disk as writable"),
        (errno.EACCES, "permission to write to /home/x"),
        (errno.EPERM, "permission to write to /home/x"),
        (errno.ENOTDIR, "Move /home/x away"),
        (errno.ENAMETOOLONG, "Choose another folder"),
    ],
)
def test_each_reason_has_its_remedy(code: int, hint: str) -> None:
    told = home_error(Path("/home"), OSError(code, "reason", "/home/x"))

    assert hint in told.hint
    assert "LTX_STUDIO_HOME" in told.hint
    assert "reason" in told.message


def record(message: str, *values: object, error: BaseException | None = None) -> str:
    """What the log file gets of a record."""
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("test", logging.WARNING, "", 1, message, values, info)
    return SafeFormatter("START %(levelname)s %(message)s").format(made)


@pytest.mark.parametrize("raw", ["\x1b]0;owned\x07", "\nSTART forged", "\r", "\u202e", "\x9b2J", "\ud800", "\x00"])
def test_a_message_is_one_line_that_moves_no_cursor(raw: str) -> None:
    told = record("a client sent %s.", raw)

    assert told.isprintable()
    assert told.encode() == f"START WARNING a client sent {escaped(raw)}.".encode()


def test_a_traceback_keeps_its_lines_and_forges_no_record() -> None:
    try:
        raise ValueError("\x1b[2J\nSTART forged")  # noqa: TRY301
    except ValueError as error:
        told = record("it failed", error=error)

    first, *rest = told.split("\n")
    assert first == "START WARNING it failed"
    assert len(rest) > 3
    assert all(line.startswith("  ") and line.isprintable() for line in rest)
    assert rest[-1] == "  START forged"


def test_what_is_long_is_cut_and_keeps_its_end() -> None:
    try:
        raise ValueError("x" * 10_000_000 + " the end")  # noqa: TRY301
    except ValueError as error:
        told = record("y" * 10_000_000 + " told", error=error)

    assert len(told) < 5 * logs.LONGEST_TEXT
    assert "told" in told.split("\n")[0]
    assert told.endswith("the end")


def test_umlauts_and_scripts_of_the_world_stay_as_they_are() -> None:
    assert escaped("Grüße, 世界, 😀") == "Grüße, 世界, 😀"


def test_the_terminal_shows_only_what_is_written_to_it(caplog: pytest.LogCaptureFixture) -> None:
    shown = io.StringIO()
    with (
        caplog.at_level(logging.INFO),
        contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(shown),
        terminal_kept() as terminal,
    ):
        print("\x1b[2J of a library")
        sys.stderr.write("z" * 100_000)
        print("The page is at", file=terminal)

    assert shown.getvalue() == "The page is at\n"
    assert "of a library" in caplog.text
    assert max(len(each.getMessage()) for each in caplog.records) < 2 * logs.LONGEST_LINE


def test_a_librarys_own_handlers_are_taken_away() -> None:
    library = logging.getLogger("a library of the tests")
    library.addHandler(logging.StreamHandler())
    library.propagate = False

    keep_in_log(library.name)

    assert (library.handlers, library.propagate) == ([], True)


def test_what_asks_for_the_number_of_a_stream_gets_that_of_the_real_one(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr.fileno()

    with terminal_kept():
        assert sys.stderr.fileno() == before


FORK_WHILE_WRITING = """
import logging, os, sys, threading, time
from pathlib import Path
from ltx_studio.logs import log_to_file
from ltx_studio.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
log_to_file(settings)
(handler,) = (each for each in logging.getLogger().handlers if hasattr(each, "baseFilename"))
file, end = os.pipe()
os.dup2(end, handler.stream.fileno())  # a disk that is slow without end: a pipe that nobody reads
for _ in range(20):
    threading.Thread(target=logging.info, args=("x" * 7_000,), daemon=True).start()
time.sleep(0.5)
child = os.fork()
if child == 0:
    logging.info("of the forked process")
    os._exit(0)
for _ in range(100):
    if os.waitpid(child, os.WNOHANG) != (0, 0):
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
    print("STUCK")
print(settings.log_file.read_text())
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux")
def test_a_process_that_is_forked_while_another_thread_writes_can_log(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK_WHILE_WRITING, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert "STUCK" not in done.stdout
    assert "of the forked process" in done.stdout
