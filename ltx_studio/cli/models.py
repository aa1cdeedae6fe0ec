"""`ltx-studio models`: list the model files, plan downloads, and fetch them."""

import logging
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from ltx_studio.cancel import CancelToken
from ltx_studio.cli.downloads import show_downloads, show_reading
from ltx_studio.cli.hints import as_dict, hint_of
from ltx_studio.cli.model_lines import download_line, line, needs_line, plan_lines, removal_line, totals, verdict_line
from ltx_studio.cli.output import echo, echo_json, secho
from ltx_studio.cli.signals import stop_on_signal
from ltx_studio.errors import GateError, RequestError, StoppedError
from ltx_studio.events import Cancelled, Failed
from ltx_studio.logs import log_to_file
from ltx_studio.models import ModelFile, Plan, Store, get_registry, make_plan
from ltx_studio.models.defaults import set_to_fetch
from ltx_studio.models.files import Identity
from ltx_studio.models.remove import clean as clean_up
from ltx_studio.models.remove import left_overs, removals, remove
from ltx_studio.models.repair import repair_of
from ltx_studio.models.verify import verify
from ltx_studio.settings import Settings, get_settings
from ltx_studio.text.formatting import in_bytes
from ltx_studio.text.phrases import KEPT

if TYPE_CHECKING:
    from ltx_studio.studio import Download, Models

log = logging.getLogger(__name__)

_Command = Callable[..., Any]
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _choice(command: _Command) -> _Command:
    """Add the options that choose files."""
    for option in (
        click.option("--everything", is_flag=True, help="Include LoRAs and control models that a request may use."),
        click.option("--model-set", default=None, help="Model set to use."),
        click.option("--mode", "modes", multiple=True, help="Only files for this mode. Repeatable. [all modes]"),
    ):
        command = option(command)
    return command


@click.group()
def models() -> None:
    """List, download, check and remove model files."""


@models.command("list")
@_JSON
def list_(*, as_json: bool) -> None:
    """List the model sets and all known files, with their paths."""
    from ltx_studio.modes import MODES
    from ltx_studio.modes.required_models import model_files

    store = _store()
    plans = {
        model_set.id: make_plan(model_files(MODES.values(), model_set, store.registry), store)
        for model_set in store.registry.sets.values()
    }
    files = make_plan(store.registry.files.values(), store).files
    if as_json:
        sets = {
            set_id: {"label": store.registry.sets[set_id].label, **plan.as_dict()} for set_id, plan in plans.items()
        }
        echo_json({"sets": sets, "files": [planned.as_dict() for planned in files]}, indent=2)
        return
    secho("Model sets, for all six modes", bold=True)
    for set_id, plan in plans.items():
        is_built = all(planned.file.built for planned in plan.missing)
        to_do = "created by `ltx-studio setup`" if is_built else f"{in_bytes(plan.missing_bytes)} to download"
        to_do += f", {len(plan.to_place)} to add yourself" if plan.to_place else ""
        state = to_do if plan.missing else "installed"
        echo(f"  {set_id:<14} {store.registry.sets[set_id].label:<30} {state}")
    secho("Files", bold=True)
    for planned in files:
        echo(*line(planned).split("\n"))
    echo("What a set needs: `ltx-studio models plan --model-set fp8`.")


@models.command()
@click.argument("names", nargs=-1, metavar="[FILE]...")
@_choice
@_JSON
def plan(names: Sequence[str], modes: Sequence[str], model_set: str | None, *, everything: bool, as_json: bool) -> None:
    """Show what a download would take: files, bytes, disk space, licences. Works offline.

    By default: the model set from the settings, else fp8, and all modes.
    """
    store = _store()
    title, files = _chosen(store, names, modes, model_set, everything=everything)
    made = make_plan(files, store)
    if as_json:
        echo_json(made.as_dict(), indent=2)
        return
    secho(title, bold=True)
    if not names:
        echo(needs_line(store.registry.get_set(model_set or set_to_fetch(store.settings)), store.registry))
    for told in plan_lines(made):
        echo(*told.split("\n"))


@models.command()
@click.argument("names", nargs=-1, metavar="[FILE]...")
@_choice
@_JSON
def get(names: Sequence[str], modes: Sequence[str], model_set: str | None, *, everything: bool, as_json: bool) -> None:
    """Download the missing files of a model set, or FILEs. After Ctrl+C, the same command resumes.

    If the studio is downloading them already, the command follows that download, and Ctrl+C leaves it running.

    By default: the model set from the settings, else fp8, and all modes.
    """
    store = _store()
    title, files = _chosen(store, names, modes, model_set, everything=everything)
    before = make_plan(files, store)
    if not as_json:
        secho(title, bold=True, err=True)
        echo(totals(before), err=True)
    _fetch(files, title, store, quiet=as_json)
    _tell_paths(files, store, before, as_json=as_json)


@models.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many.")
@_JSON
def downloads(limit: int, *, as_json: bool) -> None:
    """List downloads: those that run or wait, then the last ones that ended."""
    found = _models(get_settings()).downloads(limit)
    if as_json:
        echo_json([_download(each) for each in found], indent=2)
        return
    if not found:
        echo("There are no downloads.", err=True)
    for each in found:
        echo(*download_line(each).split("\n"))


@models.command()
@click.argument("download")
@_JSON
def stop(download: str, *, as_json: bool) -> None:
    """Stop a download, wherever it runs. Downloaded data is kept."""
    stopped = _models(get_settings()).cancel(download)
    if as_json:
        echo_json(_download(stopped), indent=2)
    else:
        echo(*download_line(stopped).split("\n"))


@models.command("verify")
@click.argument("names", nargs=-1, metavar="[FILE]...")
@_choice
@click.option("--hash", "contents", is_flag=True, help="Read every file completely and compare its SHA-256.")
@click.option("--repair", is_flag=True, help="Download damaged and missing files.")
@_JSON
def verify_(
    names: Sequence[str],
    modes: Sequence[str],
    model_set: str | None,
    *,
    everything: bool,
    contents: bool,
    repair: bool,
    as_json: bool,
) -> int:
    """Check the chosen files, or all installed files."""
    store = _store()
    if names or modes or model_set or everything:
        _, files = _chosen(store, names, modes, model_set, everything=everything)
    else:
        files = [file for file in store.registry.files.values() if store.is_expected(file)]
    with show_reading(quiet=as_json) as check:
        verdicts = list(verify(files, store, check, contents=contents))
    if as_json:
        echo_json({"files": [verdict.as_dict() for verdict in verdicts]}, indent=2)
    else:
        for verdict in verdicts:
            echo(verdict_line(verdict))
    mending = repair_of(verdicts, store)
    if not mending.files:
        return 0
    if not repair:
        if not as_json:
            chosen = [*names, *(part for mode in modes for part in ("--mode", mode))]
            chosen += ["--model-set", model_set] if model_set else []
            flags = [flag for flag, given in (("--everything", everything), ("--hash", contents)) if given]
            again = shlex.join(["ltx-studio", "models", "verify", *chosen, *flags, "--repair"])
            echo(f"To download damaged and missing files: `{again}`.", err=True)
        return 1
    if mending.to_fetch:
        _fetch(list(mending.to_fetch), "Repair", store, quiet=as_json, damaged=mending.damaged)
    if mending.others:
        raise store.missing(list(mending.others))
    if not as_json:
        echo("Repaired.", err=True)
    return 0


@models.command("remove")
@click.argument("names", nargs=-1, metavar="[FILE]...")
@_choice
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_JSON
def remove_(
    names: Sequence[str], modes: Sequence[str], model_set: str | None, *, everything: bool, yes: bool, as_json: bool
) -> int:
    """Delete the files of a model set, or FILEs. Only files that this studio downloaded are deleted."""
    from ltx_studio.modes.required_models import removals_of

    if not names and not model_set:
        raise RequestError(
            "No file or model set was named.", "Name files, or a set: `ltx-studio models remove --model-set fp8`."
        )
    store = _store()
    _, files = _chosen(store, names, modes, model_set, everything=everything)
    wanted, shared = (removals(files, store), []) if names else removals_of(files, store, model_set)
    if not as_json:
        for removal in wanted:
            echo(removal_line(removal), err=True)
        for file, others in shared:
            echo(f"  kept           {file.key}: {others} needs it too; name the file to remove it", err=True)
    if not yes and any(removal.does_something for removal in wanted):
        _ask(f"Remove them and free {in_bytes(sum(removal.freed for removal in wanted))}?")
    done = [remove(removal, store) for removal in wanted]
    if not as_json:
        for planned_one, done_one in zip(wanted, done, strict=True):
            if done_one.kept != planned_one.kept:
                echo(removal_line(done_one), err=True)
    freed = sum(removal.freed for removal in done)
    _tell_freed({"removed": [removal.as_dict() for removal in done], "freed_bytes": freed}, as_json=as_json)
    return 0 if all(after.kept == before.kept for before, after in zip(wanted, done, strict=True)) else 1


@models.command()
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@_JSON
def clean(*, yes: bool, as_json: bool) -> None:
    """Delete partial downloads from the Hugging Face cache, of repositories that the studio knows."""
    store = _store()
    left = left_overs(store)
    if not as_json:
        for item in left:
            echo(f"  {in_bytes(item.size):>10}  {item.path}", err=True)
    if left and not yes:
        _ask(f"Remove them and free {in_bytes(sum(item.size for item in left))}? Their downloads start over.")
    freed = {str(item.path): clean_up(item, store) for item in left}
    removed = [path for path, count in freed.items() if count]
    _tell_freed({"removed": removed, "freed_bytes": sum(freed.values())}, as_json=as_json)


@models.command()
@_JSON
def refresh(*, as_json: bool) -> None:
    """Search for model files again and repair ComfyUI's links to them."""
    done = _store().refresh()
    if as_json:
        shown = {name: list(getattr(done, name)) for name in ("linked", "mended", "removed", "unchanged", "skipped")}
        echo_json(shown, indent=2)
        return
    for what, keys in (("linked", done.linked), ("mended", done.mended), ("broken, removed", done.removed)):
        for key in keys:
            echo(f"  {what:<16} {key}")
    for reason in done.skipped:
        echo(f"  {'not linked':<16} {reason}")
    echo(f"{len(done.linked) + len(done.mended)} links created, {len(done.unchanged)} unchanged.")


def _models(settings: Settings) -> "Models":
    from ltx_studio.studio import Models  # half a second, which a plan and a list do without

    return Models.open(settings)


def _download(download: "Download") -> dict[str, Any]:
    told = download.as_dict()
    return told | {"error": as_dict(download.error)} if download.error else told


def _store() -> Store:
    settings = get_settings()
    log_to_file(settings)
    return Store(settings, get_registry(settings))


def _chosen(
    store: Store, names: Sequence[str], modes: Sequence[str], model_set: str | None, *, everything: bool
) -> tuple[str, list[ModelFile]]:
    """Return a title and the files that the options choose."""
    from ltx_studio.modes import MODES, get_mode
    from ltx_studio.modes.required_models import model_files

    if names:
        if modes or model_set or everything:
            raise RequestError(
                "FILE cannot be combined with --mode, --model-set or --everything.", "Use one or the other."
            )
        return "Files", [store.registry.get_file(name) for name in names]
    used = store.registry.get_set(model_set or set_to_fetch(store.settings))
    chosen = [get_mode(mode) for mode in modes] or list(MODES.values())
    title = f"{used.label} ({used.id}) for {', '.join(mode.id for mode in chosen)}"
    return title, model_files(chosen, used, store.registry, everything=everything)


def _fetch(
    files: list[ModelFile], title: str, store: Store, *, quiet: bool, damaged: Collection[Identity] | None = None
) -> None:
    """Fetch the files, replacing `damaged` ones; ask on a terminal for a token when a gated repository requires one."""
    models, token = _models(store.settings), None
    while True:
        cancel = CancelToken()
        with (
            stop_on_signal(cancel, lambda line: None if quiet else echo(line, err=True)),
            closing(models.fetch(files, title, cancel, damaged=damaged, token=token)) as events,
        ):
            outcome = show_downloads(events, quiet=quiet)
        if isinstance(outcome, Cancelled):
            raise StoppedError("Stopped.", _what_is_left(models.bringing(files)))
        if not isinstance(outcome, Failed):
            return
        error = outcome.error
        if not isinstance(error, GateError) or quiet or not sys.stdin.isatty() or token:
            log.error("%s", error.message)
            raise error
        secho(error.message, fg="yellow", err=True)
        echo(hint_of(error), err=True)
        token = click.prompt("Token (not shown, not stored)", hide_input=True, err=True).strip()


def _what_is_left(download: "Download | None") -> str:
    """Return what happens after Ctrl+C with a download of these files; None if it was cancelled."""
    if download is None:
        return KEPT
    stop = f"run `ltx-studio models stop {download.id}`."
    if download.state.name == "running":
        return f"The download continues in another process. To stop it, {stop}"
    return f"It is queued. To remove it, {stop}"


def _tell_paths(files: list[ModelFile], store: Store, before: Plan, *, as_json: bool) -> None:
    here = [(file, store.path(file)) for file in files]
    fetched = sum(path.stat().st_size for file, path in here if file in {item.file for item in before.missing})
    if as_json:
        shown = [{"name": file.name, "folder": file.folder, "path": str(path)} for file, path in here]
        echo_json({"files": shown, "fetched": [planned.file.name for planned in before.missing]}, indent=2)
    elif before.missing:
        echo(f"Downloaded {len(before.missing)} of {len(files)} files, {in_bytes(fetched)}.")
    else:
        echo("Nothing to download: all files are installed.")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise RequestError("There is no terminal to ask for confirmation.", "Add --yes to skip the confirmation.")
    if not click.confirm(question, err=True):
        raise StoppedError("Stopped.", "Nothing was removed.")


def _tell_freed(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(result, indent=2)
    else:
        echo(f"Freed {in_bytes(result['freed_bytes'])}.")
