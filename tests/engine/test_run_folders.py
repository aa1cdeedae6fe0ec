import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from gradio.processing_utils import save_file_to_cache

from ltx_studio.engine import run_folders


def test_a_published_file_is_moved_into_the_folder_of_the_day(tmp_path: Path) -> None:
    folder = run_folders.create(tmp_path / "staging", "a1")
    made = folder / "t2v_00001_.mp4"
    made.write_bytes(b"clip")

    path = run_folders.publish(made, tmp_path / "outputs", "t2v-120000-a1")

    assert path.name == "t2v-120000-a1.mp4"
    assert path.read_bytes() == b"clip"
    assert not made.exists()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_outputs_may_lie_on_another_disk(tmp_path: Path) -> None:
    made = run_folders.create(tmp_path, "a1") / "t2v.mp4"
    made.write_bytes(b"clip")

    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        assert Path(elsewhere).stat().st_dev != tmp_path.stat().st_dev
        path = run_folders.publish(made, Path(elsewhere), "t2v-1")
        assert path.read_bytes() == b"clip"
        assert [item.name for item in path.parent.iterdir()] == ["t2v-1.mp4"]


def test_old_temporary_files_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "a" / "old.png", tmp_path / "new.png"
    old.parent.mkdir()
    for file in (old, new):
        file.touch()
    monkeypatch.setattr(run_folders, "TEMP_SECONDS", -60)  # nobody can set when a file came, so a day ends in a minute
    in_an_hour = time.time() + 3600
    os.utime(new, (in_an_hour, in_an_hour))

    run_folders.sweep_temp(tmp_path)

    assert (old.exists(), new.exists()) == (False, True)


def test_a_copy_that_gradio_made_now_of_an_old_file_is_not_old(tmp_path: Path) -> None:
    poster, yesterday = tmp_path / "poster.jpg", time.time() - run_folders.TEMP_SECONDS - 1
    poster.write_bytes(b"of a take of yesterday")
    os.utime(poster, (yesterday, yesterday))
    copy = Path(save_file_to_cache(poster, str(tmp_path / "temp" / "gradio")))
    assert copy.stat().st_mtime < time.time() - run_folders.TEMP_SECONDS

    run_folders.sweep_temp(tmp_path / "temp")

    assert copy.exists()


def test_the_sweep_takes_what_dead_processes_left_and_nothing_else(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = run_folders.create(tmp_path, "mine")
    host = mine.name.split("-")[0]
    dead = tmp_path / f"{host}-{gone.pid}-dead"
    elsewhere = tmp_path / f"otherhost-{gone.pid}-theirs"
    for folder in (dead, elsewhere):
        folder.mkdir()
        (folder / "half.mp4").touch()

    run_folders.sweep(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {mine.name, elsewhere.name}
    assert str(os.getpid()) in mine.name
