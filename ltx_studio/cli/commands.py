"""The commands, and how errors are shown: what happened, the hint last; exit code 2 for a wrong request, else 1."""

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ltx_studio import __version__
from ltx_studio.cli.hints import as_dict, hint_of
from ltx_studio.cli.output import echo, echo_json, secho
from ltx_studio.errors import RequestError, StoppedError, StudioError
from ltx_studio.garbage import uncollected
from ltx_studio.permissions import make_private
from ltx_studio.settings import DEFAULT_PORT, LOOPBACK, get_settings

log = logging.getLogger(__name__)


class _GenerateGroup(click.Group):
    """A subcommand for each mode, with options created from the mode's declaration on demand."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from ltx_studio.cli.generate import AGAIN, HOW

        return [*super().get_params(ctx), *AGAIN, *HOW]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        from ltx_studio.modes import MODES

        return list(MODES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        from ltx_studio.cli.generate import command_for
        from ltx_studio.modes import MODES

        return command_for(MODES[cmd_name]) if cmd_name in MODES else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            raise RequestError(
                f"There is no mode {args[0]!r}.", f"Choose one of: {', '.join(self.list_commands(ctx))}."
            )
        return super().resolve_command(ctx, args)


class _Deferred(click.Group):
    """A group of commands in its own module, which is imported on demand."""

    def __init__(self, name: str, module: str, help_text: str, *, usual: str = "") -> None:
        super().__init__(name, help=help_text)
        self._module, self._usual = module, usual

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Run the default command, if the group has one, when none is named."""
        return super().parse_args(ctx, [self._usual, *args] if self._usual and args in ([], ["--json"]) else args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._real().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._real().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return self._real().resolve_command(ctx, args)

    def _real(self) -> click.Group:
        group = getattr(import_module(self._module), str(self.name))
        assert isinstance(group, click.Group)
        return group


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="ltx-studio")
def cli() -> None:
    """Generate video with sound from a prompt, with LTX 2.3."""


@cli.command()
@click.option("--repair", is_flag=True, help="Repair the database and the history. Clips with a missing file are kept.")
@click.option(
    "--forget-missing",
    type=click.IntRange(1),
    metavar="N",
    help="Remove the N clips with a missing file from the history, for good.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, repair: bool, forget_missing: int | None, as_json: bool) -> int:
    """Check the installation. Exit with 1 if something is missing or damaged."""
    from ltx_studio.cli.doctor import show_health

    return show_health(repair=repair, missing=forget_missing, as_json=as_json)


cli.add_command(_Deferred("jobs", "ltx_studio.cli.jobs", "Show and change the queue."))
cli.add_command(_Deferred("models", "ltx_studio.cli.models", "List, download, check and remove model files."))
cli.add_command(_Deferred("recipe", "ltx_studio.cli.recipe", "Show how a video was made, and verify it."))
cli.add_command(_Deferred("settings", "ltx_studio.cli.settings", "Show and change the settings.", usual="list"))
cli.add_command(_Deferred("takes", "ltx_studio.cli.takes", "Show and change the history of your clips."))
cli.add_command(_Deferred("workflow", "ltx_studio.cli.workflow", "Read and check ComfyUI workflows."))


@cli.group(cls=_GenerateGroup, invoke_without_command=True)
@click.pass_context
def generate(ctx: click.Context, /, source: Path | None, **given: Any) -> int:
    """Generate a clip: `generate MODE --prompt ...`, or `generate --from VIDEO` to make one again."""
    from ltx_studio.cli.generate import again

    if ctx.invoked_subcommand is not None:
        before = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if before:
            raise RequestError("Options must come after the mode.", f"Write `generate {ctx.invoked_subcommand} …`.")
        return 0
    if source is None:
        raise click.exceptions.NoArgsIsHelpError(ctx)
    return again(source, **given)


@cli.command()
@click.option("--lan", is_flag=True, help="Make the page available on your network, with a password.")
@click.option(
    "--host",
    default=None,
    help=f"Address to listen on. Any other than {LOOPBACK} requires a password. [{LOOPBACK}]",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=None,
    help=f"Port to listen on. [{DEFAULT_PORT}, or the next free one]",
)
@click.option("--model-set", default=None, help="Model set to start with.")
@click.option("--workers", type=click.IntRange(1), default=None, help="Render this many clips at once on this machine.")
@click.option("--cluster", metavar="ADDRESS", default=None, help="Render on the cluster at this address.")
def serve(
    *, lan: bool, host: str | None, port: int | None, model_set: str | None, workers: int | None, cluster: str | None
) -> None:
    """Start the page and print its address."""
    with uncollected():
        from ltx_studio.web import serve as serve_page

    studio = None
    if workers is not None or cluster is not None:
        from ltx_studio.studio.cluster import open_studio

        studio = open_studio(get_settings(), workers=workers, address=cluster)
    serve_page(get_settings(), host=host, port=port, model_set=model_set, lan=lan, studio=studio)


@cli.command()
def setup() -> None:
    """Download ComfyUI and install the pocket model, if they are missing."""
    from ltx_studio.logs import log_to_file
    from ltx_studio.studio.set_up import prepare

    settings = get_settings()
    log_to_file(settings)
    prepare(settings, lambda line: echo(f"  {line}"))


@cli.command()
@click.option("--cluster", metavar="ADDRESS", required=True, help="Address of the cluster, HOST:PORT.")
@click.option("--slots", type=click.IntRange(1), default=None, help="Number of workers. [one per GPU, else 1]")
def worker(*, cluster: str, slots: int | None) -> int:
    """Render for a studio on another machine until you stop it."""
    from ltx_studio.studio.cluster import join

    return join(cluster, slots)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def workers(*, as_json: bool) -> None:
    """Show the workers of a studio that runs with --workers or --cluster."""
    from ltx_studio.cli.workers import show_workers

    show_workers(get_settings(), as_json=as_json)


@cli.command()
@click.argument("mode", required=False)
@click.option("--model-set", default=None, help="Model set to show the presets of.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def modes(mode: str | None, model_set: str | None, *, as_json: bool) -> None:
    """Show the options and presets of each mode."""
    from ltx_studio.cli.modes import as_dict, as_lines
    from ltx_studio.models import default_set, get_registry
    from ltx_studio.modes import MODES, get_mode

    chosen = [get_mode(mode)] if mode else list(MODES.values())
    settings = get_settings()
    used = get_registry(settings).get_set(model_set or default_set(settings))
    if as_json:
        echo_json({item.id: as_dict(item, used) for item in chosen}, indent=2)
        return
    for item in chosen:
        title, *lines = as_lines(item, used)
        secho(title, bold=True)
        echo(*lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 2 the request is wrong, 1 it failed."""
    make_private()
    logging.getLogger().addHandler(logging.NullHandler())  # before there is a log file, nothing may reach the terminal
    arguments = list(sys.argv[1:] if argv is None else argv)
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:  # noqa: PLR0911  (one for each way to end)
    as_json = "--json" in arguments
    try:
        result: Any = cli.main(args=arguments, prog_name="ltx-studio", standalone_mode=False)
    except StudioError as error:
        _show(error, as_json=as_json)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        echo(*error.format_message().split("\n"), err=True)
        return 2
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "ltx-studio"
        wrong = RequestError(error.format_message(), f"See `{path} --help`.")
        _show(wrong, as_json=as_json)
        return wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        _show(StoppedError("Stopped.", "Finished work is kept."), as_json=as_json)
        return StoppedError.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        log.exception("unexpected")
        _show(StudioError.unexpected(error), as_json=as_json)
        return 1
    return result if isinstance(result, int) else 0


def _show(error: StudioError, *, as_json: bool) -> None:
    with contextlib.suppress(OSError):  # stderr may be closed or full; the exit code still reports the failure
        if as_json:
            echo_json(as_dict(error), err=True)
        elif isinstance(error, StoppedError):
            echo(f"{error.message} {hint_of(error)}", err=True)
        else:
            secho(f"Error: {error.message}", fg="red", err=True)
            echo(hint_of(error), err=True)
