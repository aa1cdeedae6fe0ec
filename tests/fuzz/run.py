"""Running a target's cases in a process that can be ended, and telling what was found."""

import json
import multiprocessing
import os
import select
import shutil
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.fuzz.child import REPOSITORY, main

_FORKS = multiprocessing.get_context("forkserver")

WALL_SECONDS = 240
"""After which a case is ended that does not even use the processor."""


@dataclass(slots=True)
class Found:
    """One kind of fault: how often, what it said, and the smallest input that shows it."""

    count: int = 0
    details: str = ""
    file: Path | None = None
    size: int = 0


@dataclass(slots=True)
class Report:
    """Of one target."""

    target: str
    cases: int = 0
    accepted: int = 0
    slowest: float = 0.0
    memory: int = 0
    names: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Found] = field(default_factory=dict)

    def add(self, kind: str, details: str, file: Path, folder: Path, name: str) -> None:
        """Note a fault, and keep its input when it is the smallest so far."""
        found = self.faults.setdefault(kind, Found())
        found.count += 1
        if not file.is_file():
            return
        size = file.stat().st_size
        if found.file is None or size < found.size:
            folder.mkdir(parents=True, exist_ok=True)
            if found.file is not None:
                found.file.unlink(missing_ok=True)
            found.size, found.details = size, details
            found.file = Path(shutil.copyfile(file, folder / f"{list(self.faults).index(kind) + 1}-{file.name}"))

    def __str__(self) -> str:
        refused = self.cases - self.accepted
        lines = [
            f"{self.target}: {self.cases} cases, {self.accepted} accepted, {refused} refused; "
            f"slowest {self.slowest:.2f} s, most memory {self.memory / 1e6:.0f} MB"
        ]
        for kind, found in sorted(self.faults.items()):
            lines.append(f"  {found.count} × {kind}")
            lines.append(f"      replay: python -m tests.fuzz.replay {self.target} {found.file}")
            lines += [f"      {line[:300]}" for line in found.details.splitlines()[-4:]]
        return "\n".join(lines)


def run(target: str, count: int, root: Path, environment: Mapping[str, str], seconds: float, faults: Path) -> Report:
    """Run `count` cases of a target.

    Args:
        target: Of `TARGETS`.
        count: At least those of the corpus are run.
        root: Made by `ground.prepare`.
        environment: Of the process.
        seconds: Of processor time that a case may take.
        faults: Where inputs are written that show a fault.
    """
    report = Report(target)
    going_on: int | None = 0
    while going_on is not None:
        going_on = _run_from(going_on, report, count, root, environment, seconds, faults)
    return report


def _run_from(
    first: int, report: Report, count: int, root: Path, environment: Mapping[str, str], seconds: float, faults: Path
) -> int | None:
    """Run cases from `first` on; the number to go on with when one ended the process, None when all are done."""
    _FORKS.set_forkserver_preload(["tests.fuzz.child"])
    log = root / f"{report.target}.log"
    answers, written = _FORKS.Pipe(duplex=False)
    arguments = (str(root), report.target, first, count, seconds)
    child = _FORKS.Process(target=_become, args=(written, log, dict(environment), arguments))
    child.start()
    written.close()
    started: dict[str, Any] = {}
    buffer = b""
    try:
        while select.select([answers], [], [], WALL_SECONDS)[0]:
            piece = os.read(answers.fileno(), 1 << 20)
            buffer += piece
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                said = json.loads(line)
                if said.get("done"):
                    return None
                if "number" in said:
                    started = said
                    continue
                _note(report, said, started, faults)
                started = {}
            if not piece:
                break
    finally:
        child.kill()
        child.join()
        code = child.exitcode or 0
        answers.close()
    if not started:
        raise RuntimeError(f"the process of {report.target} ended between two cases: {log.read_text()}")
    kind, details = _why(code, seconds)
    report.cases += 1
    file = Path(started["file"])
    report.add(kind, details, file, faults, started["name"])
    file.unlink(missing_ok=True)
    return int(started["number"]) + 1


def _become(answers: Connection, log: Path, environment: Mapping[str, str], arguments: tuple[Any, ...]) -> None:
    """Run the cases in this process, which was forked from one that has imported what they need."""
    os.dup2(answers.fileno(), 1)
    answers.close()
    with log.open("ab") as errors:
        os.dup2(errors.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(REPOSITORY)
    main(*arguments)


def _note(report: Report, said: Mapping[str, Any], started: Mapping[str, Any], faults: Path) -> None:
    report.cases += 1
    report.accepted += said["accepted"]
    report.names[started["name"]] += 1
    report.slowest = max(report.slowest, said["seconds"])
    report.memory = max(report.memory, said["memory"])
    file = Path(started["file"])
    for kind, details in said["faults"]:
        report.add(kind, details, file, faults, started["name"])
    if said["faults"]:
        file.unlink(missing_ok=True)


def _why(code: int, seconds: float) -> tuple[str, str]:
    if code == -signal.SIGPROF:
        return "endless", f"more than {seconds * 5:.0f} s of processor time"
    if code == -signal.SIGKILL:
        return "endless", f"no answer in {WALL_SECONDS} s"
    return f"crash ({code})", "the process ended"
