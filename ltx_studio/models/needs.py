"""What a model set needs of a machine, estimated from the sizes of its files."""

from collections.abc import Iterable
from dataclasses import dataclass

from ltx_studio.families import ModelSet
from ltx_studio.models.files import ModelFile
from ltx_studio.models.registry import Registry
from ltx_studio.text.formatting import GIGABYTE

GIB = 1 << 30

FULL_SIZE = 1024
"""The width of picture tokens that makes a model a full-size one; the pocket model's have 192, the 22B one's 4096."""

_ASSUMED = 25 * GIGABYTE
"""Bytes of a full-size model whose file has no known size."""
_BESIDE = 1_452_258_578 + 364_855_188 + 2_312_149_072
"""Bytes of a whole checkpoint that are not the transformer: both VAEs and the text projection. (Counted.)"""
_WORK = int(4.5 * GIGABYTE)
"""Bytes that sampling takes beside the transformer. (Estimate.)"""
_PROGRAMS = 5 * GIGABYTE
"""Bytes of memory for torch, ComfyUI, the browser and the system. (Estimate.)"""
_USABLE = 0.95
"""The part of a GPU's memory that programs get."""

VRAM_SIZES = (8, 12, 16, 24, 32, 48, 80, 96, 128, 192)
RAM_SIZES = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""In GiB, as they are sold."""

POCKET_RAM = 4 * GIB
"""The pocket model's processes peak at 1.3 to 2.2 GB. (Measured: the table in the README.)"""


@dataclass(frozen=True, slots=True)
class Needs:
    """The memory of a model set.

    Attributes:
        vram: Bytes of GPU memory for a clip of the set's default size, with the weights streamed from memory; 0 if it
            needs no GPU.
        whole: Bytes of GPU memory that hold the whole model, which is the fastest.
        ram: Bytes of memory.
        is_measured: Whether this was measured; otherwise it is an estimate.
    """

    vram: int
    whole: int
    ram: int
    is_measured: bool = False


def needs_of(model_set: ModelSet, registry: Registry) -> Needs:
    """Return what a set needs for a clip of its default size and five seconds."""
    if model_set.token_width < FULL_SIZE:
        return Needs(0, 0, POCKET_RAM, is_measured=True)
    files = registry.needs(model_set.loaders.nodes)
    model = _model_bytes(files)
    frames = model_set.family.geometry.frames(5, 24)
    work = model_set.family.decode_bytes(model_set.width, model_set.height, frames)
    return Needs(
        vram=_size_for(work + GIB, VRAM_SIZES, _USABLE),
        whole=_size_for(model + _WORK, VRAM_SIZES, _USABLE),
        ram=_size_for(sum(file.size for file in files) + _PROGRAMS, RAM_SIZES),
    )


def _model_bytes(files: Iterable[ModelFile]) -> int:
    """Return the bytes of the transformer among a set's files."""
    sizes = {file.folder: file.size for file in files if file.folder in ("checkpoints", "diffusion_models")}
    if "diffusion_models" in sizes:
        return sizes["diffusion_models"] or _ASSUMED
    return max(sizes.get("checkpoints", 0) - _BESIDE, 0) or _ASSUMED


def _size_for(count: int, sizes: Iterable[int], usable: float = 1.0) -> int:
    """Return the smallest size on sale that holds `count` bytes."""
    held = (size * GIB for size in sizes if size * GIB * usable >= count)
    return next(held, count)
