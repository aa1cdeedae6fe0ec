"""The training loop of every part: seeded steps, a curve on disk, a checkpoint for resuming."""

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
    """A part that can be trained."""

    name: str
    steps: int
    """Total number of steps."""

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        """Run one step; the generator is re-seeded for each, so that a resumed training sees the same data."""

    def check(self) -> Mapping[str, float]:
        """Measure the quality, if possible on data not used for training."""

    def look(self) -> Tensor | None:
        """Return clips to look at, (B, 3, F, H, W) from -1 to 1, if there is something to see."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore such a state."""

    def result(self) -> dict[str, Tensor]:
        """Return the result; called once, at the end."""

    def begin(self, result: Mapping[str, Tensor]) -> None:
        """Start from the result of an earlier training."""


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
    """Return the learning rate's factor: rises for `warm_up` steps, stays, falls to 2 % in the last `decay`."""
    rise = min(1.0, (index + 1) / warm_up)
    fall = min(1.0, max(0.02, (1 - index / steps) / decay)) if decay else 1.0
    return rise * fall


def generator_for(seed: int, *what: object) -> torch.Generator:
    """Return a generator that depends only on the seed and its purpose."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return torch.Generator(torch.get_default_device()).manual_seed(int.from_bytes(digest[:7], "big"))


def one_of(shares: Mapping[Choice, float], generator: torch.Generator) -> Choice:
    """Return one of the keys, drawn with a probability proportional to its share."""
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
    """Train to the end, from the last checkpoint if there is one.

    The folder receives a checkpoint, a curve, a contact sheet if there are pictures, and finally the result.

    Args:
        part: The part to train.
        folder: The folder for its checkpoint and its curve.
        seed: Seed of all data and noise.
        check_every: Steps between measurements.
        keep_every: Seconds between checkpoints.
        further: Whether to train a finished part for its steps once more, on other data, from its result.
        shown: Whether to write contact sheets.
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
        part.steps = state["steps"] if further else part.steps  # the end set at its start
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
    """Return whether the training of a part has a result."""
    return (folder / f"{name}.safetensors").exists()


def result_of(folder: Path, name: str) -> dict[str, Tensor]:
    """Return the result of a part's training."""
    return read(folder / f"{name}.safetensors")


def _append(path: Path, row: Mapping[str, float]) -> None:
    """Append a row; the columns are those of the first."""
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
