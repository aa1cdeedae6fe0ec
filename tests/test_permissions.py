"""What the studio writes is its user's alone; what belongs elsewhere is as the user's other files."""

import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ltx_studio import permissions
from ltx_studio.queue import Database
from ltx_studio.settings import Settings
from ltx_studio.takes import export
from ltx_studio.takes.clip_files import check_destination
from tests.support import ROOT, environment, run_studio

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes mean something else on Windows")

SMALL = ["--prompt", "a ball", "--width", "128", "--height", "128", "--seconds", "0.7", "--seed", "7"]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """The tests' own umask is that of most users, and is back afterwards."""
    before = os.umask(0o022)
    kept, permissions._umask.users = permissions._umask.users, None
    yield
    permissions._umask.users = kept
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_process_keeps_its_files_to_itself_and_knows_what_the_user_has(tmp_path: Path) -> None:
    permissions.make_private()
    permissions.make_private()
    (tmp_path / "a").touch()
    with permissions.as_usual():
        (tmp_path / "b").touch()
        (tmp_path / "c").mkdir()
    (tmp_path / "d").mkdir()

    assert [mode(tmp_path / name) for name in "abcd"] == [0o600, 0o644, 0o755, 0o700]
    assert (permissions.user_umask(), permissions.user_mode(), permissions.user_mode(folder=True)) == (
        0o022,
        0o644,
        0o755,
    )


def test_without_an_entry_point_the_umask_stays_as_it_is(tmp_path: Path) -> None:
    assert permissions.user_umask() == 0o022
    with permissions.as_usual():
        (tmp_path / "a").touch()

    assert mode(tmp_path / "a") == 0o644


def test_several_threads_may_be_as_usual_at_once(tmp_path: Path) -> None:
    permissions.make_private()
    within, go_on = threading.Event(), threading.Event()

    def other() -> None:
        with permissions.as_usual():
            within.set()
            go_on.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    assert within.wait(30)
    with permissions.as_usual():
        (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    go_on.set()
    thread.join()
    (tmp_path / "c").touch()

    assert [mode(tmp_path / name) for name in "abc"] == [0o644, 0o644, 0o600]


@pytest.mark.parametrize("private", [True, False])
def test_a_new_home_lets_nobody_in(tmp_path: Path, private: bool) -> None:
    """Also where the package is only imported, and the umask is the user's."""
    if private:
        permissions.make_private()
    home = tmp_path / "share" / "studio"

    Database(home / "studio.db")

    assert mode(home) == 0o700
    assert mode(home.parent) == 0o755


@pytest.mark.parametrize("there", [["studio.db"], ["worker.lock", "notes.txt"], []])
def test_a_home_that_was_open_is_closed_once(tmp_path: Path, there: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # another test may have opened a log file
    for name in there:
        (tmp_path / name).touch()
    tmp_path.chmod(0o755)

    Database(tmp_path / "studio.db")
    assert mode(tmp_path) == 0o700
    assert "is now private" in (tmp_path / "logs" / "studio.log").read_text()

    tmp_path.chmod(0o750)  # the user wants it so
    Database(tmp_path / "studio.db")
    assert mode(tmp_path) == 0o750
    assert permissions.is_exposed(tmp_path)


def test_nothing_else_in_it_changes(tmp_path: Path) -> None:
    for path in (tmp_path / "outputs", tmp_path / "outputs" / "d"):
        path.mkdir(mode=0o755)
    (tmp_path / "studio.db").touch()
    tmp_path.chmod(0o755)

    permissions.open_home(tmp_path)

    assert mode(tmp_path / "outputs") == mode(tmp_path / "outputs" / "d") == 0o755


@pytest.mark.parametrize("what", ["sticky", "other files", "the user's own home"])
def test_a_folder_that_is_not_only_the_studios_stays_open(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o1777 if what == "sticky" else 0o755)
    (tmp_path / "thesis.txt").touch()
    if what == "the user's own home":
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "studio.db").touch()
    before = mode(tmp_path)

    for _ in range(2):
        permissions.open_home(tmp_path)
        (tmp_path / "worker.lock").touch()

    assert mode(tmp_path) == before
    assert permissions.is_exposed(tmp_path)


def test_somebody_elses_home_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studio.db").touch()
    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "getuid", lambda: 12345)

    permissions.open_home(tmp_path)

    assert mode(tmp_path) == 0o755


def test_what_is_put_elsewhere_is_as_the_users_other_files(tmp_path: Path) -> None:
    permissions.make_private()
    take = tmp_path / "take.mp4"
    take.touch()
    assert mode(take) == 0o600

    made = export(take, check_destination(tmp_path / "videos" / "clip.mp4"))

    assert (mode(made), mode(made.parent)) == (0o644, 0o755)


def test_every_file_of_a_command_is_the_users_alone(home: Settings, tmp_path: Path) -> None:
    """In a process of its own, as the user has it."""
    done = run_studio(home, "generate", "t2v", *SMALL, "--detach", LTX_STUDIO_COMFY_DIR="")
    assert done.returncode == 0, done.stderr

    open_to_others = [path for path in [home.home, *home.home.rglob("*")] if path.lstat().st_mode & 0o077]
    assert [path for path in open_to_others if not path.is_symlink()] == []


def test_the_doctor_says_that_a_home_is_open(home: Settings) -> None:
    run_studio(home, "jobs", "list")
    assert "Other users can read" not in run_studio(home, "doctor").stdout
    home.home.chmod(0o755)

    done = run_studio(home, "doctor")

    assert done.returncode == 1
    assert f"Other users can read {home.home}." in done.stdout
    assert f"`chmod 700 {home.home}`" in done.stdout
    home.home.chmod(0o700)


def test_the_page_as_a_module_is_private_too(home: Settings, settings: Settings) -> None:
    """`python app.py` ends with a sentence where it cannot begin; what it wrote before is private."""
    home.home.mkdir()
    home.database_file.write_text("no database " * 100)

    env = environment(replace(home, comfy_dir=settings.comfy_dir))
    done = subprocess.run([sys.executable, "app.py"], env=env, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "ltx-studio doctor --repair" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert mode(home.home) == 0o700
