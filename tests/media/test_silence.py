"""Whether anything is to be heard in a part of a sound."""

from pathlib import Path

import pytest

from ltx_studio.errors import BusyError, RequestError, StudioError
from ltx_studio.media.silence import is_silent
from tests.samples import write_sound


@pytest.mark.parametrize(
    ("error", "reads"),
    [(RequestError("The sound took longer than 60 s to read.", ""), 1), (BusyError("The studio is reading.", ""), 2)],
)
def test_a_sound_that_cannot_be_listened_to_is_not_tried_again_unless_the_studio_was_busy(
    error: StudioError, reads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def read(_parse: object, path: Path, *_: object) -> None:
        tried.append(path)
        raise error

    monkeypatch.setattr("ltx_studio.sandbox.read", read)
    sound = write_sound(tmp_path / "a.wav", 1.0)

    assert not is_silent(sound, 0, 1)
    assert not is_silent(sound, 0, 1)
    assert tried == [sound] * reads
