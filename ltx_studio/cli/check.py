"""Check one workflow for `ltx-studio workflow check`: list its problems and what to know before a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ltx_studio import sandbox
from ltx_studio.cli.hints import hint_of, notes_in_words
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.compatibility import fit_to
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import FILES, files_of, form_of, with_examples
from ltx_studio.graph.graph import ApiGraph
from ltx_studio.graph.missing_nodes import MissingNodesError
from ltx_studio.graph.safety import check_known, check_safety
from ltx_studio.graph.validate import problems
from ltx_studio.graph.values import quoted
from ltx_studio.models import Store, get_registry
from ltx_studio.models.mapping import map_models
from ltx_studio.settings import get_settings
from ltx_studio.workflow_files.read import read_for_check


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about one workflow.

    Attributes:
        name: The name of the file, or of the studio's mode.
        nodes: How many nodes it has.
        problems: Why it does not run; each error's message begins with `name`.
        missing: The names of missing model files.
        notes: What the user should know before a run.
    """

    name: str
    nodes: int
    problems: list[WorkflowError]
    missing: list[str]
    notes: list[str]

    def lines(self) -> Iterator[str]:
        """Yield the lines to print."""
        if self.problems:
            yield from (f"{problem.message} {hint_of(problem)}" for problem in self.problems)
        else:
            lacks = f"; missing model files: {', '.join(self.missing)}" if self.missing else ""
            yield f"{self.name}: ok, {self.nodes} nodes{lacks}"
        yield from (f"  note: {note}" for note in self.notes)


def check_file(file: Path, definitions: Definitions, map_to: str | None = None) -> Report:
    """Check a user's file.

    Args:
        file: Any file that carries a workflow.
        definitions: The node definitions of the installed ComfyUI.
        map_to: The model set whose files to use; None uses those that the workflow names.

    Raises:
        RequestError: The model set does not exist.
    """
    name = str(file)
    notes: list[str] = []
    model_set = get_registry(get_settings()).get_set(map_to) if map_to else None
    try:
        graph, lacks = sandbox.read(read_for_check, file, definitions)
        if model_set is not None and lacks is None:
            check_known(graph, definitions)
            graph, notes = map_models(graph, model_set, definitions)
    except RequestError as error:
        message = error.message if file.name in error.message else f"{name}: {error.message}"
        return Report(name, 0, [WorkflowError(message, hint_of(error), where=error.where)], [], [])
    graph, changed = fit_to(graph, definitions)
    others = (each for each in problems(graph, definitions) if lacks is None or not isinstance(each, MissingNodesError))
    found = [_named(name, problem) for problem in (*filter(None, [lacks]), *others)]
    if all(node["class_type"] in definitions for node in graph.values()):
        notes += _wants(graph, definitions)
        found += [_named(name, problem) for problem in _dangers(graph, definitions, notes)]
    try:
        missing = _missing(graph, notes, can_run=not found)
    except RequestError as error:
        missing = []
        found.append(_named(name, error))
    return Report(name, len(graph), found, missing, list(dict.fromkeys([*notes_in_words(changed), *notes])))


def check_graph(name: str, graph: ApiGraph, definitions: Definitions) -> Report:
    """Check one of the studio's own graphs."""
    return Report(name, len(graph), [_named(name, problem) for problem in problems(graph, definitions)], [], [])


def _named(name: str, problem: RequestError) -> WorkflowError:
    return WorkflowError(f"{name}: {problem.message}", hint_of(problem), where=problem.where)


def _wants(graph: ApiGraph, definitions: Definitions) -> Iterator[str]:
    for field in form_of(graph, definitions):
        if field.kind in FILES:
            named = f", {quoted(field.value)}" if field.value else ""
            yield f"{field.title}: the workflow reads a {field.kind}{named}. Set it with `--set {field.key}=PATH`."


def _dangers(graph: ApiGraph, definitions: Definitions, notes: list[str]) -> Iterator[RequestError]:
    """Yield what is refused in any case; add a note for what needs the user's trust."""
    graph = with_examples(graph, files_of(graph, definitions))
    try:
        check_safety(graph, definitions, trusted=True)
    except RequestError as error:
        yield error
        return
    try:
        check_safety(graph, definitions, trusted=False)
    except RequestError as error:
        notes.append(f"{error.message} {hint_of(error)}")


def _missing(graph: ApiGraph, notes: list[str], *, can_run: bool) -> list[str]:
    """Return the names of missing model files; if the workflow can run, add a note about how to get them.

    Raises:
        RequestError: A name leaves the models folders, or is of another format than safetensors.
    """
    store = Store(get_settings())
    missing = [file for file in store.registry.needs(graph) if store.find(file) is None]
    if missing and can_run:
        notes.append(
            "To run it without them, use the pocket model: `ltx-studio workflow run FILE --map-models pocket`. "
            "To see how to get them, run it without that option: `ltx-studio workflow run FILE`."
        )
    return [file.name for file in missing]
