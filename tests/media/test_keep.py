"""A user's file is kept once, and what is only linked is the one that was handed in."""

import os
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.media import Keeper
from ltx_studio.media.keep import check_kept


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    (tmp_path / "mine.safetensors").write_bytes(b"one")
    return tmp_path / "mine.safetensors"


def change(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    later = path.stat().st_mtime + 60
    os.utime(path, (later, later))


def test_a_linked_file_that_was_changed_is_refused(lora: Path, tmp_path: Path) -> None:
    kept = Keeper(tmp_path / "kept")(lora, linked=True)
    check_kept(kept)

    change(lora, b"another")

    with pytest.raises(RequestError, match="has changed since"):
        check_kept(kept)


def test_one_that_was_only_touched_is_the_same(lora: Path, tmp_path: Path) -> None:
    kept = Keeper(tmp_path / "kept")(lora, linked=True)

    change(lora, b"one")

    check_kept(kept)


def test_a_copy_does_not_mind_what_becomes_of_the_original(lora: Path, tmp_path: Path) -> None:
    kept = Keeper(tmp_path / "kept")(lora)

    change(lora, b"another")

    check_kept(kept)
    assert kept.read_bytes() == b"one"
