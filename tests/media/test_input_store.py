"""A user's file is kept once, and what is only linked is the one that was handed in."""

import os
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.media import InputStore
from ltx_studio.media.input_store import check_kept


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    (tmp_path / "mine.safetensors").write_bytes(b"one")
    return tmp_path / "mine.safetensors"


def change(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    later = path.stat().st_mtime + 60
    os.utime(path, (later, later))


def test_a_linked_file_that_was_changed_is_refused(lora: Path, tmp_path: Path) -> None:
    kept = InputStore(tmp_path / "kept")(lora, linked=True)
    check_kept(kept)

    change(lora, b"another")

    with pytest.raises(RequestError, match="has changed since"):
        check_kept(kept)


def test_one_that_was_only_touched_is_the_same(lora: Path, tmp_path: Path) -> None:
    kept = InputStore(tmp_path / "kept")(lora, linked=True)

    change(lora, b"one")

    check_kept(kept)


def test_a_copy_does_not_mind_what_becomes_of_the_original(lora: Path, tmp_path: Path) -> None:
    kept = InputStore(tmp_path / "kept")(lora)

    change(lora, b"another")

    check_kept(kept)
    assert kept.read_bytes() == b"one"


def test_what_is_to_be_copied_does_not_stay_the_link_that_was_kept_before(lora: Path, tmp_path: Path) -> None:
    upload = tmp_path / "upload.safetensors"
    upload.write_bytes(lora.read_bytes())
    keep = InputStore(tmp_path / "kept")
    assert keep(lora, linked=True).is_symlink()

    kept = keep(upload)
    lora.unlink()

    assert not kept.is_symlink()
    assert kept.read_bytes() == b"one"
    assert keep(upload, linked=True) == kept  # a copy is as good as a link, and stays
    assert not kept.is_symlink()


def test_a_link_leads_to_the_file_that_was_handed_in_last(lora: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.safetensors"
    saved.write_bytes(lora.read_bytes())
    keep = InputStore(tmp_path / "kept")
    keep(lora, linked=True)
    change(lora, b"another")

    kept = keep(saved, linked=True)

    check_kept(kept)
    assert kept.read_bytes() == b"one"


def test_what_is_kept_is_still_known_by_its_suffix(lora: Path, tmp_path: Path) -> None:
    """Gradio refuses a form with a LoRA that is not called one."""
    assert InputStore(tmp_path / "kept")(lora).suffix == ".safetensors"
