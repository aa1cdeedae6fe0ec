"""Downloads on the terminal: a bar for each file and one for all; plain lines without a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from ltx_studio.cli.output import print_line
from ltx_studio.events import Cancelled, Event, Failed, Fetching, Finished, Outcome, Waiting
from ltx_studio.models import ModelFile
from ltx_studio.text.formatting import in_bytes, printable
from ltx_studio.text.phrases import FETCHING, WAITING

NAME_WIDTH = 44
LINE_EVERY = 0.05
"""The fraction of all bytes between two lines, without a terminal."""


def show_downloads(events: Iterator[Event], *, quiet: bool) -> Outcome:
    """Show the progress of `ensure_models` on stderr, and return its outcome."""
    console = Console(stderr=True, quiet=quiet, highlight=False)
    with _bars(console, quiet=quiet) as progress:
        bars = _Bars(progress) if console.is_terminal else None
        lines = _Lines(console)
        for event in events:
            if isinstance(event, Finished | Failed | Cancelled):
                return event
            if isinstance(event, Waiting):
                print_line(console, event.note or f"{WAITING[event.reason]} …")
            elif isinstance(event, Fetching):
                bars.show(event) if bars else lines.show(event)
    raise AssertionError("a download ended without an outcome")


@contextmanager
def show_reading(*, quiet: bool) -> Iterator[Callable[[ModelFile, int], None]]:
    """Show a bar for each file that is read, and yield a function that reports progress in bytes."""
    console = Console(stderr=True, quiet=quiet, highlight=False)
    with _bars(console, quiet=quiet) as progress:
        tasks: dict[str, TaskID] = {}

        def check(file: ModelFile, done: int) -> None:
            if file.key not in tasks:
                tasks[file.key] = progress.add_task(_short(file.key), total=file.size or None, note="reading")
            progress.update(tasks[file.key], completed=done)

        yield check


def _bars(console: Console, *, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )


class _Bars:
    """Bars for a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._all: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}

    def show(self, event: Fetching) -> None:
        if event.file not in self._tasks:
            self._tasks[event.file] = self._progress.add_task(_short(event.file), total=event.size, note="")
        note = printable(event.note or FETCHING[event.phase])
        is_over = event.phase == "done"
        self._progress.update(self._tasks[event.file], completed=event.done, note=note, visible=not is_over)
        if self._all is None:
            self._all = self._progress.add_task("total", total=event.all_size, note="")
        self._progress.update(self._all, completed=event.all_done, total=event.all_size)


class _Lines:
    """Lines for a log or a pipe: one for each change of phase, and now and then one for the bytes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phases: dict[str, tuple[str, str]] = {}
        self._said = 0

    def show(self, event: Fetching) -> None:
        state = (event.phase, event.note)
        if self._phases.get(event.file) != state and event.phase != "queued":
            self._phases[event.file] = state
            said = f"{event.file}: {FETCHING[event.phase]}{f' ({event.note})' if event.note else ''}"
            print_line(self._console, said)
        if event.all_size and event.all_done - self._said >= LINE_EVERY * event.all_size:
            self._said = event.all_done
            share = event.all_done / event.all_size
            amount = f"{in_bytes(event.all_done)} of {in_bytes(event.all_size)}"
            print_line(self._console, f"{amount} ({share:.0%})")


def _short(key: str) -> str:
    name = printable(key.rpartition("/")[2])
    return name if len(name) <= NAME_WIDTH else f"{name[:20]}…{name[-(NAME_WIDTH - 21) :]}"
