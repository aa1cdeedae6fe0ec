"""A run on the terminal: one bar over the stages; plain lines where there is no terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ltx_studio.events import Cancelled, Event, Failed, Finished, Outcome, StageStarted, Step, Waiting
from ltx_studio.words import WAITING


def show(events: Iterator[Event], *, quiet: bool = False) -> Outcome:
    """Follow a run to its end on stderr and give its outcome back."""
    console = Console(stderr=True, quiet=quiet, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("Starting", total=None, note="")
        for event in events:
            if isinstance(event, Finished | Failed | Cancelled):
                return event
            _update(progress, task, event)
            if not console.is_terminal:
                _print_line(console, event)
    raise AssertionError("a run ended without an outcome")


def _update(progress: Progress, task: TaskID, event: Event) -> None:
    match event:
        case Waiting(reason):
            progress.update(task, description=WAITING[reason], total=None, note="")
        case StageStarted(_, label, index, count):
            progress.update(task, description=label, completed=index, total=count, note="")
        case Step(_, step, total):
            stage = int(progress.tasks[task].completed)
            progress.update(task, completed=stage + min(step / total, 0.999), note=f"step {step} of {total}")


def _print_line(console: Console, event: Event) -> None:
    match event:
        case Waiting(reason):
            console.print(f"{WAITING[reason]} …")
        case StageStarted(_, label, index, count):
            console.print(f"[{index + 1}/{count}] {label}", markup=False)
