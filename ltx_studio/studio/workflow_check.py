"""Check one workflow: list its problems, and what to know before a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltx_studio import sandbox
from ltx_studio.advice import Note
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.compatibility import fit_to
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import FILES, Field, files_of, form_of, with_examples
from ltx_studio.graph.graph import ApiGraph
from ltx_studio.graph.missing_nodes import MissingNodesError
from ltx_studio.graph.safety import check_known, check_safety
from ltx_studio.graph.validate import problems
from ltx_studio.models import Store, get_registry
from ltx_studio.models.mapping import map_models
from ltx_studio.settings import Settings
from ltx_studio.workflow_files.read import read_for_check


@dataclass(frozen=True, slots=True)
class WorkflowReport:
    """The findings about one workflow.

    Attributes:
        name: The name of the file, or of the studio's mode.
        nodes: How many nodes it has.
        problems: Why it does not run; each error's message begins with `name`.
        missing: The names of missing model files.
        notes: What changes so that it fits the installed ComfyUI and the model set.
        files: The fields for files that it reads.
        danger: Why it runs only if the user trusts it; None if it need not be trusted.
    """

    name: str
    nodes: int
    problems: Sequence[RequestError] = ()
    missing: Sequence[str] = ()
    notes: Sequence[Note] = ()
    files: Sequence[Field] = ()
    danger: RequestError | None = None


def check_file(file: Path, definitions: Definitions, settings: Settings, map_to: str | None = None) -> WorkflowReport:
    """Check a user's file.

    Args:
        file: Any file that carries a workflow.
        definitions: The node definitions of the installed ComfyUI.
        settings: Where model files are.
        map_to: The model set whose files to use; None uses those that the workflow names.

    Raises:
        RequestError: The model set does not exist.
    """
    name = str(file)
    mapped: list[str] = []
    model_set = get_registry(settings).get_set(map_to) if map_to else None
    try:
        graph, lacks = sandbox.read(read_for_check, file, definitions)
        if model_set is not None and lacks is None:
            check_known(graph, definitions)
            graph, mapped = map_models(graph, model_set, definitions)
    except RequestError as error:
        message = error.message if file.name in error.message else f"{name}: {error.message}"
        return WorkflowReport(name, 0, [_reworded(error, message)])
    graph, changed = fit_to(graph, definitions)
    others = (each for each in problems(graph, definitions) if lacks is None or not isinstance(each, MissingNodesError))
    found: list[RequestError] = [*filter(None, [lacks]), *others]
    files: list[Field] = []
    danger = None
    if all(node["class_type"] in definitions for node in graph.values()):
        files = [field for field in form_of(graph, definitions) if field.kind in FILES]
        refused, danger = _dangers(graph, definitions)
        found += filter(None, [refused])
    try:
        missing = _missing(graph, settings)
    except RequestError as error:
        missing = []
        found.append(error)
    notes = [*changed, *map(Note, mapped)]
    return WorkflowReport(name, len(graph), [_named(name, each) for each in found], missing, notes, files, danger)


def check_graph(name: str, graph: ApiGraph, definitions: Definitions) -> WorkflowReport:
    """Check one of the studio's own graphs."""
    return WorkflowReport(name, len(graph), [_named(name, problem) for problem in problems(graph, definitions)])


def own_graphs(settings: Settings) -> Iterator[tuple[str, ApiGraph]]:
    """Yield the graph of every preset of every mode, with a name for it."""
    from ltx_studio.families import DEFAULT_PRESET
    from ltx_studio.media import by_name
    from ltx_studio.modes import MODES

    for mode in MODES.values():
        for model_set in get_registry(settings).sets.values():
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


def _named(name: str, problem: RequestError) -> WorkflowError:
    return _reworded(problem, f"{name}: {problem.message}")


def _reworded(problem: RequestError, message: str) -> WorkflowError:
    return WorkflowError(message, problem.hint, advice=problem.advice, where=problem.where, files=problem.files)


def _dangers(graph: ApiGraph, definitions: Definitions) -> tuple[RequestError | None, RequestError | None]:
    """Return why it is refused in any case, and why it needs the user's trust."""
    graph = with_examples(graph, files_of(graph, definitions))
    try:
        check_safety(graph, definitions, trusted=True)
    except RequestError as error:
        return error, None
    try:
        check_safety(graph, definitions, trusted=False)
    except RequestError as error:
        return None, error
    return None, None


def _missing(graph: ApiGraph, settings: Settings) -> list[str]:
    """Return the names of missing model files.

    Raises:
        RequestError: A name leaves the models folders, or is of another format than safetensors.
    """
    store = Store(settings)
    return [file.name for file in store.registry.needs(graph) if store.find(file) is None]
