"""A small transformer with every weight at work, and latents for it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lab import architecture
from lab.training.transformer import make
from ltx_studio.engine import Engine


@pytest.fixture(scope="module")
def net(engine: Engine) -> Any:
    torch.manual_seed(0)
    net = make().eval().requires_grad_(False)
    for parameter in net.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.05)  # what begins at zero would hide a mistake
    return net


@pytest.fixture
def latents() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    video = torch.randn(1, 128, 4, 3, 4, generator=generator)
    audio = torch.randn(1, 8, 27, 16, generator=generator)
    return video, audio, torch.randn(1, 16, architecture.TEXT_WIDTH, generator=generator)
