"""A runner and an engine without ComfyUI: their clip is a small real file, after a few events."""

import io
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import Memory, run_folders
from ltx_studio.errors import StudioError
from ltx_studio.events import Cancelled, Event, Finished, Output, PhaseStarted, Prepared, Preview, Started, Step
from ltx_studio.graph import Workflow
from ltx_studio.media import by_name
from ltx_studio.runners.protocol import Buildable, Cost
from ltx_studio.settings import Settings
from tests.samples import write_film

STEPS = 4


@lru_cache(maxsize=1)
def clip() -> bytes:
    """The clip that every run makes: as long and as large as `small_spec` asks for, with sound."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        return write_film(path, size=(128, 128), frames=17, sound=True).read_bytes()


def picture(number: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A picture of a live preview; each number has its own."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256 % 256, 0)).save(buffer, "JPEG")
    return buffer.getvalue()


class QuickEngine:
    """Has what a `LocalRunner` needs of `Engine`, with its folders in staging; each run takes `seconds`, and
    `shows` live previews or not."""

    failure: BaseException | None = None

    def __init__(self, settings: Settings, seconds: float = 0.1, *, shows: bool = False) -> None:
        self._settings, self._seconds, self._shows = settings, seconds, shows
        self._is_swept = False

    def start(self) -> None:
        """Remove what killed processes left, as the engine does when ComfyUI has booted."""
        if not self._is_swept:
            run_folders.sweep(self._settings.staging_dir)
            self._is_swept = True

    def run(
        self, workflow: Workflow, cancel: CancelToken, *, run_id: str | None = None, fresh: bool = False
    ) -> Iterator[Event]:
        self.start()
        folder = run_folders.create(self._settings.staging_dir, run_id or run_folders.new_run_id())
        yield Started(run_id or "", 1, 0)
        yield PhaseStarted("stage1", "Stage 1", 0, 1)
        for step in range(STEPS):
            if cancel.cancelled:
                folder.remove()
                yield Cancelled()
                return
            time.sleep(self._seconds / STEPS)
            if self._shows:
                yield Preview("stage1", step + 1, (picture(step + 1),))
            yield Step("stage1", step + 1, STEPS)
        made = folder.saving / "clip.mp4"
        made.write_bytes(clip())
        yield Finished(tuple(Output(path, "Save") for path in folder.finish([made])), self._seconds)

    def memory(self) -> Memory | None:
        return None

    def unload(self, timeout: float = 0.0) -> None:
        pass

    def close(self, timeout: float) -> bool:
        return True


class QuickRunner:
    """Implements `Runner`; each run takes `seconds`."""

    def __init__(self, settings: Settings, seconds: float = 0.1, *, shows: bool = False) -> None:
        self._engine = QuickEngine(settings, seconds, shows=shows)

    def problem(self) -> StudioError | None:
        return None

    def start(self) -> None:
        pass

    def cost(self, spec: Buildable) -> Cost | None:
        return None

    def run(self, spec: Buildable, cancel: CancelToken, *, job_id: str | None = None) -> Iterator[Event]:
        workflow = spec.build(by_name)
        yield Prepared(workflow.graph)
        yield from self._engine.run(workflow, cancel, run_id=job_id, fresh=spec.fresh)

    def memory(self) -> Memory | None:
        return None

    def failed(self) -> bool:
        return False

    def unload(self) -> tuple[Memory, Memory] | None:
        return None

    def close(self, timeout: float) -> bool:
        return True
