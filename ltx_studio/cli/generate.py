"""`ltx-studio generate MODE`: options from the mode's declaration, a progress bar, and the clip's path at the end."""

import io
import logging
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ltx_studio import limits
from ltx_studio.cancel import CancelToken
from ltx_studio.cli.hints import notes_in_words
from ltx_studio.cli.named import check_apart
from ltx_studio.cli.options import FileOf, options_of
from ltx_studio.cli.output import echo, json_text
from ltx_studio.cli.progress import show
from ltx_studio.cli.signals import stop_on_signal
from ltx_studio.errors import ExecutionError, RequestError, StoppedError, StudioError
from ltx_studio.families import DEFAULT_PRESET, all_presets
from ltx_studio.families.default_preset import default_preset
from ltx_studio.logs import log_to_file
from ltx_studio.models import default_set, get_registry
from ltx_studio.modes import TUNING, Mode
from ltx_studio.modes.fields import Controlling
from ltx_studio.settings import Settings, get_settings
from ltx_studio.studio import LOCAL, Done, Failed, Job, JobSpec, Spec, Studio, WorkflowSpec
from ltx_studio.studio.recipes import Recipes
from ltx_studio.studio.takes import Takes

log = logging.getLogger(__name__)

MOST = limits.TABLE_ROWS.most

NOBODY_WORKS = "No studio is running. Start one with `ltx-studio serve`, or run the jobs with `ltx-studio jobs run`."
PAUSED = "The queue is paused. Resume it with `ltx-studio jobs resume`."


@dataclass(frozen=True, slots=True)
class How:
    """How to handle the request.

    Attributes:
        out: Where to put a copy of the clip; None makes no copy.
        takes: How many takes to make, with consecutive seeds.
        detach: Whether to submit the request without waiting for it.
        as_json: Whether to print JSON for scripts.
    """

    out: Path | None = None
    takes: int = 1
    detach: bool = False
    as_json: bool = False


HOW = [
    click.Option(["--out"], type=click.Path(path_type=Path), help="Also save the clip to this file (.mp4)."),
    click.Option(
        ["--takes"], type=click.IntRange(1, MOST), default=1, help="Number of clips to make, with consecutive seeds."
    ),
    click.Option(["--detach"], is_flag=True, help="Submit the job and print its id without waiting."),
    click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
]
PREVIEW_CONTROL = click.Option(
    ["--preview-control"],
    type=click.Path(path_type=Path),
    help="Save a preview of the control map to this file (.png) and exit.",
)
AGAIN = [
    click.Option(["--from", "source"], type=click.Path(path_type=Path), help="Make the clip in this video file again."),
    click.Option(["--seed"], type=click.INT, help="With --from: use another seed."),
    click.Option(["--prompt"], help="With --from: use another prompt."),
    click.Option(["--preset"], help="With --from: use another preset."),
    click.Option(
        ["--file", "files"], type=FileOf(), multiple=True, help="With --from: replace a missing input. Repeatable."
    ),
]


def command_for(mode: Mode) -> click.Command:
    """Return the subcommand of one mode."""
    options = options_of(mode)
    options += [
        click.Option(["--preset"], help=f"Preset: {', '.join(all_presets())}. [your setting, else {DEFAULT_PRESET}]"),
        click.Option(["--model-set"], default=None, help=f"Model set: {', '.join(get_registry(get_settings()).sets)}."),
        *HOW,
    ]
    if issubclass(mode.params, Controlling):
        options.append(PREVIEW_CONTROL)

    def callback(
        preset: str | None,
        model_set: str | None,
        out: Path | None,
        takes: int,
        *,
        detach: bool,
        as_json: bool,
        **values: Any,
    ) -> int:
        settings = get_settings()
        chosen = get_registry(settings).get_set(model_set or default_set(settings))
        given = {name: value for name, value in values.items() if value not in (None, ())}
        preview = given.pop("preview_control", None)
        spec = JobSpec.from_request(mode.id, given, chosen, preset or default_preset(settings, chosen.family).id)
        if preview is not None:
            from ltx_studio.cli.control import check_alone, show_control

            check_alone(out=out is not None, takes=takes > 1, detach=detach)
            return show_control(spec, settings, preview, as_json=as_json)
        return generate(spec, settings, How(out, takes, detach, as_json))

    return click.Command(mode.id, params=options, callback=callback, help=f"{mode.label}.", short_help=mode.label)


def again(
    source: Path,
    seed: int | None,
    prompt: str | None,
    preset: str | None,
    files: Sequence[tuple[str, Path]],
    out: Path | None,
    takes: int,
    *,
    detach: bool,
    as_json: bool,
) -> int:
    """Make the take in a video file again, with changes."""
    settings = get_settings()
    recipes = Recipes(settings)
    was = recipes.request(recipes.read(source), dict(files))
    how = How(out, takes, detach, as_json)
    if isinstance(was, WorkflowSpec):
        if prompt is not None or preset is not None:
            raise RequestError(
                "Only the seed of a custom workflow's clip can be changed.",
                "Remove --prompt and --preset.",
            )
        return generate(was if seed is None else was.with_seed(seed), settings, how)
    changed = {name: value for name, value in (("seed", seed), ("prompt", prompt)) if value is not None}
    values = {name: getattr(was.params, name) for name in type(was.params).model_fields} | changed
    if preset not in (None, was.preset):  # with its own steps and guidance
        values = {name: value for name, value in values.items() if name not in TUNING}
    return generate(JobSpec.from_request(was.mode, values, was.model_set, preset or was.preset), settings, how)


def generate(spec: Spec, settings: Settings, how: How) -> int:
    """Submit a request and follow it to its end."""
    if how.out is not None and (how.takes > 1 or how.detach):
        raise RequestError(
            "--out cannot be combined with --takes or --detach.",
            "Remove --out: the clips are saved to the studio's output folder.",
        )
    destination = None
    if how.out is not None:
        check_apart(how.out, spec.files().values())
        destination = Takes.check_destination(how.out)
    log_to_file(settings)
    voice = _Voice(as_json=how.as_json)
    notice = spec.model_set.notice if spec.model_set else ""
    for line in (notice, spec.summary(), *_notes(spec)):
        if line:
            voice.tell(line)
    studio = Studio(settings)
    specs = studio.jobs.sweep(spec, how.takes)
    if how.takes > 1:
        voice.tell(f"{how.takes} clips, seeds {specs[0].seed} to {specs[-1].seed}.")
    jobs = studio.jobs.submit(LOCAL, specs)
    if how.detach:
        return _hand_in(studio, jobs, voice)
    alone = not studio.is_worked()
    if studio.jobs.is_paused(LOCAL) and not alone:
        voice.tell(PAUSED)
    problem: StudioError | None = None
    cancel = CancelToken()
    with stop_on_signal(cancel, voice.tell), redirect_stdout(_ToTheLog()):
        studio.work(only=jobs)
        try:
            for job, each in zip(jobs, specs, strict=True):
                ended = show(studio.jobs.follow(job, LOCAL, cancel), quiet=how.as_json, alone=alone)
                problem = _tell_end(studio, ended, each, destination, voice) or problem
        finally:
            studio.close()
    if problem is not None:
        raise problem
    return 0


def _notes(spec: Spec) -> list[str]:
    return notes_in_words(spec.changed) if isinstance(spec, WorkflowSpec) else spec.notes()


def _hand_in(studio: Studio, jobs: Sequence[str], voice: "_Voice") -> int:
    if studio.jobs.is_paused(LOCAL):
        voice.tell(PAUSED)
    elif not studio.is_worked():
        voice.tell(NOBODY_WORKS)
    for job in jobs:
        voice.give(json_text({"job": job}) if voice.as_json else job)
    return 0


def _tell_end(studio: Studio, ended: Job, spec: Spec, destination: Path | None, voice: "_Voice") -> StudioError | None:
    """Deliver a finished take, or return the error that the job ended with."""
    match ended.state:
        case Done(take=take):
            _deliver(studio, ended.id, take, spec, destination, voice)
            return None
        case Failed(error=error):
            log.error("%s", error.message)
            return error
    return StoppedError("Stopped.", "Nothing was saved.")


def _deliver(studio: Studio, job: str, take_id: str, spec: Spec, destination: Path | None, voice: "_Voice") -> None:
    record = studio.takes.get(take_id, LOCAL)
    kept = path = studio.takes.path(record)
    if destination is not None:
        try:
            path = studio.takes.export(record, destination)
        except OSError as error:
            raise ExecutionError(
                f"The clip could not be copied to {destination}: {error.strerror}.", f"It is at {kept}."
            ) from None
    if voice.as_json:
        shown = {"job": job, "take": take_id, "path": str(path), "seed": spec.seed, **record.clip}
        voice.give(json_text(shown | {"notes": [*_notes(spec), *filter(None, [record.note])]}))
    else:
        voice.tell(f"Done in {record.measured['seconds']:.1f} s: clip {take_id}.")
        if record.note:
            voice.tell(record.note)
        voice.give(str(path))


class _Voice:
    """Messages for people on stderr, and results for scripts on stdout.

    With `as_json`, stderr carries errors only.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json, self._stdout = as_json, sys.stdout

    def tell(self, line: str) -> None:
        if not self.as_json:
            echo(line, err=True)

    def give(self, line: str) -> None:
        echo(*line.split("\n"), file=self._stdout)


class _ToTheLog(io.TextIOBase):
    """The target of a node's `print`: stdout is for the clip's path, which a script may read."""

    def write(self, text: str) -> int:
        if text.strip():
            log.info("printed: %s", text.rstrip())
        return len(text)
