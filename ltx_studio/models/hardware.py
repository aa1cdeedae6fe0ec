"""Find this machine's GPU and memory without torch, whose import takes seconds."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

_PATIENCE = 10.0
"""Seconds for `nvidia-smi`, which may have to load the driver."""

_NVIDIA_SMI = ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")
_QUERY = tuple(f"{2 * '-'}{option}" for option in ("query-gpu=name,memory.total", "format=csv,noheader,nounits"))
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Hardware:
    """The GPU and the memory that models can use.

    Attributes:
        gpu: The GPU's name; empty without one.
        vram: Bytes of its memory; 0 without one, or if that is unknown.
        ram: Bytes of the machine's memory.
        shared: Whether the GPU uses the machine's memory, as Apple's do.
    """

    gpu: str
    vram: int
    ram: int
    shared: bool = False


@lru_cache(maxsize=1)
def find_hardware() -> Hardware:
    """Return this machine's first GPU, and its memory."""
    ram = _ram()
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Hardware(_output("sysctl", "-n", "machdep.cpu.brand_string") or "Apple GPU", ram, ram, shared=True)
    name, vram = next(_gpus(), ("", 0))
    return Hardware(name, vram, ram)


def _gpus() -> Iterator[tuple[str, int]]:
    """Yield the name and the bytes of memory of each GPU."""
    for program in _NVIDIA_SMI:
        if found := shutil.which(program):
            for line in _output(found, *_QUERY).splitlines():
                name, _, mebibytes = line.rpartition(",")
                with suppress(ValueError):
                    yield name.strip(), int(mebibytes) << 20
            break
    if Path("/dev/kfd").exists():
        for memory in sorted(Path("/sys/class/drm").glob("card*/device/mem_info_vram_total")):
            with suppress(OSError, ValueError):
                yield _text(memory.with_name("product_name")) or "AMD GPU", int(memory.read_text())


def _ram() -> int:
    """Return the bytes of memory, or those that a container may use."""
    limits = [psutil.virtual_memory().total]
    for name in _CGROUPS:
        with suppress(OSError, ValueError):  # "max" is no limit
            limits.append(int(Path(name).read_text()))
    return int(min(limits))


def _text(path: Path) -> str:
    """Return a file's text; empty if there is none."""
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""


def _output(*command: str) -> str:
    """Return what a command prints; empty if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()
