"""When the lab's tests run: after a change of what they prove."""

from pathlib import Path

import pytest

from lab.changed import STORED, WATCHED, digest_of, has_changed, store

FILES = ("lab/train.py", "lab/tests/test_one.py", "ltx_studio/pocket/weights/a.safetensors", "ltx_studio/web/page.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*FILES, *(name for name in WATCHED if "." in name)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    store(tmp_path)
    return tmp_path


def test_after_the_digest_is_stored_nothing_has_changed(tree: Path) -> None:
    assert not has_changed(tree)


@pytest.mark.parametrize("name", FILES[:3])
def test_another_content_is_a_change(name: str, tree: Path) -> None:
    (tree / name).write_text("other")

    assert has_changed(tree)


def test_a_new_and_a_missing_file_are_changes(tree: Path) -> None:
    (tree / "lab" / "more.py").write_text("")
    assert has_changed(tree)
    (tree / "lab" / "more.py").unlink()
    assert not has_changed(tree)
    (tree / FILES[0]).unlink()
    assert has_changed(tree)


def test_no_stored_digest_is_a_change(tree: Path) -> None:
    (tree / STORED).unlink()

    assert has_changed(tree)


def test_compiled_and_other_files_are_no_change(tree: Path) -> None:
    before = digest_of(tree)
    (tree / "lab" / "__pycache__").mkdir()
    (tree / "lab" / "__pycache__" / "train.pyc").write_text("compiled")
    (tree / FILES[3]).write_text("other")

    assert digest_of(tree) == before
