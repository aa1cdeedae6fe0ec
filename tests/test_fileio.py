"""Writing files whole, and sweeping what a kill has left."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ltx_studio.fileio import FOREIGN_SECONDS, move, sweep_partials, whole
from tests.support import leave_partial


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole(tmp_path / "clip.mp4") as partial:
        partial.write_bytes(b"new")
        assert not (tmp_path / "clip.mp4").exists()

    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_file_moves_to_another_disk(tmp_path: Path) -> None:
    made = tmp_path / "clip.mp4"
    made.write_bytes(b"clip")

    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        assert Path(elsewhere).stat().st_dev != tmp_path.stat().st_dev
        move(made, Path(elsewhere, "take.mp4"))
        assert {item.name: item.read_bytes() for item in Path(elsewhere).iterdir()} == {"take.mp4": b"clip"}
    assert not made.exists()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_file_that_another_disk_has_no_room_for_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "clip.mp4"
    made.write_bytes(b"clip")

    def full(_source: Path, partial: Path) -> None:
        partial.write_bytes(b"cl")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)

    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        with pytest.raises(OSError, match="No space"):
            move(made, Path(elsewhere, "take.mp4"))
        assert list(Path(elsewhere).iterdir()) == []
    assert made.read_bytes() == b"clip"


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"old")

    def write() -> None:
        with whole(tmp_path / "clip.mp4") as partial:
            partial.write_bytes(b"ha")
            raise MemoryError

    with pytest.raises(MemoryError):
        write()

    assert (tmp_path / "clip.mp4").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path: Path) -> None:
    with whole(tmp_path / ("x" * 251 + ".mp4")) as partial:
        partial.touch()

    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    assert leave_partial(tmp_path).read_bytes() == b"half"

    sweep_partials(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    with whole(tmp_path / "clip.mp4") as partial:
        partial.write_bytes(b"half")
        sweep_partials(tmp_path)

        assert partial.exists()


def test_a_process_that_has_the_number_of_a_killed_one_does_not_protect_its_file(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        with whole(tmp_path / "clip.mp4") as partial:
            partial.touch()
            left = partial.with_name(partial.name.replace(f"-{os.getpid()}-", f"-{other.pid}-"))
            partial.rename(left)
            partial.touch()
        os.utime(left, (time.time() - 3600, time.time() - 3600))

        sweep_partials(tmp_path)
        other.communicate(b"\n")

    assert not left.exists()


def test_a_file_of_another_machine_or_an_older_studio_goes_after_a_day(tmp_path: Path) -> None:
    new, old = tmp_path / ".ltx-studio-elsewhere-1-ab.part", tmp_path / ".ltx-studio-x8k2.part"
    new.touch()
    old.touch()
    os.utime(old, (time.time() - FOREIGN_SECONDS - 60,) * 2)

    sweep_partials(tmp_path, tmp_path / "not there")

    assert (new.exists(), old.exists()) == (True, False)
