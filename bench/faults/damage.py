"""Damaged databases: every command names the repair, and the repair recovers every clip."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from bench.faults.home import Home, Report

PAGE = 4096
COMMANDS = (
    ("jobs", "list"),
    ("takes", "list"),
    ("jobs", "run"),
    ("serve", "--port", "7999"),
    ("generate", "t2v", "--prompt", "a red ball"),
    ("doctor",),
)


def _noise(file: Path, start: int, end: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(os.urandom(max(0, min(end, file.stat().st_size) - start)))


def _other_database(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE jobs (name TEXT)")


KINDS: dict[str, Callable[[Path], object]] = {
    "noise in the first page": lambda file: _noise(file, 0, PAGE),
    "noise in the third page": lambda file: _noise(file, 2 * PAGE, 3 * PAGE),
    "noise in the last pages": lambda file: _noise(file, file.stat().st_size - 4 * PAGE, file.stat().st_size),
    "noise in all pages but the first": lambda file: _noise(file, PAGE, file.stat().st_size),
    "cut in half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "a text file": lambda file: file.write_text("this is not a database\n" * 500, encoding="utf-8"),
    "another database": _other_database,
    "all zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


def damaged(folder: Path) -> Report:
    """Damage the database in each way, and run the repair that the commands name."""
    report, home = Report("eight kinds of damaged database"), Home.make(folder / "damage")
    jobs = home.add(3)
    home.finish(report, jobs)
    database = home.settings.database_file
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = shutil.copy(database, folder / "whole.db")
    for name, damage in KINDS.items():
        _put_back(home, Path(whole))
        damage(database)
        for command in COMMANDS:
            code, said = home.run(*command)
            report.tried += 1
            foreign = "Something unexpected" in said or "Traceback" in said
            report.expect(not foreign, f"{name}: {command[0]} says {said[-300:]}")
            noticed = code == 1 and "doctor --repair" in said
            may_work = code == 0 and command[0] in ("jobs", "takes")  # the parts it reads may be intact
            report.expect(noticed or may_work, f"{name}: {command[0]} ended with {code}: {said[-300:]}")
        _follow_the_repair(report, home, name)
    return report


def _put_back(home: Home, whole: Path) -> None:
    database = home.settings.database_file
    for path in home.settings.home.glob("studio.db*"):
        path.unlink()
    shutil.copy(whole, database)


def _follow_the_repair(report: Report, home: Home, name: str) -> None:
    _, said = home.run("doctor", "--repair")
    if "Move it away" in said:
        home.settings.database_file.replace(home.settings.home / "damaged.db")
        for path in home.settings.home.glob("studio.db-*"):
            path.unlink()
        home.run("doctor", "--repair")
    code, listed = home.run("takes", "list")
    found = sum(line.strip() != "" for line in listed.splitlines())
    report.expect(code == 0 and found == 3, f"{name}: the repair finds {found} of 3 clips: {said[-300:]} {listed}")
