"""The device of a training: everything is made on torch's default device, which is chosen once."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor


def choose() -> torch.device:
    """Make the GPU the default device if there is one, and return the device."""
    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.get_default_device()


def half() -> torch.autocast:
    """Return a context with bfloat16 products on a GPU: most CPUs multiply float32 faster."""
    kind = torch.get_default_device().type
    return torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu")


def load(path: Path) -> Any:
    """Return what `torch.save` wrote, on the current device."""
    return torch.load(path, map_location=torch.get_default_device(), weights_only=True)


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file."""
    return dict(load_file(path, device=str(torch.get_default_device())))
