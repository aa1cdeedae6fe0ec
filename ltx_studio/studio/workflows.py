"""Workflows of the user's own: read, convert, check, fill in, and request. Needs no database."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltx_studio import sandbox
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import ModelMissingError
from ltx_studio.families import ModelSet
from ltx_studio.graph.definitions import Definitions, cached_definitions
from ltx_studio.graph.graph import ApiGraph
from ltx_studio.models import Store, get_registry
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.studio.opened_workflows import OpenedWorkflows
from ltx_studio.workflow_files.read import ReadWorkflow, read_with_form, read_workflow

if TYPE_CHECKING:
    from ltx_studio.studio.workflow_check import WorkflowReport


class Workflows:
    """What the ComfyUI of one studio makes of workflows."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._opened = settings, OpenedWorkflows(settings)

    def definitions(self) -> Definitions:
        """Return the node definitions of the installed ComfyUI.

        Raises:
            SetupError: ComfyUI or the definitions are missing.
        """
        return cached_definitions(snapshot_path(self._settings))

    def convert(self, file: Path) -> ApiGraph:
        """Return the graph in API format of a file that carries a workflow.

        Raises:
            StudioError: The file cannot be read, or this ComfyUI does not know its nodes.
        """
        return sandbox.read(read_workflow, file, self.definitions())

    def draw(self, graph: Mapping[str, Any]) -> dict[str, Any]:
        """Return a graph as ComfyUI's editor saves it."""
        from ltx_studio.editor_format.draw import to_editor

        return to_editor(graph, self.definitions())

    def form(self, file: Path) -> ReadWorkflow:
        """Return a file's workflow with its form.

        Raises:
            StudioError: See `read_with_form`.
        """
        return sandbox.read(read_with_form, file, snapshot_path(self._settings))

    def check(self, file: Path, map_to: str | None = None) -> "WorkflowReport":
        """Return the findings about a file; see `check_file`."""
        from ltx_studio.studio.workflow_check import check_file

        return check_file(file, self.definitions(), self._settings, map_to)

    def check_own(self) -> Iterator["WorkflowReport"]:
        """Yield the findings about the graph of every preset of every mode."""
        from ltx_studio.studio.workflow_check import check_graph, own_graphs

        definitions = self.definitions()
        return (check_graph(name, graph, definitions) for name, graph in own_graphs(self._settings))

    def open(self, path: Path) -> ReadWorkflow:
        """Return an uploaded file's workflow with its form; the last few are remembered.

        Raises:
            StudioError: See `OpenedWorkflows.get`.
        """
        return self._opened.get(path)

    def request(
        self,
        name: str,
        opened: ReadWorkflow,
        values: Mapping[str, Any],
        *,
        trusted: bool,
        map_to: str | None = None,
    ) -> WorkflowSpec:
        """Return the request to run an opened workflow, whose model files are here.

        Args:
            name: The workflow's name.
            opened: The workflow, from `open`.
            values: The values of its form; files as paths.
            trusted: Whether it may run any node.
            map_to: The id of the model set whose files its loaders read, instead of their own.

        Raises:
            StudioError: See `WorkflowSpec.from_request`; or a model file is missing.
        """
        model_set = self._set(map_to)
        return self._runnable(self._opened.request(name, opened, values, trusted=trusted, model_set=model_set))

    def request_of_file(
        self, file: Path, values: Mapping[str, Any], *, trusted: bool, map_to: str | None = None
    ) -> WorkflowSpec:
        """Return the request to run a file's workflow; see `request`.

        Raises:
            StudioError: See `WorkflowSpec.from_file`; or a model file is missing.
        """
        model_set, definitions = self._set(map_to), self.definitions()
        return self._runnable(WorkflowSpec.from_file(file, values, definitions, trusted=trusted, model_set=model_set))

    def missing(self, graph: Mapping[str, Any]) -> ModelMissingError | None:
        """Return the error about the model files that a graph needs and that are not here; None if all are.

        Raises:
            RequestError: A name leads out of the models folders, or is not a safetensors file.
        """
        try:
            Store(self._settings).require(graph, pocket=WorkflowSpec.pocket)
        except ModelMissingError as error:
            return error
        return None

    def _set(self, map_to: str | None) -> ModelSet | None:
        return get_registry(self._settings).get_set(map_to) if map_to else None

    def _runnable(self, spec: WorkflowSpec) -> WorkflowSpec:
        Store(self._settings).require(spec.graph, spec.fetch_advice, spec.pocket)
        return spec
