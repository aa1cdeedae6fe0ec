"""`ltx-studio jobs`: waiting, running and ended jobs, and commands to control them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ltx_studio.cancel import CancelToken
from ltx_studio.cli.generate import NOBODY_WORKS, PAUSED
from ltx_studio.cli.hints import as_dict, hint_of
from ltx_studio.cli.output import echo, echo_json, moment
from ltx_studio.cli.progress import show as show_progress
from ltx_studio.cli.signals import stop_on_signal
from ltx_studio.errors import StoppedError
from ltx_studio.families import DEFAULT_PRESET
from ltx_studio.families.default_preset import default_preset
from ltx_studio.logs import log_to_file
from ltx_studio.models import default_set, get_registry
from ltx_studio.settings import get_settings
from ltx_studio.studio import LOCAL, Done, Failed, Job, Queued, Running, Studio
from ltx_studio.studio.jobs import Jobs

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def jobs() -> None:
    """Show and change the queue."""


@jobs.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many.")
@_AS_JSON
def list_jobs(limit: int, *, as_json: bool) -> None:
    """List jobs: the running one, waiting ones in order, then the latest that ended."""
    queue = _jobs()
    _show(queue.of(LOCAL, limit=limit), as_json=as_json)
    if queue.is_paused(LOCAL):
        echo(PAUSED, err=True)


@jobs.command()
@click.argument("job")
@_AS_JSON
def show(job: str, *, as_json: bool) -> None:
    """Show one job and its request."""
    found = _jobs().get(job, LOCAL)
    if as_json:
        echo_json(_as_dict(found) | {"spec": found.spec})
        return
    _show([found], as_json=as_json)
    of_spec = {name: found.spec[name] for name in ("preset", "model_set") if found.spec.get(name)}
    for name, value in (of_spec | dict(found.params)).items():
        echo(f"  {name}: {value}")
    if isinstance(found.state, Failed):
        echo(f"  {found.state.error.message} {hint_of(found.state.error)}")


@jobs.command()
@click.argument("job")
@_AS_JSON
def cancel(job: str, *, as_json: bool) -> None:
    """Remove a waiting job from the queue, or stop a running one."""
    _show_one(_jobs().cancel(job, LOCAL), as_json=as_json)


@jobs.command()
@click.argument("job")
@_AS_JSON
def retry(job: str, *, as_json: bool) -> None:
    """Put a failed or stopped job at the end of the queue."""
    _show_one(_jobs().retry(job, LOCAL), as_json=as_json)


@jobs.command()
@click.argument("job")
@click.argument("place", type=click.IntRange(1))
def move(job: str, place: int) -> None:
    """Move a waiting JOB to a PLACE in the queue; 1 is next."""
    queue = _jobs()
    queue.move(job, LOCAL, place - 1)
    _show([queue.get(job, LOCAL)], as_json=False)


@jobs.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mode", help="Mode for requests that do not name one.")
@click.option("--preset", help=f"Preset for requests that do not name one. [your setting, else {DEFAULT_PRESET}]")
@click.option("--model-set", default=None, help="Model set for requests that do not name one.")
@_AS_JSON
def add(file: Path, mode: str | None, preset: str | None, model_set: str | None, *, as_json: bool) -> None:
    """Add all requests of FILE to the queue, or none if one is wrong.

    FILE is a table with column names in the first line (.csv, .tsv), or has a JSON object per line (.jsonl) or
    a prompt per line (.txt). A request has a prompt and any other setting of its mode, and may name its own mode,
    preset and model_set.
    """
    settings = get_settings()
    chosen = get_registry(settings).get_set(model_set or default_set(settings))
    preset = preset or default_preset(settings, chosen.family).id
    studio = Studio(settings)
    specs = studio.jobs.read_table(file, chosen.id, mode, preset)
    notes = [spec.notes() for spec in specs]  # before anything is submitted: a file may be gone
    ids = studio.jobs.submit(LOCAL, specs)
    if as_json:
        echo_json({"jobs": ids, "notes": notes})
        return
    for number, told in enumerate(notes, 1):
        for note in told:
            echo(f"Request {number}: {note}", err=True)
    echo(*ids)
    if not studio.is_worked():
        echo(NOBODY_WORKS, err=True)


@jobs.command()
def run() -> int:
    """Run the waiting jobs, then exit. If a studio is running, it runs them instead."""
    settings = get_settings()
    log_to_file(settings)
    studio = Studio(settings)
    cancel = CancelToken()
    failed = 0
    if studio.jobs.is_paused(LOCAL):
        echo(PAUSED, err=True)
    with stop_on_signal(cancel, lambda line: echo(line, err=True)):
        studio.work()
        try:
            while not cancel.cancelled and (job := studio.jobs.next(LOCAL)):
                ended = show_progress(_until(studio.jobs.follow(job, LOCAL), cancel))
                failed += isinstance(ended.state, Failed)
                _show([ended], as_json=False)
                if isinstance(ended.state, Done) and ended.state.take:
                    echo(f"  {studio.takes.path(studio.takes.get(ended.state.take, LOCAL))}")
        finally:
            studio.close()
    if cancel.cancelled:
        raise StoppedError("Stopped.", "Unfinished jobs stay in the queue.")
    return 1 if failed else 0


def _until(jobs: Iterator[Job], cancel: CancelToken) -> Iterator[Job]:
    """Yield the jobs, and raise `StoppedError` once `cancel` is set."""
    for job in jobs:
        yield job
        if cancel.cancelled:
            raise StoppedError("Stopped.", "Unfinished jobs stay in the queue.")


@jobs.command()
def pause() -> None:
    """Pause the queue. A running job continues."""
    _jobs().pause(LOCAL)
    echo(PAUSED)


@jobs.command()
def resume() -> None:
    """Resume the queue."""
    _jobs().resume(LOCAL)
    echo("Queue resumed.")


def _jobs() -> Jobs:
    return Jobs.open(get_settings())


def _show_one(job: Job, *, as_json: bool) -> None:
    if as_json:
        echo_json(_as_dict(job))
    else:
        _show([job], as_json=False)


def _show(found: Sequence[Job], *, as_json: bool) -> None:
    if as_json:
        shown = [_as_dict(job) for job in found]
        echo_json(shown)
        return
    if not found:
        echo("No jobs.", err=True)
    for job in found:
        echo(f"{job.id}  {moment(job.created)}  {job.mode:8}  {_in_words(job):24}  {_short(job.prompt)}")


def _as_dict(job: Job) -> dict[str, Any]:
    told = job.as_dict()
    return told | {"error": as_dict(job.state.error)} if isinstance(job.state, Failed) else told


def _in_words(job: Job) -> str:
    return f"{_state(job)} (verification)" if job.verifies else _state(job)


def _state(job: Job) -> str:
    match job.state:
        case Queued(ahead):
            return f"{ahead} ahead" if ahead else "next"
        case Running(progress=progress, stopping=stopping):
            return "stopping" if stopping else f"running, {progress.part:.0%}"
    return job.state.name


def _short(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
