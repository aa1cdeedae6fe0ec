import pickle
from pathlib import Path

import pytest

from ltx_studio.errors import OutOfMemoryError
from ltx_studio.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    Heartbeat,
    Output,
    PhaseStarted,
    Preview,
    Started,
    Step,
    Waiting,
)

OUTPUT = Output(Path("clip.mp4"), "Save")
EVENTS: list[Event] = [
    Waiting("lane"),
    Started("a1", 29, 3),
    PhaseStarted("decode", "Decode", 5, 7),
    Step("stage1", 2, 8),
    Preview("stage1", 2, (b"jpeg",)),
    Heartbeat(1.5),
    OUTPUT,
    Finished((OUTPUT,), 2.5),
    Failed(OutOfMemoryError("Decode ran out of memory.", "Make the clip smaller.")),
    Cancelled(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_survives_pickling(event: Event) -> None:
    assert pickle.loads(pickle.dumps(event)) == event
