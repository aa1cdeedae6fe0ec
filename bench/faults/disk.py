"""Full, missing and locked disks: jobs wait and finish once, and messages are correct. Needs root, for mounts."""

import contextlib
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench.faults.home import Home, Report
from bench.faults.trap import fill_with

SIZE = "1300m"
"""Disk size, above the gigabyte below which `doctor` asks for space."""
FULL_SECONDS = 12.0
"""Seconds that the disk stays full; the studio retries several times meanwhile."""
LOCKED_SECONDS = 35.0
PLACES = (
    ("ltx_studio.runners.local:LocalRunner.prepare", "after"),
    ("ltx_studio.engine.run_folders:RunFolder.finish", "before"),
    ("ltx_studio.takes.take_store:TakeStore.keep", "before"),
    ("ltx_studio.takes.take_store:write_poster", "before"),
    ("ltx_studio.queue.queue:Queue.finish", "before"),
)
LIES = ("twice", "Something unexpected", "report it")


def full_at_each_place(folder: Path) -> Report:
    """Fill the disk at one place and free space after a while; check that every job finishes once."""
    report = Report("disk full at a chosen place, then room")
    for number, (place, when) in enumerate(PLACES):
        with _disk(folder / f"full-{number}") as disk:
            home = Home.make(disk)
            jobs = home.add(3)
            room = threading.Thread(target=_make_room, args=(home.settings.home / "filler",), daemon=True)
            room.start()
            _, said = home.run("jobs", "run", trap=("fill", place, when, "1"))
            report.tried += 1
            report.expect(not any(lie in said for lie in LIES), f"{place}: it says {said[-400:]}")
            home.finish(report, jobs)
            home.run("doctor", "--repair")  # a poster that could not be written is made later
            home.check_end(report, jobs)
    return report


def full_from_the_start(folder: Path) -> Report:
    """Check that every command on a full disk ends with a sentence and a remedy, and that clips can be deleted."""
    report = Report("disk full from the start")
    with _disk(folder / "start") as disk:
        home = Home.make(disk)
        home.finish(report, home.add(3))
        fill_with(disk / "filler")
        for command in (("doctor",), ("jobs", "list"), ("takes", "list"), ("generate", "t2v", "--prompt", "a")):
            _expect_sentence(report, home, *command)
        code, said = home.run("takes", "prune", "--keep", "1")
        report.expect(code == 0 and len(home.takes()) == 1, f"clips cannot be deleted: {said[-400:]}")
        clips = [*home.settings.outputs_dir.rglob("*.mp4")]
        report.expect(len(clips) == 1, f"{len(clips)} files are left")
        jobs = home.add(1, first_seed=7)
        home.finish(report, jobs)
        report.tried += 1
    return report


def read_only_home(folder: Path) -> Report:
    """Check that every command in a read-only home says so."""
    report = Report("read-only home")
    with _disk(folder / "ro") as disk:
        home = Home.make(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for command in (("jobs", "list"), ("takes", "list"), ("generate", "t2v", "--prompt", "a"), ("doctor",)):
            said = _expect_sentence(report, home, *command)
            report.expect("read-only" in said.lower(), f"{command}: it does not say read-only: {said[-300:]}")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    return report


def outputs_away(folder: Path) -> Report:
    """Remove the outputs' disk, make new clips, run `doctor --repair`, and restore the disk."""
    report, home = Report("the outputs' disk is away for a while"), Home.make(folder / "away")
    home.settings.outputs_dir.mkdir()
    with _disk(home.settings.outputs_dir):
        first = home.add(3)
        home.finish(report, first)
        kept = folder / "kept"
        subprocess.run(["cp", "-a", str(home.settings.outputs_dir), str(kept)], check=True)
    second = home.add(2, first_seed=3)
    home.finish(report, second)
    code, said = home.run("doctor")
    report.expect(code == 1 and "3" in said, f"doctor does not tell of the missing clips: {said}")
    home.run("doctor", "--repair")
    report.expect(len(home.takes()) == 5, f"{5 - len(home.takes())} rows were deleted")
    subprocess.run(["cp", "-a", f"{kept}/.", str(home.settings.outputs_dir)], check=True)
    home.run("doctor", "--repair")
    home.check_end(report, [*first, *second])
    report.tried += 1
    return report


def locked(folder: Path) -> Report:
    """Lock the database for a while, and check that work continues afterwards."""
    report, home = Report(f"database locked for {LOCKED_SECONDS:.0f} s"), Home.make(folder / "locked")
    jobs = home.add(4)
    process = home.start("jobs", "run")
    while "running" not in home.states().values():
        time.sleep(0.1)
    with contextlib.closing(sqlite3.connect(home.settings.database_file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        _, said = home.run("jobs", "list")
        report.expect(not any(lie in said for lie in LIES), f"jobs list says {said[-300:]}")
        time.sleep(max(0.0, LOCKED_SECONDS - 30))
        connection.execute("ROLLBACK")
    process.communicate(timeout=120)
    report.tried += 1
    home.finish(report, jobs)
    home.check_end(report, jobs)
    return report


def _expect_sentence(report: Report, home: Home, *command: str) -> str:
    code, said = home.run(*command)
    report.tried += 1
    report.expect(code in (0, 1), f"{command} ended with {code}: {said[-300:]}")
    wrong = "Traceback" in said or any(lie in said for lie in LIES)
    report.expect(not wrong, f"{command}: {said[-400:]}")
    return said


def _make_room(filler: Path) -> None:
    while not filler.exists():
        time.sleep(0.05)
    time.sleep(FULL_SECONDS)
    filler.unlink()


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    """Mount a small separate disk in memory and yield its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
