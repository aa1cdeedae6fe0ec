"""`ltx-studio recipe`: how a video was made, whether it can be made again, and its graph for ComfyUI's editor."""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltx_studio.cancel import CancelToken
from ltx_studio.cli.named import check_apart
from ltx_studio.cli.options import FileOf
from ltx_studio.cli.output import echo, echo_json, json_text, secho
from ltx_studio.cli.progress import show
from ltx_studio.cli.signals import stop_on_signal
from ltx_studio.errors import RequestError, StoppedError
from ltx_studio.logs import log_to_file
from ltx_studio.modes.phases import SAMPLED
from ltx_studio.permissions import as_usual
from ltx_studio.settings import get_settings
from ltx_studio.studio import LOCAL, Done, Failed, Studio
from ltx_studio.studio.recipes import Recipes

if TYPE_CHECKING:
    from ltx_studio.studio import Comparison, ModelUsed

_VIDEO = click.argument("video", type=click.Path(path_type=Path))
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _ShowByDefault(click.Group):
    """`recipe FILE` is `recipe show FILE`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_ShowByDefault)
def recipe() -> None:
    """Show how a video was made, and verify it."""


@recipe.command("show")
@_VIDEO
@click.option(
    "--workflow", type=click.Path(path_type=Path), help="Save its graph for ComfyUI's editor to this file (.json)."
)
@_AS_JSON
def show_recipe(video: Path, workflow: Path | None, *, as_json: bool) -> None:
    """Show how VIDEO was made."""
    found = Recipes.read(video)
    if workflow is not None:
        check_apart(workflow, [video], "--workflow")
        _write_workflow(found.graph, workflow)
        echo(str(workflow))
        return
    if as_json:
        echo_json(found.model_dump(mode="json"))
        return
    echo(f"{found.mode}, preset {found.preset}, model set {found.model_set}")
    for title, values in (
        ("Settings", found.params),
        ("Inputs, by SHA-256", found.inputs),
        ("Model files", {key: _model(used) for key, used in found.models.items()}),
        ("Versions", found.versions),
    ):
        if values:
            secho(title, bold=True)
        for name, value in values.items():
            echo(f"  {name}: {value}")


@recipe.command()
@_VIDEO
@click.option("--file", "given", type=FileOf(), multiple=True, help="Replace a missing input. Repeatable.")
@_AS_JSON
def verify(video: Path, given: Sequence[tuple[str, Path]], *, as_json: bool) -> int:
    """Render VIDEO again from scratch and compare every frame."""
    settings = get_settings()
    log_to_file(settings)
    recipes = Recipes(settings)
    found = recipes.read(video)
    spec = recipes.request(found, dict(given))
    changes = recipes.changes(found, spec)
    studio = Studio(settings)
    alone = not studio.is_worked()
    (job,) = studio.jobs.submit(LOCAL, [replace(spec, fresh=True)])
    cancel = CancelToken()
    with stop_on_signal(cancel, lambda line: echo(line, err=True)), redirect_stdout(io.StringIO()):
        studio.work(only=[job])
        try:
            ended = show(studio.jobs.follow(job, LOCAL, cancel), quiet=as_json, alone=alone)
        finally:
            studio.close()
    match ended.state:
        case Failed(error=error):
            raise error
        case Done(take=take):
            record = studio.takes.get(take, LOCAL)
            seen = studio.takes.compare(video, record)
            studio.takes.delete(take, LOCAL)
        case _:
            raise StoppedError("Stopped.", "Nothing was compared.")
    steps = sum(phase["steps"] for phase in record.measured["stages"] if SAMPLED.fullmatch(phase["id"]))
    _tell_verdict(seen, steps, record.measured["seconds"], changes, as_json=as_json)
    return 0 if seen.identical else 1


@recipe.command()
@click.argument("folder", type=click.Path(path_type=Path))
def nodes(folder: Path) -> None:
    """Copy the studio's own ComfyUI nodes to FOLDER, the `custom_nodes` folder of a ComfyUI."""
    from ltx_studio.studio.set_up import put_nodes

    echo(str(put_nodes(folder)))


def _write_workflow(graph: Mapping[str, Any], out: Path) -> None:
    from ltx_studio.studio.workflows import Workflows

    drawn = Workflows(get_settings()).draw(graph)
    try:
        with as_usual():
            out.write_text(json_text(drawn, indent=1), encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{out} cannot be written: {error.strerror}.", "Choose another path.") from None


def _tell_verdict(seen: "Comparison", steps: int, seconds: float, changes: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        shown = {
            "identical": seen.identical,
            "frames": seen.frames,
            "rendered_frames": seen.others,
            "differing": seen.differing,
            "largest_difference": seen.most,
            "sound_identical": seen.sound_is_same,
            "played": list(seen.played),
            "sampler_steps": steps,
            "changes": list(changes),
        }
        echo_json(shown)
        return
    echo(f"Rendered again in {seconds:.1f} s: {steps} sampler steps, {seen.others} frames.")
    if seen.identical:
        echo("All frames and the sound are identical.")
        return
    if seen.frames != seen.others:
        echo(f"The video has {seen.frames} frames; the new one has {seen.others}.")
    if seen.first is not None:
        echo(
            f"{seen.differing} of {seen.frames} frames differ, by up to {seen.most} of 255; "
            f"the first is frame {seen.first + 1}."
        )
    if not seen.sound_is_same:
        echo("The sound differs.")
    for line in seen.played:
        echo(line)
    for change in changes or ["Everything in the recipe is the same here, so the file itself was changed."]:
        echo(f"  {change}")


def _model(used: "ModelUsed") -> str:
    return f"{used.size} bytes" + (f", SHA-256 {used.sha256}" if used.sha256 else "")
