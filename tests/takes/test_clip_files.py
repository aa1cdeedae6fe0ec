from pathlib import Path

import pytest

from ltx_studio.engine import Engine
from ltx_studio.errors import RequestError
from ltx_studio.takes import check_destination, export, measure
from tests.support import finish, leave_partial, small_workflow


def test_measures_what_is_in_the_file(engine: Engine) -> None:
    path = finish(engine, small_workflow(seconds=1, fps=12))

    take = measure(path)

    assert (take.width, take.height, take.frames, take.fps, take.seconds) == (128, 128, 9, 12.0, 0.75)
    assert take.as_dict()["take"] == path.stem
    assert take.as_dict()["path"] == str(path)


def test_an_export_is_whole_and_replaces_what_was_there(tmp_path: Path) -> None:
    take, destination = tmp_path / "take.mp4", tmp_path / "clip.mp4"
    take.write_bytes(b"new")
    destination.write_bytes(b"old")

    assert export(take, destination) == destination

    assert destination.read_bytes() == take.read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {"take.mp4", "clip.mp4"}


def test_an_export_removes_what_a_killed_one_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "take.mp4").write_bytes(b"take")
    left = leave_partial(tmp_path / "mine")

    export(tmp_path / "take.mp4", tmp_path / "mine" / "clip.mp4")

    assert not left.exists()


def test_an_export_may_be_repeated_and_is_a_file_of_its_own(tmp_path: Path) -> None:
    take, destination = tmp_path / "take.mp4", tmp_path / "clip.mp4"
    take.write_bytes(b"take")

    for _ in range(2):
        export(take, destination)
    destination.write_bytes(b"edited")

    assert take.read_bytes() == b"take"
    assert {path.name for path in tmp_path.iterdir()} == {"take.mp4", "clip.mp4"}


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        export(tmp_path / "gone.mp4", tmp_path / "clip.mp4")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"), [(".", "is a folder"), ("clip.avi", "does not end in .mp4"), ("clip", ".mp4")]
)
def test_a_destination_that_cannot_be_a_clip_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(RequestError, match=said) as caught:
        check_destination(tmp_path / name)

    assert caught.value.hint


def test_a_destination_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RequestError, match="cannot be written"):
        check_destination(tmp_path / "file" / "clip.mp4")


@pytest.mark.parametrize("name", ["~nosuchuser/x.mp4", "x" * 300 + ".mp4", "y" * 300 + "/x.mp4", "/proc/x.mp4"])
def test_a_place_that_cannot_be_is_refused_before_anything_is_rendered(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="cannot be written"):
        check_destination(Path(name) if name[0] in "~/" else tmp_path / name)


def test_the_longest_name_works(tmp_path: Path) -> None:
    destination = check_destination(tmp_path / ("x" * 251 + ".mp4"))
    take = tmp_path / "take.mp4"
    take.write_bytes(b"take")

    assert export(take, destination).read_bytes() == b"take"


def test_the_folder_of_a_destination_is_made(tmp_path: Path) -> None:
    destination = check_destination(tmp_path / "new" / "clip.mp4")

    assert destination.parent.is_dir()
