"""When slow tests run: after a change of what they prove."""

from pathlib import Path

import pytest

from tests.support import ROOT
from tools.changed import PARTS, Part, arguments

OUTSIDE = Part("lab/tests", ("lab", "docs/one.json"))
INSIDE = Part("tests/far", ("tests/far", "ltx_studio/far.py"))
FILES = ("lab/train.py", "lab/tests/test_one.py", "docs/one.json", "tests/far/test_far.py", "ltx_studio/far.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*FILES, "ltx_studio/page.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for part in (OUTSIDE, INSIDE):
        part.store(tmp_path)
    return tmp_path


def told(tree: Path) -> list[str]:
    return list(arguments({"outside": OUTSIDE, "inside": INSIDE}, tree))


def test_without_a_change_no_slow_test_runs(tree: Path) -> None:
    assert told(tree) == ["--ignore=tests/far"]


def test_each_part_runs_after_a_change_of_its_own(tree: Path) -> None:
    (tree / "docs" / "one.json").write_text("other")
    assert told(tree) == ["lab/tests", "--ignore=tests/far"]
    (tree / "ltx_studio" / "far.py").write_text("other")
    assert told(tree) == ["lab/tests"]


@pytest.mark.parametrize("name", FILES[:3])
def test_another_content_is_a_change(name: str, tree: Path) -> None:
    (tree / name).write_text("other")

    assert OUTSIDE.has_changed(tree)


def test_a_new_and_a_missing_file_are_changes(tree: Path) -> None:
    (tree / "lab" / "more.py").write_text("")
    assert OUTSIDE.has_changed(tree)
    (tree / "lab" / "more.py").unlink()
    assert not OUTSIDE.has_changed(tree)
    (tree / FILES[0]).unlink()
    assert OUTSIDE.has_changed(tree)


def test_no_stored_digest_is_a_change(tree: Path) -> None:
    (tree / OUTSIDE.stored).unlink()

    assert OUTSIDE.has_changed(tree)


def test_compiled_and_other_files_are_no_change(tree: Path) -> None:
    before = OUTSIDE.digest(tree)
    (tree / "lab" / "__pycache__").mkdir()
    (tree / "lab" / "__pycache__" / "train.pyc").write_text("compiled")
    (tree / "ltx_studio" / "page.py").write_text("other")

    assert OUTSIDE.digest(tree) == before


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_what_a_part_names_exists(part: Part) -> None:
    assert [name for name in (part.tests, *part.watched) if not (ROOT / name).exists()] == []
