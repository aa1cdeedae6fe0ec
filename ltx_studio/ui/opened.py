"""Workflows that were dropped on the page or sent to the API: each file is read once, outside of this process."""

from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

from ltx_studio import reading
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import RequestError
from ltx_studio.graph.definitions import Definitions, cached_definitions
from ltx_studio.graph.files import ReadWorkflow, read_with_form
from ltx_studio.settings import Settings

MOST_KEPT = 4
"""Files whose contents are kept: of a few visitors at once, between the form and the run."""


class OpenedWorkflows:
    """Reads files, and remembers the last few: the page asks for one three times (card, form, run)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, int, int], Future[ReadWorkflow]] = OrderedDict()

    def definitions(self) -> Definitions:
        """Return the node definitions of the installed ComfyUI.

        Raises:
            SetupError: The definitions are missing.
        """
        return cached_definitions(snapshot_path(self._settings))

    def get(self, path: Path) -> ReadWorkflow:
        """Return what a file holds. It is shared: do not change it.

        Raises:
            StudioError: It cannot be read, or this ComfyUI cannot run it; see `read_with_form`.
        """
        try:
            state = path.stat()
        except OSError as error:
            raise RequestError(f"{path.name} cannot be read any more: {error.strerror}.", "Upload it again.") from None
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

    def _read(self, path: Path, key: tuple[str, int, int], future: "Future[ReadWorkflow]") -> None:
        try:
            future.set_result(reading.read(read_with_form, path, snapshot_path(self._settings)))
        except BaseException as error:
            if not isinstance(error, RequestError):  # the file is not to blame, so it may be read another time
                with self._lock:
                    self._kept.pop(key, None)
            future.set_exception(error)


def _request(path: Path, graph: Mapping[str, Any], values: Mapping[str, Any], snapshot: Path, trusted: bool) -> OwnSpec:
    return OwnSpec.from_request(str(path), graph, values, cached_definitions(snapshot), trusted=trusted)
