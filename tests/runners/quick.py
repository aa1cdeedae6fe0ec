"""A runner without an engine: its clip is a file that is there already, after a few events."""

import shutil
import time
from collections.abc import Iterator

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory, run_folders
from ltx_studio.errors import StudioError
from ltx_studio.events import Cancelled, Event, Finished, Output, PhaseStarted, Prepared, Started, Step
from ltx_studio.media import by_name
from ltx_studio.runners.protocol import Buildable, Cost
from ltx_studio.settings import Settings
from tests.support import DATA

STEPS = 4


class QuickRunner:
    """Implements `Runner`; each run takes `seconds`."""

    def __init__(self, settings: Settings, seconds: float = 0.1) -> None:
        self._settings, self._seconds = settings, seconds

    def problem(self) -> StudioError | None:
        return None

    def start(self) -> None:
        pass

    def cost(self, spec: Buildable) -> Cost | None:
        return None

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        yield Prepared(spec.build(by_name).graph)
        folder = run_folders.create(self._settings.staging_dir, job_id or run_folders.new_run_id())
        yield Started(job_id or "", 1, 0)
        yield PhaseStarted("stage1", "Stage 1", 0, 1)
        for step in range(STEPS):
            if cancel.cancelled:
                folder.remove()
                yield Cancelled()
                return
            time.sleep(self._seconds / STEPS)
            yield Step("stage1", step + 1, STEPS)
        made = shutil.copyfile(DATA / "circle-fast.mp4", folder.saving / "clip.mp4")
        yield Finished(tuple(Output(path, "Save") for path in folder.finish([made])), self._seconds)

    def memory(self) -> Memory | None:
        return None

    def failed(self) -> bool:
        return False

    def unload(self) -> tuple[Memory, Memory] | None:
        return None

    def close(self, timeout: float) -> bool:
        return True
