"""Say what this machine can run: the model set that suits it, the time a clip takes, and requests that do not fit.

Nothing here was measured with full-size models: the figures are estimates, from the sizes of the files and from what
others report, and interfaces say so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ltx_studio.families import ModelSet
from ltx_studio.models.defaults import FOR_A_GPU, PREVIEW
from ltx_studio.models.hardware import Hardware, find_hardware
from ltx_studio.models.needs import GIB, Needs, needs_of
from ltx_studio.models.registry import Registry
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.text.formatting import in_whole_gb

if TYPE_CHECKING:
    from ltx_studio.engine import Memory

FOR_BLACKWELL, FOR_LARGE_GPUS = "nvfp4", "bf16"

LEAST_VRAM = 8 * GIB
"""With less, a full-size model is not recommended. Others report LTX-2 on cards of 8 GB (nalexand, WanGP)."""
LARGE_VRAM, LARGE_SHARED = 80 * GIB, 96 * GIB
"""From here on, the model in full precision fits."""
_NEARLY = 0.93
"""A card sold with 12 GB reports a little less."""
_ENOUGH_RAM = 0.6
"""Below this part of the memory that a set needs, its files are read from disk again and again. (Estimate.)"""
_USABLE = 0.95
_SMALLER, _SMALLEST = 0.9, 0.2
"""Steps in which the sides of a clip are made smaller, and where that ends, as parts of what was asked for."""
_SHORTER, _SHORTEST = 0.5, 3.0
"""Seconds by which a clip is made shorter, and the shortest that is worth suggesting."""

_BLACKWELL = re.compile(r"\bRTX (PRO )?50\d0\b|Blackwell|\bG?B[23]00\b", re.IGNORECASE)

_SECONDS: Mapping[int, tuple[int, int]] = {
    80: (15, 60),  # 1280×704 on an H200, and half of that speed
    32: (30, 90),  # RTX 5090: 34 to 70 s for 96 frames (ComfyUI#14179)
    24: (45, 120),  # RTX 3090: 72 s (WanGP's users)
    16: (90, 240),  # 4 to 5 minutes for 10 s (ComfyUI#13023)
    12: (150, 400),  # 377 s for a lipsync on 10 to 16 GB (ComfyUI-LTXVideo#438)
    8: (240, 600),  # RTX 3070 Ti: 300 s (nalexand's LTX-2)
}
"""GiB of GPU memory → seconds for five seconds of 1280×704 in Fast, as others report them."""
_SECONDS_ON_A_MAC = (1200, 2400)
"""M2 Pro: 1650 s for 97 frames of 1280×704 with MLX (ltx-desktop-macos)."""


class Fit(StrEnum):
    """How well a model set suits a machine."""

    WELL = "well"
    """The whole model stays on the GPU, or the set needs none."""
    STREAMED = "streamed"
    """It runs, with the weights streamed from memory."""
    SMALL = "small"
    """It runs for small or short clips only, or slowly."""
    HARDLY = "hardly"
    """A clip would take hours, or not be possible."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to change in a request that does not fit.

    Attributes:
        message: Why it does not fit, and what does, in one or two sentences.
        values: By parameter, the nearest values that fit; empty if none do.
    """

    message: str
    values: Mapping[str, float] = field(default_factory=dict)


def hardware(memory: "Memory | None" = None) -> Hardware:
    """Return this machine's hardware, as ComfyUI reports it once it runs: it may use no GPU although there is one."""
    found = find_hardware()
    if memory is None:
        return found
    if memory.device.startswith("cpu"):
        return Hardware("", 0, found.ram)
    name = re.sub(r"^\w+:\d+ ", "", memory.device.split(" : ")[0])
    return replace(found, gpu=found.gpu if found.shared else name, vram=memory.total)


def named(found: Hardware) -> str:
    """Return the name of the hardware: its GPU, and its memory."""
    ram = f"{in_whole_gb(found.ram)} GB of memory"
    if not found.gpu:
        return f"no GPU, {ram}"
    if found.shared or not found.vram:
        return f"{found.gpu}, {ram}"
    return f"{found.gpu}, {in_whole_gb(found.vram)} GB, and {ram}"


def fit(needs: Needs, found: Hardware) -> Fit:
    """Return how well a model set with these needs suits a machine."""
    if not needs.vram:
        return Fit.WELL
    if found.gpu and not found.vram:
        return Fit.UNKNOWN
    if not found.gpu or found.vram < LEAST_VRAM * _NEARLY or found.ram < needs.ram * _ENOUGH_RAM:
        return Fit.HARDLY
    if found.vram < needs.vram * _NEARLY:
        return Fit.SMALL
    return Fit.WELL if found.vram >= needs.whole * _NEARLY else Fit.STREAMED


def recommended(registry: Registry, found: Hardware) -> str:
    """Return the id of the model set that suits a machine best."""
    wanted = FOR_A_GPU
    if found.shared:  # PyTorch has no fp8 on Apple's GPUs
        wanted = FOR_LARGE_GPUS if found.ram >= LARGE_SHARED * _NEARLY else PREVIEW
    elif found.vram >= LARGE_VRAM * _NEARLY:
        wanted = FOR_LARGE_GPUS
    elif _BLACKWELL.search(found.gpu) and found.vram < 32 * GIB * _NEARLY:
        wanted = FOR_BLACKWELL
    if fit(needs_of(registry.sets[wanted], registry), found) in (Fit.HARDLY, Fit.UNKNOWN):
        return PREVIEW
    return wanted


def expected_seconds(needs: Needs, found: Hardware) -> tuple[int, int] | None:
    """Return between how many seconds a clip of five seconds takes in the default size and Fast, if that is known."""
    if not needs.vram or fit(needs, found) in (Fit.HARDLY, Fit.UNKNOWN):
        return None
    if found.shared:
        return _SECONDS_ON_A_MAC
    return next((said for size, said in _SECONDS.items() if found.vram >= size * GIB * _NEARLY), None)


def warning(model_set: ModelSet, registry: Registry, found: Hardware) -> str:
    """Return a sentence on why a set hardly runs on a machine; empty if it does."""
    needs = needs_of(model_set, registry)
    if fit(needs, found) is not Fit.HARDLY:
        return ""
    if not found.gpu:
        return f"{model_set.label} needs a GPU: on this computer's CPU a clip takes hours."
    if found.vram < LEAST_VRAM * _NEARLY:
        return (
            f"{model_set.label} needs at least {in_whole_gb(LEAST_VRAM)} GB of GPU memory; {found.gpu} has"
            f" {in_whole_gb(found.vram)} GB."
        )
    return (
        f"{model_set.label} needs about {in_whole_gb(needs.ram)} GB of memory (RAM); this computer has"
        f" {in_whole_gb(found.ram)} GB, so clips are slow or run out of memory."
    )


def misfit(spec: JobSpec, registry: Registry, found: Hardware) -> Suggestion | None:
    """Return why a request does not fit on a machine, with the nearest one that does; None if it fits."""
    said = warning(spec.model_set, registry, found)
    if said:
        return Suggestion(said)
    if not found.vram or not needs_of(spec.model_set, registry).vram:
        return None
    params, most = spec.params, found.vram * _USABLE
    needed = _needed(spec)
    if needed <= most:
        return None
    what = "memory" if found.shared else "GPU memory"
    message = (
        f"{params.seconds:.1f} s at {params.width}×{params.height} needs about {in_whole_gb(needed)} GB of {what};"
        f" this computer has {in_whole_gb(found.vram)} GB."
    )
    for values, named in (*_shorter(spec), *_smaller(spec)):
        if _needed(spec, **values) <= most:
            return Suggestion(f"{message} {named} fits.", values)
    return Suggestion(message)


def _shorter(spec: JobSpec) -> Iterator[tuple[dict[str, float], str]]:
    """Yield shorter lengths down to half of what was asked for, and their names."""
    seconds = spec.params.seconds
    while (seconds := seconds - _SHORTER) >= max(_SHORTEST, spec.params.seconds / 2):
        yield {"seconds": seconds}, f"{seconds:g} s"


def _smaller(spec: JobSpec) -> Iterator[tuple[dict[str, float], str]]:
    """Yield smaller sizes, and their names."""
    geometry, scale = spec.model_set.family.geometry, 1.0
    while (scale := scale * _SMALLER) > _SMALLEST:
        sides = (geometry.snap(side * scale, geometry.size_step) for side in (spec.params.width, spec.params.height))
        width, height = sides
        yield {"width": width, "height": height}, f"{width}×{height}"


def _needed(spec: JobSpec, **changes: float) -> int:
    """Return the bytes that decoding takes, with other values of the request, beside what else is on the GPU."""
    values = {name: changes.get(name, getattr(spec.params, name)) for name in ("width", "height", "seconds")}
    family = spec.model_set.family
    frames = family.geometry.frames(values["seconds"], spec.params.fps)
    return family.decode_bytes(int(values["width"]), int(values["height"]), frames) + GIB
