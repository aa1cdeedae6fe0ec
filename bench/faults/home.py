"""A studio home for one series of faults, and checks that it has lost nothing."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av

from ltx_studio.settings import Settings, get_settings

REQUEST = {"prompt": "a red ball bounces to the right", "seconds": 0.7, "width": 128, "height": 128}
"""17 frames of 128×128: a second or less on the pocket model."""
COMMAND_SECONDS = 180


@dataclass(slots=True)
class Report:
    """The findings of a series; `failures` are sentences."""

    name: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.failures.append(otherwise)
            print(f"  FAIL {self.name}: {otherwise}", flush=True)

    def __str__(self) -> str:
        result = "ok" if not self.failures else f"{len(self.failures)} FAILED"
        return f"{self.name:<44} {self.tried:>4} tried  {result}"


@dataclass(frozen=True, slots=True)
class Home:
    """A separate home on the installed ComfyUI and pocket model."""

    settings: Settings

    @classmethod
    def make(cls, folder: Path) -> "Home":
        """Make an empty home in `folder`, with links to what set-up has installed."""
        installed = get_settings()
        home = folder / "home"
        home.mkdir(parents=True)
        for name in ("models", "comfyui"):
            (home / name).symlink_to(installed.home / name)
        return cls(replace(installed, home=home, model_dirs=()))

    def environment(self) -> dict[str, str]:
        return {**os.environ, "LTX_STUDIO_HOME": str(self.settings.home), "OMP_NUM_THREADS": "1"}

    def start(self, *arguments: str, trap: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start a command in a separate process; `trap` are the arguments of `bench.faults.trap`."""
        command = ["bench.faults.trap", *trap, "--"] if trap else ["ltx_studio"]
        return subprocess.Popen(
            [sys.executable, "-m", *command, *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, trap: Sequence[str] = ()) -> tuple[int, str]:
        """Run a command to its end; return its exit code and output."""
        process = self.start(*arguments, trap=trap)
        try:
            said, _ = process.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            return -1, f"no end within {COMMAND_SECONDS} s: {said}"
        return process.returncode, said

    def add(self, count: int, first_seed: int = 0) -> list[str]:
        """Queue `count` requests; return their ids."""
        table = self.settings.home.parent / "requests.jsonl"
        lines = [json.dumps({"mode": "t2v", **REQUEST, "seed": first_seed + each}) for each in range(count)]
        table.write_text("\n".join(lines), encoding="utf-8")
        code, said = self.run("jobs", "add", str(table), "--json")
        assert code == 0, said
        ids: list[str] = json.loads(said.splitlines()[-1])["jobs"]
        return ids

    def states(self) -> dict[str, str]:
        """Return job id → state, read from the database."""
        with self._rows() as connection:
            return dict(connection.execute("SELECT id, state FROM jobs").fetchall())

    def takes(self) -> dict[str, Path]:
        """Return job id → file of its take."""
        with self._rows() as connection:
            rows = connection.execute("SELECT job, file FROM takes").fetchall()
        return {job: self.settings.outputs_dir / file for job, file in rows}

    def _rows(self) -> sqlite3.Connection:
        return sqlite3.connect(self.settings.database_file, timeout=60)

    def check(self, report: Report, when: str) -> None:
        """Check that the database is intact and that every finished job has one take, which plays."""
        with self._rows() as connection:
            (said,) = connection.execute("PRAGMA integrity_check").fetchone()
        report.expect(said == "ok", f"{when}: the database is damaged: {said}")
        takes = self.takes()
        for job, state in self.states().items():
            report.expect((state == "done") == (job in takes), f"{when}: job {job} is {state}, take: {job in takes}")
        for job, file in takes.items():
            report.expect(plays(file), f"{when}: the clip of job {job} does not play")

    def check_end(self, report: Report, jobs: Sequence[str]) -> None:
        """Check, after everything has run, that no job is lost or duplicated and nothing is left over."""
        self.check(report, "at the end")
        states = self.states()
        report.expect(all(states.get(job) == "done" for job in jobs), f"at the end, not all is done: {states}")
        clips = [path for path in self.settings.outputs_dir.rglob("*") if path.is_file()]
        report.expect(len(clips) == len(self.takes()), f"{len(clips)} files for {len(self.takes())} takes")
        left = list(self.left_over())
        report.expect(not left, f"left over: {[path.name for path in left]}")
        code, said = self.run("doctor")
        report.expect(code == 0, f"doctor: {said}")

    def left_over(self) -> Iterator[Path]:
        """Yield files that unfinished work has left."""
        yield from self.settings.home.rglob("*.part")
        if self.settings.staging_dir.exists():
            yield from self.settings.staging_dir.iterdir()

    def finish(self, report: Report, jobs: Sequence[str]) -> None:
        """Run the waiting jobs; one that was killed twice, or met a full disk, fails by design and is retried."""
        for _ in range(3):
            code, said = self.run("jobs", "run")
            report.expect(code in (0, 1), f"jobs run ended with {code}: {said[-500:]}")
            failed = [job for job in jobs if self.states().get(job) == "failed"]
            for job in failed:
                _, shown = self.run("jobs", "show", job)
                known = "twice" in shown or "disk is full" in shown
                report.expect(known, f"job {job} failed for another reason: {shown[-300:]}")
                self.run("jobs", "retry", job)
            if not failed:
                return


def plays(file: Path) -> bool:
    """Return whether every frame of a clip can be decoded."""
    try:
        with av.open(file) as container:
            return sum(1 for _ in container.decode(video=0)) > 0
    except (OSError, av.error.FFmpegError):
        return False
