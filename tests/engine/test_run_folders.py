import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.engine import run_folders


def finished(staging: Path, run_id: str, *names: str) -> Path:
    """Return the folder of a run that saved files under these names."""
    folder = run_folders.create(staging, run_id)
    files = [folder.saving / name for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.name)
    folder.finish(files)
    return folder.path


def test_a_finished_run_leaves_its_files_in_their_order_and_nothing_else(tmp_path: Path) -> None:
    folder = run_folders.create(tmp_path, "a1")
    saved = [folder.saving / "video" / "t2v_00001_.mp4", folder.saving / "i_00002_.png", folder.saving / "i_00001_.png"]
    for file in (*saved, folder.saving / "scratch.txt"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(file.name)
    assert run_folders.finished(tmp_path, "a1") == ()

    files = folder.finish(saved)

    assert [file.read_text() for file in files] == [file.name for file in saved]
    assert run_folders.finished(tmp_path, "a1") == files
    assert sorted(folder.path.iterdir()) == sorted(files)


@pytest.mark.parametrize("place", ["pathlib.Path.replace", "shutil.rmtree", "pathlib.Path.rename"])
def test_a_run_that_is_killed_while_it_finishes_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(place, kill)
        with pytest.raises(KeyboardInterrupt):
            finished(tmp_path, "a1", "a.mp4", "b.png")

    assert run_folders.finished(tmp_path, "a1") == ()
    run_folders.discard_run(tmp_path, "a1")
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_an_id_that_finished_before_has_a_folder_of_its_own(tmp_path: Path) -> None:
    old, new = finished(tmp_path, "a1", "old.mp4"), finished(tmp_path, "a1", "new.mp4")
    other = finished(tmp_path, "a12", "other.mp4")
    os.utime(old, (0, 0))

    assert [file.read_text() for file in run_folders.finished(tmp_path, "a1")] == ["new.mp4"]
    run_folders.discard_run(tmp_path, "a1")
    assert list(tmp_path.iterdir()) == [other]
    assert old != new


def test_only_the_folder_of_a_finished_run_is_discarded(tmp_path: Path) -> None:
    folder = finished(tmp_path, "a1", "a.mp4")
    own, unfinished = tmp_path / "outputs" / "a.mp4", run_folders.create(tmp_path, "a2").path / "a.mp4"
    own.parent.mkdir()
    for file in (own, unfinished):
        file.touch()

    for file in (own, unfinished, folder / "0001.mp4"):
        run_folders.discard(file)

    assert (own.exists(), unfinished.exists(), folder.exists()) == (True, True, False)


def test_a_folder_that_cannot_be_filled_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.mkdir

    def mkdir(path: Path, *given: Any, **named: Any) -> None:
        if path.name == run_folders.SAVING:
            raise OSError(28, "No space left on device")
        real(path, *given, **named)

    monkeypatch.setattr(Path, "mkdir", mkdir)

    with pytest.raises(OSError, match="No space"):
        run_folders.create(tmp_path, "a1")
    assert list(tmp_path.iterdir()) == []


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
    from gradio.processing_utils import save_file_to_cache  # late: at the top, it would parse Gradio's components

    poster, yesterday = tmp_path / "poster.jpg", time.time() - run_folders.TEMP_SECONDS - 1
    poster.write_bytes(b"of a take of yesterday")
    os.utime(poster, (yesterday, yesterday))
    copy = Path(save_file_to_cache(poster, str(tmp_path / "temp" / "gradio")))
    assert copy.stat().st_mtime < time.time() - run_folders.TEMP_SECONDS

    run_folders.sweep_temp(tmp_path / "temp")

    assert copy.exists()


def test_the_sweep_takes_what_dead_processes_left_and_nobody_looks_for(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = run_folders.create(tmp_path, "mine").path
    host = mine.name.split("-")[0]
    kept = {mine}
    for name in (
        f"{host}-{gone.pid}-dead",
        f"{host}-{gone.pid}-dead-a1b2c3d4",
        f"{host}-{gone.pid}-unnamed-1-a1b2c3d4.finished",
    ):
        (tmp_path / name).mkdir()
    for name in (f"otherhost-{gone.pid}-theirs", f"{host}-{gone.pid}-job-a1b2c3d4.finished"):
        kept.add(tmp_path / name)
        (tmp_path / name).mkdir()
        (tmp_path / name / "0001.mp4").touch()

    run_folders.sweep(tmp_path)

    assert set(tmp_path.iterdir()) == kept
    assert str(os.getpid()) in mine.name
    assert run_folders.all_finished(tmp_path) == {
        "job": (tmp_path / f"{host}-{gone.pid}-job-a1b2c3d4.finished" / "0001.mp4",)
    }


def test_a_run_without_an_id_is_nobodys_after_a_kill(tmp_path: Path) -> None:
    finished(tmp_path, run_folders.new_run_id(), "a.mp4")

    assert run_folders.all_finished(tmp_path) == {}
