"""`ltx-studio workflow`: read and check graphs without starting ComfyUI."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltx_studio import sandbox
from ltx_studio.cli.hints import hint_of, notes_in_words
from ltx_studio.cli.named import check_apart
from ltx_studio.cli.options import ValueOf
from ltx_studio.cli.output import echo, echo_json, json_text
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.graph import ApiGraph
from ltx_studio.permissions import as_usual
from ltx_studio.settings import get_settings

if TYPE_CHECKING:
    from ltx_studio.cli.check import Report

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
    from ltx_studio.workflow_files.read import read_workflow

    if out is not None:
        check_apart(out, [file])
    graph = sandbox.read(read_workflow, file, _definitions())
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

    Lists all problems, each with its remedy. Notes say what a run needs besides: input files, nodes to trust, model
    files to download, values of a newer ComfyUI that become defaults.
    """
    from ltx_studio.cli.check import Report, check_file, check_graph

    definitions = _definitions()
    reports: Iterable[Report] = (
        (check_file(file, definitions, map_to) for file in files)
        if files
        else (check_graph(name, graph, definitions) for name, graph in _own_graphs())
    )
    bad: list[Report] = []
    for report in reports:
        if report.problems:
            bad.append(report)
        if not report.problems or len(files) > 1 or len(report.problems) > 1:
            echo(*report.lines())
    if bad:
        raise _refused(bad)


def _refused(bad: list["Report"]) -> WorkflowError:
    """Return the only problem unchanged, or else how many problems are listed above."""
    problems = [problem for report in bad for problem in report.problems]
    if len(problems) == 1:
        return problems[0]
    named = ", ".join(report.name for report in bad)
    return WorkflowError(f"{named}: {len(problems)} problems.", "Fix the problems listed above, then check again.")


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def form(file: Path, as_json: bool) -> None:
    """List the fields of FILE that `workflow run FILE --set` can set."""
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.workflow_files.read import read_with_form

    read = sandbox.read(read_with_form, file, snapshot_path(get_settings()))
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
def run(file: Path, given: tuple[tuple[str, str], ...], trust: bool, map_to: str | None, **how: Any) -> int:
    """Run FILE: a workflow in editor or API format, or a file that contains one."""
    from ltx_studio.cli.generate import How, generate
    from ltx_studio.models import Store, get_registry
    from ltx_studio.queue import WorkflowSpec

    settings = get_settings()
    model_set = get_registry(settings).get_set(map_to) if map_to else None
    spec = WorkflowSpec.from_file(file, dict(given), _definitions(), trusted=trust, model_set=model_set)
    Store(settings).require(spec.graph, spec.fetch_advice, spec.pocket)
    return generate(spec, settings, How(**how))


def _with_how(command: click.Command) -> None:
    """Add the options of `generate` for the result."""
    from ltx_studio.cli.generate import HOW

    command.params += HOW


_with_how(run)


def _definitions() -> Definitions:
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.graph.definitions import load_definitions

    return load_definitions(snapshot_path(get_settings()))


def _own_graphs() -> Iterator[tuple[str, ApiGraph]]:
    from ltx_studio.families import DEFAULT_PRESET
    from ltx_studio.media import by_name
    from ltx_studio.models import get_registry
    from ltx_studio.modes import MODES

    for mode in MODES.values():
        for model_set in get_registry(get_settings()).sets.values():
            for preset in model_set.family.presets.values():
                if not mode.is_possible(model_set, preset):
                    continue
                if preset.id == DEFAULT_PRESET and mode.is_possible(model_set, preset, everything=True):
                    graph = mode.build(mode.example(model_set, everything=True), model_set, preset, by_name).graph
                    yield f"{mode.id} with every file, {model_set.id}", {key: dict(node) for key, node in graph.items()}
                graph = mode.build(mode.example(model_set), model_set, preset, by_name).graph
                yield (
                    f"{mode.id} {preset.id} with {model_set.id}",
                    {key: dict(node) for key, node in graph.items()},
                )
