"""The loop that every part is trained in: seeded steps, a curve on disk, a checkpoint from which it goes on."""

import csv
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor

from lab.contact_sheet import write_sheet
from lab.training.device import load, read
from lab.training.parallel import rank

Choice = TypeVar("Choice")


class Part(Protocol):
    """Something that is trained."""

    name: str
    steps: int
    """How many it takes in all."""

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        """Make one; the generator is seeded anew for each, so that a resumed training sees the same data."""

    def check(self) -> Mapping[str, float]:
        """Measure how good it is; where there is enough of it, on what it was not trained with."""

    def look(self) -> Tensor | None:
        """Clips to look at, (B, 3, F, H, W) of -1 to 1, where there is something to see."""

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to that."""

    def result(self) -> dict[str, Tensor]:
        """What came of it; asked for once, at the end."""

    def begin(self, result: Mapping[str, Tensor]) -> None:
        """Begin from what came of an earlier training."""


class NetPart:
    """A part that is one network and its optimiser."""

    net: Any
    _optimiser: Any

    def look(self) -> Tensor | None:
        return None

    def state_dict(self) -> dict[str, Any]:
        return {"net": self.net.state_dict(), "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self._optimiser.load_state_dict(state["optimiser"])

    def result(self) -> dict[str, Tensor]:
        return dict(self.net.state_dict())

    def begin(self, result: Mapping[str, Tensor]) -> None:
        self.net.load_state_dict(result)


def factor_at(index: int, steps: int, *, warm_up: int = 30, decay: float = 0.5) -> float:
    """The learning rate's factor: rises in `warm_up` steps, stays, falls to 2 % in the last `decay` of all steps."""
    rise = min(1.0, (index + 1) / warm_up)
    fall = min(1.0, max(0.02, (1 - index / steps) / decay)) if decay else 1.0
    return rise * fall


def generator_for(seed: int, *what: object) -> torch.Generator:
    """A generator that depends on the seed and on what it is for, and on nothing else."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return torch.Generator(torch.get_default_device()).manual_seed(int.from_bytes(digest[:7], "big"))


def one_of(shares: Mapping[Choice, float], generator: torch.Generator) -> Choice:
    """One of the keys, each drawn as often as its share of all."""
    drawn = torch.multinomial(torch.tensor([float(each) for each in shares.values()]), 1, generator=generator)
    return list(shares)[int(drawn)]


def train(
    part: Part,
    folder: Path,
    *,
    seed: int = 0,
    check_every: int = 200,
    keep_every: float = 60.0,
    further: bool = False,
    shown: bool = True,
) -> None:
    """Train to the end, from the last checkpoint on where there is one.

    In the folder are a checkpoint, a curve, a contact sheet of what can be seen, and at the end what came of it.

    Args:
        part: What is trained.
        folder: Where its checkpoint and its curve are kept.
        seed: Of all data and noise.
        check_every: Steps between measurements.
        keep_every: Seconds between checkpoints.
        further: Whether a part that has ended is trained for its steps once more, on other data, from what came of it.
        shown: Whether there are contact sheets.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, curve = folder / f"{part.name}.pt", folder / f"{part.name}.csv"
    start = again = 0
    state = load(checkpoint) if checkpoint.exists() else None
    if further and not (state and state["step"] < state["steps"]):
        part.begin(result_of(folder, part.name))
        again = state["again"] + 1 if state else 1
    elif state:
        part.load_state_dict(state["part"])
        start, again = state["step"], state["again"]
        part.steps = state["steps"] if further else part.steps  # the end that was set when it began
    what = (part.name, again) if again else (part.name,)  # other data each time
    kept = began = time.monotonic()
    sums: dict[str, float] = {}
    for index in range(start, part.steps):
        torch.manual_seed(seed * 1_000_003 + 7 * index + rank() + 15_485_863 * again)
        for key, value in part.step(index, generator_for(seed, *what, index, rank())).items():
            sums[key] = sums.get(key, 0.0) + value
        last = index + 1 == part.steps
        if rank():
            continue
        if (index + 1) % check_every == 0 or last:
            taken = (index % check_every) + 1
            row = {"step": index + 1, "seconds": round(time.monotonic() - began, 1)}
            row |= {key: round(value / taken, 5) for key, value in sums.items()}
            row |= {key: round(value, 4) for key, value in part.check().items()}
            _append(curve, row)
            print(part.name, row, flush=True)
            _show(part.look() if shown else None, folder / f"{part.name}.webp")
            sums = {}
        if time.monotonic() - kept > keep_every or last:
            state = {"part": part.state_dict(), "step": index + 1, "steps": part.steps, "again": again}
            _save(state, checkpoint)
            kept = time.monotonic()
    if not rank():
        tensors = {key: value.detach().contiguous() for key, value in part.result().items()}
        save_file(tensors, folder / f"{part.name}.safetensors")


def has_ended(folder: Path, name: str) -> bool:
    """Whether something came of the training of the part of that name."""
    return (folder / f"{name}.safetensors").exists()


def result_of(folder: Path, name: str) -> dict[str, Tensor]:
    """What came of the training of the part of that name."""
    return read(folder / f"{name}.safetensors")


def _append(path: Path, row: Mapping[str, float]) -> None:
    """Add a row; columns are those of the first."""
    columns = list(row)
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            columns = next(csv.reader(file))
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        if not file.tell():
            writer.writeheader()
        writer.writerow(row)


def _show(clips: Tensor | None, path: Path) -> None:
    if clips is not None:
        pictures = ((clips.float() + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 4, 1)
        write_sheet(list(pictures.cpu().numpy()), path)


def _save(state: Mapping[str, Any], path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}.part")
    torch.save(state, partial)
    partial.replace(path)
