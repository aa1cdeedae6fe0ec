"""The process in which one target's cases run, one after another; its parent is `tests.fuzz.run`.

It writes one line of JSON before each case and one after it. A case that takes far too long is ended with the whole
process by the system, whatever it is doing; the parent then goes on behind it.
"""

import contextlib
import json
import os
import resource
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import corpus
from tests.fuzz.case import Case
from tests.fuzz.ground import Ground
from tests.fuzz.measure import MEMORY, Watch, measure
from tests.fuzz.targets import TARGETS

BATCH = 100
"""Cases that hypothesis draws at once."""
HOW = settings(
    derandomize=False,  # each batch has a seed of its own
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
REPOSITORY = Path(__file__).resolve().parents[2]


def main(root: str, target: str, first: int, count: int, seconds: float) -> None:
    """Run cases `first` to ``count - 1``, the corpus first."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123  (what libraries print goes nowhere)
        os.dup2(nothing.fileno(), 1)
    warnings.simplefilter("ignore")
    ground = Ground(Path(root))
    os.chdir(ground.samples)
    watch = _watch(ground)
    _warm_up(target, ground)
    _limit_memory()
    for number, name, case in _cases(target, ground, first, count):
        path = ground.cases / f"{target}-{number}{case.suffix}"
        path.write_bytes(case.data)
        print(json.dumps({"number": number, "name": name, "file": str(path)}), file=answers)
        act = TARGETS[target].act
        found = measure(partial(act, path, ground), watch, ground.canaries, seconds)
        print(
            json.dumps(
                {
                    "accepted": found.accepted,
                    "seconds": found.seconds,
                    "memory": found.memory,
                    "faults": [[fault.kind, fault.details] for fault in found.faults],
                }
            ),
            file=answers,
        )
        if not found.faults:  # else the parent takes it
            path.unlink(missing_ok=True)
    print(json.dumps({"done": True}), file=answers)


def run_file(root: str, target: str, file: Path, seconds: float) -> list[str]:
    """Run one stored case in this process, and return its faults."""
    ground = Ground(Path(root))
    os.chdir(ground.samples)
    watch = _watch(ground)
    _warm_up(target, ground)
    path = ground.cases / f"replayed{file.suffix}"
    path.write_bytes(file.read_bytes())
    found = measure(partial(TARGETS[target].act, path, ground), watch, ground.canaries, seconds)
    figures = f"{'accepted' if found.accepted else 'refused'}, {found.seconds:.2f} s, {found.memory / 1e6:.0f} MB"
    return [figures, *(f"{fault.kind}\n{fault.details}" for fault in found.faults)]


def _watch(ground: Ground) -> Watch:
    comfyui = Path(os.environ["LTX_STUDIO_COMFY_DIR"])
    return Watch(ground.home, ground.cases, readable=(REPOSITORY, ground.samples, comfyui))


def _warm_up(target: str, ground: Ground) -> None:
    """Import and load what the first case would pay for."""
    act = TARGETS[target].act
    for number in range(8):
        case = TARGETS[target].mutate(ground, Random(f"{target} warm {number}"))
        path = ground.cases / f"{target}-warm{case.suffix}"
        path.write_bytes(b"{}" if target in ("editor", "form", "recipe") else case.data[:2000])
        from tests.fuzz.measure import Attempts

        with contextlib.suppress(Exception):
            act(path, ground, Attempts())
    if target == "form":
        import gradio  # noqa: F401


def _limit_memory() -> None:
    """Let no case take so much that the machine suffers; what is too much is told by `measure`."""
    import psutil

    most = psutil.Process().memory_info().rss + 3 * MEMORY
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _cases(target: str, ground: Ground, first: int, count: int) -> Iterator[tuple[int, str, Case]]:
    """Each with its number and its name: of the corpus, then changed files and built ones by turns."""
    stored = list(corpus.cases(target).items())
    drawn: dict[int, list[Case]] = {}
    for number in range(first, max(count, len(stored))):
        if number < len(stored):
            yield number, stored[number][0], stored[number][1](ground)
        elif number % 2:
            yield number, "mutated", TARGETS[target].mutate(ground, Random(f"{target} {number}"))
        else:
            batch, place = divmod(number // 2, BATCH)
            if batch not in drawn:
                drawn = {batch: _drawn(target, ground, batch, min(BATCH, (count + 1) // 2))}
            yield number, "built", drawn[batch][place % len(drawn[batch])]


def _drawn(target: str, ground: Ground, number: int, count: int) -> list[Case]:
    """Return a batch of up to `count` cases that hypothesis draws, the same every time."""
    cases: list[Case] = []

    def note(case: Case) -> None:
        cases.append(case)

    seed(number)(settings(HOW, max_examples=count)(given(TARGETS[target].strategy(ground))(note)))()
    return cases
