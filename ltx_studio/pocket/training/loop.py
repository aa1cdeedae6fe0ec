"""The loop that every part is trained in: seeded steps, a curve on disk, a checkpoint from which it goes on."""

import csv
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ltx_studio.pocket.training.parallel import rank


class Part(Protocol):
    """Something that is trained."""

    name: str
    steps: int
    """How many it takes in all."""

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        """Make one; the generator is seeded anew for each, so that a resumed training sees the same data."""

    def check(self) -> Mapping[str, float]:
        """Measure how good it is, on what it was not trained with."""

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to that."""

    def result(self) -> dict[str, Tensor]:
        """What came of it; asked for once, at the end."""


def factor_at(index: int, steps: int, *, warm_up: int = 30, decay: float = 0.5) -> float:
    """The learning rate's factor: rises in `warm_up` steps, stays, falls to 2 % in the last `decay` of all steps."""
    rise = min(1.0, (index + 1) / warm_up)
    fall = min(1.0, max(0.02, (1 - index / steps) / decay)) if decay else 1.0
    return rise * fall


def generator_for(seed: int, *what: object) -> torch.Generator:
    """A generator that depends on the seed and on what it is for, and on nothing else."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def train(part: Part, folder: Path, *, seed: int = 0, check_every: int = 200, keep_every: float = 60.0) -> None:
    """Train to the end, from the last checkpoint on where there is one.

    Args:
        part: What is trained.
        folder: Where its checkpoint and its curve are kept.
        seed: Of all data and noise.
        check_every: Steps between measurements.
        keep_every: Seconds between checkpoints.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, curve = folder / f"{part.name}.pt", folder / f"{part.name}.csv"
    start = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        part.load_state_dict(state["part"])
        start = state["step"]
    kept = began = time.monotonic()
    sums: dict[str, float] = {}
    for index in range(start, part.steps):
        torch.manual_seed(seed * 1_000_003 + 7 * index + rank())
        for key, value in part.step(index, generator_for(seed, part.name, index, rank())).items():
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
            print(part.name, row, flush=True)  # noqa: T201
            sums = {}
        if time.monotonic() - kept > keep_every or last:
            _save({"part": part.state_dict(), "step": index + 1}, checkpoint)
            kept = time.monotonic()
    if not rank():
        tensors = {key: value.detach().contiguous() for key, value in part.result().items()}
        save_file(tensors, folder / f"{part.name}.safetensors")


def result_of(folder: Path, name: str) -> dict[str, Tensor]:
    """What came of the training of the part of that name."""
    return dict(load_file(folder / f"{name}.safetensors"))


def _append(path: Path, row: Mapping[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def _save(state: Mapping[str, Any], path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}.part")
    torch.save(state, partial)
    partial.replace(path)
