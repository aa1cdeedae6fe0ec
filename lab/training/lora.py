"""Low-rank changes to the transformer that can be trained, disabled and written as a LoRA file."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

ALL_LAYERS = r"\.to_(q|k|v|out\.0)$|ff\.net\.(0\.proj|2)$"
"""Every linear layer of a block except the gates."""
PICTURE_LAYERS = r"\.(attn1|attn2)\.to_(q|k|v|out\.0)$|\.ff\.net\.(0\.proj|2)$"
"""Layers that the sound does not pass through."""
STEERED_LAYERS = r"\.(attn1|attn2)\.to_(q|k|v|out\.0|gate_logits)$|\.ff\.net\.(0\.proj|2)$"
"""The same plus the gates: which corner of a smaller control clip a token copies depends on its position."""


class _LowRank(nn.Module):  # type: ignore[misc]  # torch is not followed
    def __init__(self, rows: int, columns: int, rank: int) -> None:
        super().__init__()
        rank = min(rank, rows, columns)
        self.down = nn.Parameter(torch.randn(rank, columns) * columns**-0.5)
        self.up = nn.Parameter(torch.zeros(rows, rank))
        self.strength = 1.0

    def forward(self, weight: Tensor) -> Tensor:
        return weight if self.strength == 0 else weight + self.strength * (self.up @ self.down)


class Lora:
    """A LoRA on an `LTXAVModel`, whose own weights do not change."""

    def __init__(self, net: Any, *, rank: int, layers: str = ALL_LAYERS) -> None:
        net.requires_grad_(False)
        self._parts: dict[str, _LowRank] = {}
        for name, module in list(net.transformer_blocks.named_modules()):
            if isinstance(module, nn.Linear) and re.search(layers, f".{name}"):
                part = _LowRank(module.out_features, module.in_features, rank)
                parametrize.register_parametrization(module, "weight", part, unsafe=True)
                self._parts[f"diffusion_model.transformer_blocks.{name}"] = part

    @classmethod
    def of(cls, net: Any, tensors: Mapping[str, Tensor], *, layers: str, strength: float) -> "Lora":
        """Return a trained LoRA."""
        lora = cls(net, rank=max(min(tensor.shape) for tensor in tensors.values()), layers=layers)
        lora.load_state_dict(tensors)
        lora.set(strength)
        return lora

    def parameters(self) -> list[Tensor]:
        return [parameter for part in self._parts.values() for parameter in (part.up, part.down)]

    @contextmanager
    def at(self, strength: float) -> Iterator[None]:
        """Set the strength for a while; 0 disables it."""
        before = [part.strength for part in self._parts.values()]
        self.set(strength)
        try:
            yield
        finally:
            for part, value in zip(self._parts.values(), before, strict=True):
                part.strength = value

    def set(self, strength: float) -> None:
        for part in self._parts.values():
            part.strength = strength

    def state_dict(self) -> dict[str, Tensor]:
        """Return the tensors by ComfyUI's names."""
        tensors = {}
        for name, part in self._parts.items():
            tensors[f"{name}.lora_A.weight"] = part.down
            tensors[f"{name}.lora_B.weight"] = part.up
        return tensors

    @torch.no_grad()
    def load_state_dict(self, tensors: Mapping[str, Tensor]) -> None:
        for name, part in self._parts.items():
            part.down.copy_(tensors[f"{name}.lora_A.weight"])
            part.up.copy_(tensors[f"{name}.lora_B.weight"])

    @torch.no_grad()
    def approach(self, tensors: Mapping[str, Tensor]) -> None:
        """Set this LoRA to the best approximation of one on the same layers with a higher rank."""
        for name, part in self._parts.items():
            change = tensors[f"{name}.lora_B.weight"] @ tensors[f"{name}.lora_A.weight"]
            left, sizes, right = torch.linalg.svd(change.float(), full_matrices=False)
            root = sizes[: len(part.down)].sqrt()
            part.up.copy_(left[:, : len(root)] * root)
            part.down.copy_(root[:, None] * right[: len(root)])
