"""kill -9 at random moments and at chosen places: nothing is lost or duplicated."""

import random
import signal
import time
from pathlib import Path

from bench.faults.home import Home, Report

PLACES = (
    "ltx_studio.queue.queue:Queue.claim",
    "ltx_studio.queue.queue:Queue.recover",
    "ltx_studio.queue.queue:Queue.finish",
    "ltx_studio.takes.take_store:TakeStore.sweep",
    "ltx_studio.takes.take_store:TakeStore.keep",
    "ltx_studio.takes.recipes:write",
    "ltx_studio.takes.take_store:write_poster",
    "ltx_studio.takes.take_store:measure",
    "ltx_studio.engine.run_folders:RunFolder.finish",
    "ltx_studio.engine.run_folders:discard_run",
    "ltx_studio.engine.cache:forget",
)
"""Where a run claims its job, hands over its clip, and records it."""
JOBS = 6
LONGEST_SECONDS = 14.0


def at_random_moments(folder: Path, kills: int, seed: int) -> Report:
    """Kill `serve` at random moments while it starts and works on a queue."""
    report, home, draw = Report("kill -9 of serve at random moments"), Home.make(folder), random.Random(seed)
    jobs: list[str] = []
    for number in range(kills):
        if sum(state in ("queued", "running") for state in home.states().values()) < 2 if jobs else True:
            jobs += home.add(JOBS, first_seed=len(jobs))
        process = home.start("serve")
        time.sleep(draw.uniform(0, LONGEST_SECONDS))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        report.tried += 1
        home.check(report, f"after kill {number + 1}")
    home.finish(report, jobs)
    home.check_end(report, jobs)
    return report


def at_chosen_places(folder: Path, rounds: int) -> Report:
    """Kill `jobs run` before and after each place, at the first and the second call."""
    report, home = Report("kill -9 of jobs run at chosen places"), Home.make(folder)
    jobs: list[str] = []
    for number in range(rounds):
        for place in PLACES:
            for when in ("before", "after"):
                waiting = sum(state in ("queued", "running") for state in home.states().values()) if jobs else 0
                if waiting < 3:
                    jobs += home.add(3, first_seed=len(jobs))
                home.run("jobs", "run", trap=("kill", place, when, str(1 + number % 2)))
                report.tried += 1
                home.check(report, f"killed {when} call {1 + number % 2} of {place}")
    home.finish(report, jobs)
    home.check_end(report, jobs)
    return report


def of_commands(folder: Path, kills: int, seed: int) -> Report:
    """Kill `generate --out`, `takes prune`, `jobs add` and `doctor --repair` at random moments."""
    report, home, draw = Report("kill -9 of commands at random moments"), Home.make(folder), random.Random(seed)
    jobs = home.add(2)
    home.finish(report, jobs)
    out = folder / "out"
    request = ("--seconds", "0.7", "--width", "128", "--height", "128", "--prompt", "a red ball")
    commands = (
        (("generate", "t2v", *request, "--out", str(out / "clip.mp4")), 12.0),
        (("takes", "prune", "--keep", "3"), 1.2),
        (("jobs", "add", str(folder / "requests.jsonl")), 1.5),
        (("doctor", "--repair"), 2.0),
    )
    for number in range(kills):
        command, longest = commands[number % len(commands)]
        process = home.start(*command)
        time.sleep(draw.uniform(0, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        report.tried += 1
        home.check(report, f"after the kill of {' '.join(command[:2])}")
        clip = out / "clip.mp4"
        if clip.exists():
            report.expect(clip.stat().st_size > 1000, "half a clip is at --out")
            clip.unlink()
    everything = list(home.states())
    home.finish(report, everything)
    code, said = home.run("generate", "t2v", *request, "--out", str(out / "clip.mp4"))
    report.expect(code == 0, f"generate at the end: {said[-300:]}")
    left = sorted(path.name for path in out.iterdir())
    report.expect(left == ["clip.mp4"], f"left beside --out: {left}")
    home.check(report, "at the end")
    return report
