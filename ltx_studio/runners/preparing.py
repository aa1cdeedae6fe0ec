"""Prepare a request for an engine, wherever that is: files ready, graph built, model files in place."""

from collections.abc import Callable

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import comfyui
from ltx_studio.errors import StoppedError, StudioError
from ltx_studio.graph import Workflow
from ltx_studio.media import InputPreparer, sweep
from ltx_studio.media.input_store import check_kept
from ltx_studio.models import Store
from ltx_studio.runners.protocol import Buildable
from ltx_studio.settings import Settings


class Preparer:
    """Prepares the requests of one runner. It needs neither ComfyUI nor a device."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        sweep(settings.inputs_dir, settings.models_dir / "loras")

    def problem(self) -> StudioError | None:
        """Return why nothing can run here, or None. Looks at files only."""
        return problem_of(self._settings)

    def prepare(self, spec: Buildable, cancel: CancelToken) -> Workflow:
        """Make the files of `spec` ready and build its graph.

        Raises:
            StoppedError: It was cancelled meanwhile.
            StudioError: It cannot run here: something is missing, or a file cannot be used.
        """
        problem = self.problem()
        if problem is not None:
            raise problem
        for path in spec.files().values():
            check_kept(path)
        stager = InputPreparer(self._settings.inputs_dir, self._settings.models_dir / "loras", _stopper(cancel))
        workflow = spec.build(stager)
        Store(self._settings).require(workflow.graph, spec.fetch_advice, spec.pocket)
        return workflow


def problem_of(settings: Settings) -> StudioError | None:
    """Return why nothing can be prepared here, or None. Looks at files only."""
    try:
        comfyui.find(settings)
    except StudioError as problem:
        return problem
    return None


def _stopper(cancel: CancelToken) -> Callable[[], None]:
    """Return a function that raises if `cancel` is set, to stop the preparation of files."""

    def check() -> None:
        if cancel.cancelled:
            raise StoppedError("Stopped.", "Nothing was saved.")

    return check
