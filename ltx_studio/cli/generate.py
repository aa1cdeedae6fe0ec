"""`ltx-studio generate MODE`: options from the mode's declaration, a bar while it runs, the clip's path at the end."""

import io
import json
import logging
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from ltx_studio.cancel import CancelToken
from ltx_studio.cli.options import options_of
from ltx_studio.cli.progress import show
from ltx_studio.cli.signals import stop_on_signal
from ltx_studio.errors import ExecutionError, StoppedError
from ltx_studio.events import Cancelled, Failed, Finished
from ltx_studio.jobs import JobSpec, LocalRunner, check_destination, export, measure, new_job_id
from ltx_studio.logs import log_to_file
from ltx_studio.models import ModelSet, default_set, get_registry
from ltx_studio.modes import FAST, PRESETS, Mode
from ltx_studio.settings import Settings, get_settings

log = logging.getLogger(__name__)


def command_for(mode: Mode) -> click.Command:
    """The subcommand of one mode."""
    options = options_of(mode)
    options += [
        click.Option(["--preset"], default=FAST.id, help=f"One of: {', '.join(PRESETS)}. [{FAST.id}]"),
        click.Option(["--model-set"], default=None, help=f"One of: {', '.join(get_registry().sets)}."),
        click.Option(["--out"], type=click.Path(path_type=Path), help="Where to put the clip as well (.mp4)."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the result for scripts."),
    ]

    def callback(preset: str, model_set: str | None, out: Path | None, as_json: bool, **values: Any) -> int:
        settings = get_settings()
        chosen = get_registry(settings).get_set(model_set or default_set(settings))
        given = {name: value for name, value in values.items() if value not in (None, ())}
        spec = JobSpec.from_request(mode.id, given, chosen.id, preset)
        return _generate(spec, chosen, settings, out, as_json)

    return click.Command(mode.id, params=options, callback=callback, help=f"{mode.label}.", short_help=mode.label)


def _generate(spec: JobSpec, model_set: ModelSet, settings: Settings, out: Path | None, as_json: bool) -> int:
    destination = check_destination(out) if out is not None else None
    log_to_file(settings)
    tell = _quiet if as_json else _tell
    if model_set.notice:
        tell(model_set.notice)
    tell(spec.summary())
    for note in spec.notes():
        tell(note)
    cancel, job = CancelToken(), new_job_id()
    with stop_on_signal(cancel, tell), redirect_stdout(_ToTheLog()):
        outcome = show(LocalRunner(settings).run(spec, cancel, job_id=job), quiet=as_json)
    if isinstance(outcome, Failed):
        log.error("%s", outcome.error.message)
        raise outcome.error
    if isinstance(outcome, Cancelled):
        raise StoppedError("Stopped.", "Nothing was kept.")
    return _deliver(job, outcome, spec, destination, as_json, tell)


def _deliver(
    job: str, outcome: Finished, spec: JobSpec, destination: Path | None, as_json: bool, tell: Callable[[str], None]
) -> int:
    if not outcome.outputs:
        raise ExecutionError("The run saved nothing.", "Give the workflow an output node, such as Save Video.")
    take = measure(outcome.outputs[0].path)
    path = take.path
    if destination is not None:
        try:
            path = export(take.path, destination)
        except OSError as error:
            raise ExecutionError(
                f"The clip could not be put at {destination}: {error.strerror}.", f"It is kept at {take.path}."
            ) from None
    if as_json:
        shown = {"job": job, "seed": spec.params.seed, **take.as_dict(), "path": str(path), "notes": spec.notes()}
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        tell(f"Done in {outcome.seconds:.1f} s.")
        click.echo(str(path))
    return 0


class _ToTheLog(io.TextIOBase):
    """Where the `print` of a node goes: stdout is for the clip's path, which a script may read."""

    def write(self, text: str) -> int:
        if text.strip():
            log.info("printed: %s", text.rstrip())
        return len(text)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _quiet(line: str) -> None:
    """With --json, stderr carries errors only."""
