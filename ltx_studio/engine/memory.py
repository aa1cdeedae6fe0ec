"""The state of the device and its memory, for a badge and for tests."""

from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory reading.

    Attributes:
        device: ComfyUI's name of the device, such as ``"cpu"`` or ``"cuda:0 NVIDIA H200"``.
        tier: ComfyUI's memory policy: ``disabled`` (CPU), ``shared``, ``no``, ``low``, ``normal`` or ``high`` VRAM.
        total: Bytes of the device's memory.
        free: Bytes of it that are free now.
        used: Bytes that the studio uses: on a CPU those of its process, else all used bytes of the device.
        models: The loaded models: class name and bytes on the device.
    """

    device: str
    tier: str
    total: int
    free: int
    used: int
    models: tuple[tuple[str, int], ...]

    @property
    def taken(self) -> int:
        """Used bytes of the device's memory, by any program."""
        return self.total - self.free

    @property
    def loaded(self) -> int:
        """Bytes of the loaded models on the device."""
        return sum(size for _, size in self.models)

    def __str__(self) -> str:
        return f"{self.device} · {_gib(self.taken)} of {_gib(self.total)} GB in use"


def read(model_management: Any) -> Memory:
    """Read the figures from ComfyUI."""
    device = model_management.get_torch_device()
    patchers = [loaded.model for loaded in list(model_management.current_loaded_models)]  # weak, so read them once
    total, free = int(model_management.get_total_memory(device)), int(model_management.get_free_memory(device))
    return Memory(
        device=str(model_management.get_torch_device_name(device)),
        tier=model_management.vram_state.name.lower().removesuffix("_vram"),
        total=total,
        free=free,
        used=psutil.Process().memory_info().rss if device.type == "cpu" else total - free,
        models=tuple((type(item.model).__name__, int(item.loaded_size())) for item in patchers if item is not None),
    )


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f}"
