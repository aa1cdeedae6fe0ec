"""A page whose clips can be seen forming, by an engine whose runs end when the test lets them."""

import io
import threading
from collections.abc import Iterator

import pytest
from PIL import Image

from ltx_studio.cancel import CancelToken
from ltx_studio.events import Cancelled, Event, Finished, Preview, Step
from ltx_studio.graph import Workflow
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from tests.runners.quick import QuickEngine, QuickRunner
from tests.web.serving import serving


def picture(shade: int) -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (32, 18), (shade, 60, 90)).save(into, "JPEG")
    return into.getvalue()


MAY_END = threading.Event()


class SeenEngine(QuickEngine):
    """An engine whose clip can be seen forming, and whose runs end when the test lets them."""

    def run(
        self, workflow: Workflow, cancel: CancelToken, *, run_id: str | None = None, fresh: bool = False
    ) -> Iterator[Event]:
        for event in super().run(workflow, cancel, run_id=run_id, fresh=fresh):
            while isinstance(event, Finished) and not MAY_END.wait(0.05):
                if cancel.cancelled:
                    yield Cancelled()
                    return
            yield event
            if isinstance(event, Step):
                yield Preview("stage1", event.step, (picture(40 * event.step), picture(10)))


class SeenRunner(QuickRunner):
    def __init__(self, settings: Settings, seconds: float) -> None:
        super().__init__(settings)
        self._engine = SeenEngine(settings, seconds)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    home = tmp_path_factory.mktemp("screen")
    settings = Settings(home=home, hub_cache=home / "hub")
    return Studio(settings, SeenRunner(settings, 0.4), works=True)


@pytest.fixture(scope="module")
def url(studio: Studio) -> Iterator[str]:
    with serving(studio) as blocks:
        yield str(blocks.local_url)
    studio.close()
