import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from lab.training.loop import factor_at, generator_for, one_of, result_of, train
from lab.training.optimiser import Muon, orthogonalise


class Line:
    """Learns to multiply by a matrix, from noisy examples."""

    name = "line"

    def __init__(self, steps: int, *, stop_at: int | None = None) -> None:
        self.steps, self._stop_at = steps, stop_at
        torch.manual_seed(0)
        self.matrix = torch.nn.Parameter(torch.randn(8, 8) * 0.1)
        self.bias = torch.nn.Parameter(torch.zeros(8))
        self._optimiser = Muon([self.matrix, self.bias], matrices=0.05, others=0.05)

    def step(self, index: int, generator: torch.Generator) -> Mapping[str, float]:
        if index == self._stop_at:
            raise KeyboardInterrupt
        x = torch.randn(16, 8, generator=generator)
        loss = (x @ self.matrix.T + self.bias - x.flip(1) + 0.01 * torch.randn(16, 8)).square().mean()
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step(factor_at(index, self.steps))
        return {"loss": loss.item()}

    def check(self) -> Mapping[str, float]:
        return {"error": float((self.matrix.detach() - torch.eye(8).flip(0)).abs().mean())}

    def look(self) -> Tensor:
        return self.matrix.detach().expand(2, 3, 5, 8, 8)

    def state_dict(self) -> dict[str, Any]:
        return {"matrix": self.matrix, "bias": self.bias, "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        with torch.no_grad():
            self.matrix.copy_(state["matrix"])
            self.bias.copy_(state["bias"])
        self._optimiser.load_state_dict(state["optimiser"])

    def result(self) -> dict[str, Tensor]:
        return {"matrix": self.matrix, "bias": self.bias}

    def begin(self, result: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            self.matrix.copy_(result["matrix"])
            self.bias.copy_(result["bias"])


def test_it_learns_and_keeps_a_curve_and_a_contact_sheet(tmp_path: Path) -> None:
    train(Line(200), tmp_path, check_every=50)

    with (tmp_path / "line.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["50", "100", "150", "200"]
    assert float(rows[-1]["error"]) < 0.25 * float(rows[0]["error"])
    assert Image.open(tmp_path / "line.webp").size == (6 * 128, 2 * 96)


def test_what_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(Line(60), whole, check_every=20)

    with pytest.raises(KeyboardInterrupt):
        train(Line(60, stop_at=37), broken, check_every=20, keep_every=0)
    train(Line(60), broken, check_every=20)

    one, other = result_of(whole, "line"), result_of(broken, "line")
    assert one["matrix"].equal(other["matrix"])
    assert one["bias"].equal(other["bias"])


def test_what_has_ended_is_not_trained_again(tmp_path: Path) -> None:
    train(Line(10), tmp_path)
    before = result_of(tmp_path, "line")
    train(Line(10, stop_at=0), tmp_path)

    assert result_of(tmp_path, "line")["matrix"].equal(before["matrix"])


def test_what_has_ended_is_trained_further_when_asked_to(tmp_path: Path) -> None:
    train(Line(40), tmp_path)
    before = result_of(tmp_path, "line")
    train(Line(120), tmp_path, further=True)
    once = result_of(tmp_path, "line")

    def error(result: Mapping[str, Tensor]) -> float:
        return float((result["matrix"] - torch.eye(8).flip(0)).abs().mean())

    assert error(once) < 0.5 * error(before)


def test_a_further_training_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        train(Line(20), folder)
    train(Line(60), whole, further=True)

    with pytest.raises(KeyboardInterrupt):
        train(Line(60, stop_at=37), broken, keep_every=0, further=True)
    train(Line(30), broken, further=True)  # fewer than are done already: it goes on to the end it had

    assert result_of(whole, "line")["matrix"].equal(result_of(broken, "line")["matrix"])


def test_randomness_depends_on_what_it_is_for() -> None:
    def draw(*what: object) -> Tensor:
        return torch.rand(4, generator=generator_for(*what))  # type: ignore[arg-type]

    assert draw(0, "a", 1).equal(draw(0, "a", 1))
    assert not draw(0, "a", 1).equal(draw(0, "a", 2))
    assert not draw(0, "a", 1).equal(draw(1, "a", 1))


@pytest.mark.parametrize("shape", [(16, 64), (64, 16), (32, 32)])
def test_muon_makes_matrices_nearly_orthogonal(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(2, *shape)))

    assert values.max() < 1.4
    assert values.median() > 0.5


def test_each_is_drawn_by_its_share() -> None:
    generator = generator_for(0)

    drawn = [one_of({"often": 3, "seldom": 1, "never": 0}, generator) for _ in range(400)]

    assert "never" not in drawn
    assert 0.7 < drawn.count("often") / len(drawn) < 0.8


@pytest.mark.parametrize(("smallest", "learns"), [(6, True), (8, False)])
def test_a_matrix_of_a_low_rank_counts_as_one_where_that_is_said(smallest: int, learns: bool) -> None:
    """Cameras' LoRAs have rank 6: taken for something else, they were trained hardly at all."""
    matrix = torch.nn.Parameter(torch.zeros(6, 32))
    optimiser = Muon([matrix], matrices=0.1, others=0.0, smallest=smallest)
    matrix.grad = torch.randn(6, 32, generator=generator_for(0))

    optimiser.step()

    assert bool(matrix.abs().sum() > 0) is learns
