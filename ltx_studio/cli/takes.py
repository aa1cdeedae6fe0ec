"""`ltx-studio takes`: the history, with tags and favourites."""

import math
from collections.abc import Sequence

import click

from ltx_studio.cli.output import echo, echo_json, moment
from ltx_studio.errors import RequestError
from ltx_studio.settings import get_settings
from ltx_studio.studio import LOCAL, TakeRecord
from ltx_studio.studio.takes import Takes
from ltx_studio.text.formatting import GIGABYTE, in_bytes

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def takes() -> None:
    """Show and change the history of your clips."""


@takes.command("list")
@click.argument("search", nargs=-1)
@click.option("--mode", help="Only clips of this mode.")
@click.option("--favourites", is_flag=True, help="Only favourites.")
@click.option("--limit", type=click.IntRange(1), default=Takes.PAGE, show_default=True, help="Show at most this many.")
@_AS_JSON
def list_takes(search: tuple[str, ...], mode: str | None, *, favourites: bool, limit: int, as_json: bool) -> None:
    """List the newest clips whose prompt or tags contain every word of SEARCH."""
    history = _takes()
    page = history.page(LOCAL, search=" ".join(search), mode=mode, favourites=favourites, limit=limit)
    if as_json:
        shown = [
            take.as_dict() | {"path": str(history.path(take)), "missing": history.is_missing(take)}
            for take in page.takes
        ]
        echo_json(shown)
        return
    if not page.takes:
        echo("No clips match." if search or mode or favourites else _none_yet(history), err=True)
    for take in page.takes:
        echo(_line(take, missing=history.is_missing(take)))


@takes.command()
@click.argument("take")
@click.option("--no", "no_more", is_flag=True, help="Remove the mark.")
def favourite(take: str, *, no_more: bool) -> None:
    """Mark TAKE as a favourite, so that `takes prune` keeps it."""
    _takes().set_favourite(take, LOCAL, favourite=not no_more)
    echo(f"{take} is {'no longer' if no_more else 'now'} a favourite.")


@takes.command()
@click.argument("take")
@click.argument("tags", nargs=-1)
def tag(take: str, tags: Sequence[str]) -> None:
    """Replace the tags of TAKE with TAGS."""
    history = _takes()
    history.tag(take, LOCAL, tags)
    given = ", ".join(history.get(take, LOCAL).tags)
    echo(f"Tags of {take}: {given}." if given else f"{take} has no tags.")


@takes.command()
@click.argument("take")
def delete(take: str) -> None:
    """Delete TAKE and its file."""
    _takes().delete(take, LOCAL)
    echo(f"Deleted {take}.")


@takes.command()
@click.option("--keep", type=click.IntRange(0), help="Keep this many clips besides the favourites.")
@click.option(
    "--keep-gb",
    type=click.FloatRange(0),
    help="Keep this many gigabytes, favourites included. [the setting output_limit_gb]",
)
@_AS_JSON
def prune(keep: int | None, keep_gb: float | None, *, as_json: bool) -> None:
    """Delete the oldest clips, but no favourites. By default, down to the setting output_limit_gb."""
    settings = get_settings()
    if keep is None and keep_gb is None:
        keep_gb = settings.output_limit_gb
    if keep is None and keep_gb is None:
        raise RequestError(
            "There is no limit to prune to.",
            "Add --keep or --keep-gb, or set a limit with `ltx-studio settings set output_limit_gb 50`.",
        )
    if keep_gb is not None and not math.isfinite(keep_gb):
        raise RequestError(f"--keep-gb is {keep_gb:g}.", "Use a number of gigabytes.")
    history = _takes()
    gone = history.prune(LOCAL, keep=keep, keep_bytes=None if keep_gb is None else int(keep_gb * GIGABYTE))
    history.free_inputs()
    if as_json:
        echo_json({"removed": gone})
        return
    echo(f"Deleted {len(gone)}.")
    missing = history.room(LOCAL).missing
    if missing:
        echo(f"Kept clips with a missing file: {missing}. Run `ltx-studio doctor` for details.", err=True)


def _takes() -> Takes:
    return Takes.open(get_settings())


def _none_yet(history: Takes) -> str:
    """Return why the history is empty: it may have lost clips that exist."""
    if not history.has_lost_clips():
        return "No clips yet."
    return "The history is empty, but there are clips on disk. Run `ltx-studio doctor --repair` to add them."


def _line(take: TakeRecord, *, missing: bool) -> str:
    mark = "*" if take.favourite else " "
    size = "missing" if missing else in_bytes(take.bytes)
    prompt = " ".join(take.prompt.split())
    tags = f" [{', '.join(take.tags)}]" if take.tags else ""
    return f"{take.id} {mark} {moment(take.created)}  {take.mode:8}  {size:>8}  {prompt[:60]}{tags}"
