"""Checks of model files, as streams of cards."""

import threading
from collections.abc import Iterator

import pytest

from ltx_studio.cancel import CancelToken
from ltx_studio.models.files import ModelFile
from ltx_studio.models.verify import Reading
from ltx_studio.web import model_work


def test_a_check_reports_on_while_the_disk_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each card disables the panel's buttons again, which a late answer to an earlier click may have enabled."""
    monkeypatch.setattr(model_work, "TELL_SECONDS", 0.01)
    release = threading.Event()
    file = ModelFile("checkpoints", "one.safetensors", size=80)

    def check() -> Iterator[Reading]:
        yield Reading(file, 40, 80)
        assert release.wait(60)
        yield Reading(file, 80, 80)

    cards = model_work.checked(check(), 1, CancelToken())
    seen = [next(cards) for _ in range(4)]
    release.set()

    assert len(set(seen[1:])) == 1
    assert 'value="40"' in seen[-1]
    assert 'value="80"' in list(cards)[-1]


def test_an_error_of_a_check_is_raised() -> None:
    file = ModelFile("checkpoints", "one.safetensors", size=80)

    def check() -> Iterator[Reading]:
        yield Reading(file, 40, 80)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(model_work.checked(check(), 1, CancelToken()))
