"""`ltx-studio workflow`: read and check graphs without starting ComfyUI."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltx_studio.cli.hints import hint_of, notes_in_words
from ltx_studio.cli.named import check_apart
from ltx_studio.cli.options import ValueOf
from ltx_studio.cli.output import echo, echo_json, json_text
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.values import quoted
from ltx_studio.permissions import as_usual
from ltx_studio.settings import get_settings

if TYPE_CHECKING:
    from ltx_studio.studio.workflow_check import WorkflowReport
    from ltx_studio.studio.workflows import Workflows

MOST_SHOWN = 8
"""How many choices of a field to list; `form --json` has them all."""


@click.group()
def workflow() -> None:
    """Read and check ComfyUI workflows."""


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of stdout.")
def convert(file: Path, out: Path | None) -> None:
    """Convert FILE to API format: a workflow saved by ComfyUI's editor, or a file that contains one."""
    if out is not None:
        check_apart(out, [file])
    graph = _workflows().convert(file)
    if out is None:
        echo_json(graph, indent=2)
        return
    try:
        with as_usual():
            out.write_text(json_text(graph, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{out} cannot be written: {error.strerror}.", "Choose another path for --out.") from None


_MAP = click.option(
    "--map-models",
    "map_to",
    metavar="SET",
    help="Use the files of this model set instead: pocket, fp8, … (see `models list`).",
)


@workflow.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1)
@_MAP
def check(files: tuple[Path, ...], map_to: str | None) -> None:
    """Check FILES against the installed ComfyUI. Without FILES, check the studio's own workflows.

    Lists all problems, each with its remedy. Notes say what else a run needs: input files, nodes to trust, model
    files to download, values of a newer ComfyUI that become defaults.
    """
    workflows = _workflows()
    reports: Iterable[WorkflowReport] = (
        (workflows.check(file, map_to) for file in files) if files else workflows.check_own()
    )
    bad: list[WorkflowReport] = []
    for report in reports:
        if report.problems:
            bad.append(report)
        if not report.problems or len(files) > 1 or len(report.problems) > 1:
            echo(*_lines(report))
    if bad:
        raise _refused(bad)


def _lines(report: "WorkflowReport") -> Iterator[str]:
    """Yield the lines to print about one workflow."""
    if report.problems:
        yield from (f"{problem.message} {hint_of(problem)}" for problem in report.problems)
    else:
        lacks = f"; missing model files: {', '.join(report.missing)}" if report.missing else ""
        yield f"{report.name}: ok, {report.nodes} nodes{lacks}"
    yield from (f"  note: {note}" for note in dict.fromkeys(_notes(report)))


def _notes(report: "WorkflowReport") -> Iterator[str]:
    yield from notes_in_words(report.notes)
    for field in report.files:
        named = f", {quoted(field.value)}" if field.value else ""
        yield f"{field.title}: the workflow reads a {field.kind}{named}. Set it with `--set {field.key}=PATH`."
    if report.danger is not None:
        yield f"{report.danger.message} {hint_of(report.danger)}"
    if report.missing and not report.problems:
        yield (
            "To run it without them, use the pocket model: `ltx-studio workflow run FILE --map-models pocket`. "
            "To see how to get them, run it without that option: `ltx-studio workflow run FILE`."
        )


def _refused(bad: list["WorkflowReport"]) -> RequestError:
    """Return the only problem unchanged, or else how many problems are listed above."""
    problems = [problem for report in bad for problem in report.problems]
    if len(problems) == 1:
        return problems[0]
    named = ", ".join(report.name for report in bad)
    return WorkflowError(f"{named}: {len(problems)} problems.", "Fix the problems listed above, then check again.")


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def form(file: Path, *, as_json: bool) -> None:
    """List the fields of FILE that `workflow run FILE --set` can set."""
    read = _workflows().form(file)
    fields = read.fields
    for line in notes_in_words(read.notes):
        echo(line, err=True)
    for problem in read.problems:
        echo(f"{problem.message} {hint_of(problem)}", err=True)
    if as_json:
        echo_json([field.as_dict() for field in fields])
        return
    for field in fields:
        limits = f" from {field.minimum:g} to {field.maximum:g}" if field.is_limited else ""
        choices = f" of {_few(field.choices)}" if field.choices else ""
        echo(f"{field.key:<24} {field.title}: {field.kind}{limits}{choices} [{str(field.value)[:80]}]")


def _few(choices: Sequence[Any]) -> str:
    more = f" and {len(choices) - MOST_SHOWN} more" if len(choices) > MOST_SHOWN else ""
    return ", ".join(map(str, choices[:MOST_SHOWN])) + more


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--set", "given", type=ValueOf(), multiple=True, help="Set a field (see `workflow form FILE`). Repeatable."
)
@click.option("--trust", is_flag=True, help="Allow nodes that may read and write files, or run code.")
@_MAP
def run(file: Path, given: tuple[tuple[str, str], ...], *, trust: bool, map_to: str | None, **how: Any) -> int:
    """Run FILE: a workflow in editor or API format, or a file that contains one."""
    from ltx_studio.cli.generate import How, generate

    spec = _workflows().request_of_file(file, dict(given), trusted=trust, map_to=map_to)
    return generate(spec, get_settings(), How(**how))


def _with_how(command: click.Command) -> None:
    """Add the options of `generate` for the result."""
    from ltx_studio.cli.generate import HOW

    command.params += HOW


_with_how(run)


def _workflows() -> "Workflows":
    from ltx_studio.studio.workflows import Workflows

    return Workflows(get_settings())
