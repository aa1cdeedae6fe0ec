"""Workflows that were dropped on the page or sent to the API: each file is read once, in another process."""

from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Any

from ltx_studio import sandbox
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet
from ltx_studio.graph.definitions import cached_definitions
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.workflow_files.read import ReadWorkflow, read_with_form

MOST_KEPT = 4
"""Files whose contents are kept, for a few visitors at once, from the form to the run."""


class OpenedWorkflows:
    """Reads files, and remembers the last few: the page needs each three times (card, form, run)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, int, int], Future[ReadWorkflow]] = OrderedDict()

    def get(self, path: Path) -> ReadWorkflow:
        """Return a file's workflow. It is shared: do not change it.

        Raises:
            StudioError: The file cannot be read, or this ComfyUI cannot run it; see `read_with_form`.
        """
        try:
            state = path.stat()
        except OSError as error:
            raise RequestError(f"{path.name} can no longer be read: {error.strerror}.", "Upload it again.") from None
        key = (str(path), state.st_mtime_ns, state.st_size)
        with self._lock:
            is_first = key not in self._kept
            future = self._kept.setdefault(key, Future())
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        if is_first:
            self._read(path, key, future)
        return future.result()

    def request(
        self,
        name: str,
        opened: ReadWorkflow,
        values: Mapping[str, Any],
        *,
        trusted: bool,
        model_set: ModelSet | None = None,
    ) -> WorkflowSpec:
        """Return the request to run a workflow, checked in another process.

        Args:
            name: The workflow's name.
            opened: The workflow, from `get`.
            values: The values of its form; files as paths.
            trusted: Whether it may run any node.
            model_set: The set whose files its loaders read, instead of their own.

        Raises:
            StudioError: See `WorkflowSpec.from_request`.
        """
        arguments = (dict(opened.graph), dict(values), snapshot_path(self._settings), trusted, model_set)
        return sandbox.read(_request, Path(name), *arguments)

    def _read(self, path: Path, key: tuple[str, int, int], future: "Future[ReadWorkflow]") -> None:
        try:
            future.set_result(sandbox.read(read_with_form, path, snapshot_path(self._settings)))
        except BaseException as error:
            if not isinstance(error, RequestError):  # the file is not to blame, so reading it may be tried again
                with self._lock:
                    self._kept.pop(key, None)
            future.set_exception(error)


def _request(
    path: Path,
    graph: Mapping[str, Any],
    values: Mapping[str, Any],
    snapshot: Path,
    trusted: bool,  # noqa: FBT001  (`sandbox.read` passes arguments by position)
    model_set: ModelSet | None,
) -> WorkflowSpec:
    definitions = cached_definitions(snapshot)
    return WorkflowSpec.from_request(str(path), graph, values, definitions, trusted=trusted, model_set=model_set)
