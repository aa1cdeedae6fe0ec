"""The model set that a studio uses when none is named."""

import platform
import sys
from pathlib import Path

from ltx_studio.errors import SetupError
from ltx_studio.models.registry import Registry, get_registry
from ltx_studio.models.store import Store
from ltx_studio.settings import Settings

PREVIEW, FOR_A_GPU = "pocket", "fp8"

_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Device files of the NVIDIA, AMD and WSL drivers. Importing torch to check would take seconds."""


def default_set(settings: Settings, registry: Registry | None = None) -> str:
    """Return the settings' set, otherwise `fp8` if there is a GPU and its files are present, else the pocket preview.

    Raises:
        SetupError: The settings name a set that does not exist; the error says where.
    """
    registry = registry or get_registry(settings)
    if settings.model_set:
        return _chosen(settings, registry)
    store = Store(settings, registry)
    loaders = registry.sets[FOR_A_GPU].loaders.nodes
    is_here = has_gpu() and all(store.find(file) for file in registry.needs(loaders))
    return FOR_A_GPU if is_here else PREVIEW


def set_to_fetch(settings: Settings) -> str:
    """Return the set to fetch when none is named: the settings' one, unless it is built locally, otherwise `fp8`.

    Raises:
        SetupError: The settings name a set that does not exist; the error says where.
    """
    return FOR_A_GPU if settings.model_set in ("", PREVIEW) else _chosen(settings, get_registry(settings))


def _chosen(settings: Settings, registry: Registry) -> str:
    """Return the set from the settings, checked."""
    if settings.model_set not in registry.sets:
        where = settings.origins.get("model_set", "model_set")
        raise SetupError(
            f"{where} is {settings.model_set!r}, which is not a model set.",
            f"Set it to one of: {', '.join(registry.sets)}.",
        )
    return settings.model_set


def has_gpu() -> bool:
    """Return whether this machine has a GPU that ComfyUI can use, judging by its device files."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return any(Path(driver).exists() for driver in _DRIVERS)
