"""What `doctor` says of the studio's home."""

import errno
import tempfile

import pytest

from ltx_studio.cli.doctor import _home
from ltx_studio.settings import Settings


def test_a_home_that_can_be_written_is_good(home: Settings) -> None:
    home.home.mkdir()

    assert _home(home).good
    assert list(home.home.iterdir()) == []


def test_a_home_that_is_not_there_yet_is_not_made(home: Settings) -> None:
    assert _home(home).good
    assert not home.home.exists()


@pytest.mark.parametrize(("code", "said"), [(errno.EROFS, "read-only"), (errno.EACCES, "permission to write")])
def test_a_home_that_cannot_be_written_is_a_finding(
    home: Settings, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(code, "refused", str(home.home))

    home.home.mkdir()
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    found = _home(home)

    assert not found.good
    assert said in found.hint
