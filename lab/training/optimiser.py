"""Optimiser of the trainings: Muon for matrices, Adam for the rest.

Muon: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from lab.training.parallel import average_gradients, share

_COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Coefficients of the quintic Newton-Schulz iteration, from Muon."""


def orthogonalise(matrices: Tensor, steps: int = 4) -> Tensor:
    """Return the approximate nearest orthogonal matrices; (..., M, N).

    Each step multiplies from the left by a polynomial of the Gram matrix, so only that small one is iterated.
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = x @ x.mT
    identity = torch.eye(gram.shape[-1])
    product = identity
    for _ in range(steps):
        factor = a * identity + b * gram + c * gram @ gram
        product = factor @ product
        gram = factor @ gram @ factor
    x = product @ x
    return x.mT if tall else x


class Muon:
    """An optimiser whose learning rates are given with each step.

    Its updates are equally large whatever the gradients, so matrices that do not learn yet drift away;
    weight decay, for matrices only, limits that.

    Args:
        parameters: The parameters to train.
        matrices: Learning rate of matrices, by orthogonal updates.
        others: Learning rate of everything else, by Adam.
        momentum: Momentum of the matrices' gradients.
        weight_decay: Weight decay of matrices.
        smallest: Minimum rows and columns of a matrix; smaller ones count as everything else.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        matrices: float,
        others: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        smallest: int = 8,
    ) -> None:
        every = [parameter for parameter in parameters if parameter.requires_grad]
        self._matrices = [each for each in every if _is_matrix(each, smallest)]
        rest = [each for each in every if not _is_matrix(each, smallest)]
        self._every = every
        share(every)
        self._adam = torch.optim.Adam(rest or [torch.zeros(1, requires_grad=True)], others, betas=(0.9, 0.95))
        self._rates = matrices, others
        self._momentum, self._weight_decay = momentum, weight_decay
        self._averages = [torch.zeros_like(each) for each in self._matrices]

    def zero_grad(self) -> None:
        for parameter in self._matrices:
            parameter.grad = None
        self._adam.zero_grad()

    @torch.no_grad()
    def step(self, factor: float = 1.0) -> None:
        """Make one update; `factor` scales both learning rates. Processes that train together share their gradients."""
        average_gradients(self._every)
        for group in self._adam.param_groups:
            group["lr"] = self._rates[1] * factor
        self._adam.step()
        by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for parameter, average in zip(self._matrices, self._averages, strict=True):
            if parameter.grad is not None:
                average.lerp_(parameter.grad, 1 - self._momentum)
                update = parameter.grad.lerp(average, self._momentum)
                by_shape[(len(update), update[0].numel())].append((parameter, update.reshape(len(update), -1)))
        for (rows, columns), group in by_shape.items():
            updates = orthogonalise(torch.stack([update for _, update in group])) * max(1, rows / columns) ** 0.5
            for (parameter, _), update in zip(group, updates, strict=True):
                rate = self._rates[0] * factor
                parameter.mul_(1 - rate * self._weight_decay).sub_(update.view_as(parameter), alpha=rate)

    def state_dict(self) -> dict[str, Any]:
        return {"adam": self._adam.state_dict(), "averages": self._averages}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._adam.load_state_dict(state["adam"])
        for average, stored in zip(self._averages, state["averages"], strict=True):
            average.copy_(stored)


def _is_matrix(parameter: Tensor, smallest: int) -> bool:
    return bool(parameter.ndim >= 2 and min(len(parameter), parameter[0].numel()) >= smallest)
