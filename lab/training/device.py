"""Where a training computes: whatever it makes is made on torch's default device, which is chosen once."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor


def choose() -> torch.device:
    """Make the GPU the default device where there is one, and say which it is."""
    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.get_default_device()


def half() -> torch.autocast:
    """Products in bfloat16 for a while, on a GPU: most CPUs multiply float32 faster."""
    kind = torch.get_default_device().type
    return torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu")


def load(path: Path) -> Any:
    """What `torch.save` wrote, wherever it was computed."""
    return torch.load(path, map_location=torch.get_default_device(), weights_only=True)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file."""
    return dict(load_file(path, device=str(torch.get_default_device())))
