"""`ltx-studio workflow`: reading and checking graphs, without starting ComfyUI."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ltx_studio import reading
from ltx_studio.cli.options import ValueOf
from ltx_studio.cli.output import echo, echo_json, json_text
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.api import ApiGraph
from ltx_studio.graph.definitions import Definitions
from ltx_studio.privacy import as_usual
from ltx_studio.settings import get_settings

MOST_SHOWN = 8
"""Choices of a field that are listed; `form --json` has them all."""


@click.group()
def workflow() -> None:
    """Read and check ComfyUI workflows."""


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; default: stdout.")
def convert(file: Path, out: Path | None) -> None:
    """Turn FILE into API format: a workflow as the editor saves it, or a file that carries one."""
    from ltx_studio.graph.files import read_workflow

    graph = reading.read(read_workflow, file, _definitions())
    if out is None:
        echo_json(graph, indent=2)
        return
    try:
        with as_usual():
            out.write_text(json_text(graph, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{out} cannot be written: {error.strerror}.", "Choose another place for --out.") from None


@workflow.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1)
def check(files: tuple[Path, ...]) -> None:
    """Check FILES against the installed ComfyUI; without any, every preset of every mode of the studio.

    Which model files are missing is said as well; `workflow run` names where to get them.
    """
    from ltx_studio.graph.files import read_workflow
    from ltx_studio.graph.validate import validate
    from ltx_studio.models import Store

    definitions, store = _definitions(), Store(get_settings())
    read = ((str(file), reading.read(read_workflow, file, definitions)) for file in files)
    graphs = read if files else _own_graphs()
    for name, graph in graphs:
        try:
            validate(graph, definitions)
        except WorkflowError as error:
            raise WorkflowError(f"{name}: {error.message}", error.hint, where=error.where) from None
        missing = [file.name for file in store.registry.needs(graph) if store.find(file) is None] if files else []
        lacks = f"; model files that are not here: {', '.join(missing)}" if missing else ""
        echo(f"{name}: ok, {len(graph)} nodes{lacks}")


@workflow.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def form(file: Path, as_json: bool) -> None:
    """What of FILE can be set with `workflow run FILE --set`."""
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.graph.files import read_with_form

    _, fields = reading.read(read_with_form, file, snapshot_path(get_settings()))
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
@click.option("--set", "given", type=ValueOf(), multiple=True, help="FIELD=VALUE; `workflow form FILE` names them.")
@click.option("--trust", is_flag=True, help="Also run nodes that may read and write files, or run code.")
def run(file: Path, given: tuple[tuple[str, str], ...], trust: bool, **how: Any) -> int:
    """Run a workflow of your own: FILE is in the editor's or in API format, or carries one."""
    from ltx_studio.cli.generate import How, generate
    from ltx_studio.jobs import OwnSpec
    from ltx_studio.models import Store

    settings = get_settings()
    spec = OwnSpec.from_file(file, dict(given), _definitions(), trusted=trust)
    Store(settings).require(spec.graph, spec.fetch_command)
    return generate(spec, settings, How(**how))


def _with_how(command: click.Command) -> None:
    """What is done with what comes out is said as for `generate`."""
    from ltx_studio.cli.generate import HOW

    command.params += HOW


_with_how(run)


def _definitions() -> Definitions:
    from ltx_studio.engine.definitions import snapshot_path
    from ltx_studio.graph.definitions import load_definitions

    return load_definitions(snapshot_path(get_settings()))


def _own_graphs() -> Iterator[tuple[str, ApiGraph]]:
    from ltx_studio.media import by_name
    from ltx_studio.models import get_registry
    from ltx_studio.modes import FAST, MODES, PRESETS

    for mode in MODES.values():
        for model_set in get_registry().sets.values():
            for preset in PRESETS.values():
                if not mode.is_possible(model_set, preset):
                    continue
                if preset is FAST and mode.is_possible(model_set, preset, everything=True):
                    graph = mode.build(mode.example(model_set, everything=True), model_set, preset, by_name).graph
                    yield f"{mode.id} with every file, {model_set.id}", {key: dict(node) for key, node in graph.items()}
                graph = mode.build(mode.example(model_set), model_set, preset, by_name).graph
                yield (
                    f"{mode.id} {preset.id} with {model_set.id}",
                    {key: dict(node) for key, node in graph.items()},
                )
