"""A job on the terminal: one bar over its phases; plain lines without a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from ltx_studio.cli.output import print_line
from ltx_studio.studio import Job, Progress, Queued, Running
from ltx_studio.text.formatting import printable


def show(jobs: Iterator[Job], *, quiet: bool = False, alone: bool = False) -> Job:
    """Show the progress of a job on stderr, from `Studio.follow`, and return the job as it ended.

    With `alone`, this process runs only this job, whatever else waits.
    """
    console = Console(stderr=True, quiet=quiet, highlight=False)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
    )
    said = ""
    with Bar(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=None, note="")
        for job in jobs:
            progress = _progress(job, alone=alone)
            if progress is None:
                return job
            _update(bar, task, progress)
            line = f"[{progress.index + 1}/{progress.phases}] {progress.phase}" if progress.phases else progress.phase
            if line != said and progress.phase and not console.is_terminal:
                said = line
                print_line(console, line)
    raise AssertionError("the progress of a job ended before the job did")


def _progress(job: Job, *, alone: bool) -> Progress | None:
    """Return the progress of a job; None if it has ended."""
    match job.state:
        case Queued(ahead):
            return Progress(f"Waiting, {ahead} ahead" if ahead and not alone else "Starting")
        case Running(progress=progress):
            return progress
    return None


def _update(bar: Bar, task: TaskID, progress: Progress) -> None:
    note = f"step {progress.step} of {progress.steps}" if progress.step else ""
    part = progress.part * progress.phases
    bar.update(task, description=printable(progress.phase), completed=part, total=progress.phases or None, note=note)
