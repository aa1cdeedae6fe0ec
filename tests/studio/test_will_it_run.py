"""What a machine can run: the set that is recommended, the warnings, and what fits instead."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.engine import Memory
from ltx_studio.families.ltx_2_3.memory import decode_bytes
from ltx_studio.models import hardware as found_by
from ltx_studio.models.hardware import Hardware, find_hardware
from ltx_studio.models.needs import GIB, needs_of
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from ltx_studio.studio import will_it_run
from ltx_studio.studio.health import examine
from ltx_studio.studio.will_it_run import Fit, expected_seconds, fit, misfit, recommended, warning
from tests.rows import check_rows
from tests.support import MODEL_SETS, REGISTRY, small_spec

CPU = Hardware("", 0, 24 * GIB)


def gpu(gigabytes: float, name: str = "NVIDIA GeForce RTX 4070", ram: int = 64) -> Hardware:
    """A card as it reports itself: a little less than what it is sold with."""
    return Hardware(name, int(gigabytes * GIB * 0.98), ram * GIB)


def mac(gigabytes: int) -> Hardware:
    return Hardware("Apple M4 Max", gigabytes * GIB, gigabytes * GIB, shared=True)


RECOMMENDED: tuple[tuple[Hardware, str], ...] = (
    (CPU, "pocket"),
    (gpu(6), "pocket"),
    (gpu(8), "fp8"),
    (gpu(12), "fp8"),
    (gpu(16), "fp8"),
    (gpu(16, "NVIDIA GeForce RTX 5080"), "nvfp4"),
    (gpu(24), "fp8"),
    (gpu(32, "NVIDIA GeForce RTX 5090"), "fp8"),
    (gpu(48, "NVIDIA L40S"), "fp8"),
    (gpu(80, "NVIDIA H100"), "bf16"),
    (gpu(12, ram=16), "pocket"),
    (Hardware("GPU", 0, 64 * GIB), "pocket"),
    (mac(32), "pocket"),
    (mac(128), "bf16"),
)


def test_each_machine_gets_a_set_that_suits_it() -> None:
    def check(row: tuple[Hardware, str]) -> None:
        assert recommended(REGISTRY, row[0]) == row[1]

    check_rows(RECOMMENDED, check, name=str)


def test_what_a_set_needs_follows_from_its_files() -> None:
    needs = {name: needs_of(each, REGISTRY) for name, each in MODEL_SETS.items()}

    assert (needs["fp8"].vram, needs["fp8"].whole, needs["fp8"].ram) == (12 * GIB, 32 * GIB, 48 * GIB)
    assert needs["nvfp4"].whole == 24 * GIB
    assert needs["bf16"].ram == 64 * GIB
    assert (needs["pocket"].vram, needs["pocket"].is_measured) == (0, True)
    assert 10.3e9 < decode_bytes(1280, 704, 121) < 10.5e9  # counted: shared facts of the full-size model
    assert 7.4e9 < decode_bytes(768, 512, 121) < 7.6e9


def test_a_set_fits_well_streamed_small_or_hardly() -> None:
    needs = needs_of(MODEL_SETS["fp8"], REGISTRY)

    assert [fit(needs, each) for each in (CPU, gpu(6), gpu(8), gpu(12), gpu(24), gpu(32))] == [
        Fit.HARDLY, Fit.HARDLY, Fit.SMALL, Fit.STREAMED, Fit.STREAMED, Fit.WELL,
    ]  # fmt: skip
    assert fit(needs_of(MODEL_SETS["pocket"], REGISTRY), CPU) is Fit.WELL
    assert expected_seconds(needs, CPU) is None
    lows = [(expected_seconds(needs, gpu(size)) or (0, 0))[0] for size in (8, 12, 16, 24, 32, 80)]
    assert lows == sorted(lows, reverse=True)


def full(**changes: Any) -> JobSpec:
    return JobSpec.from_request(
        "t2v", {"prompt": "a", "width": 1280, "height": 704, "seconds": 5} | changes, MODEL_SETS["fp8"], "fast"
    )


def test_a_request_that_does_not_fit_is_told_with_what_does() -> None:
    large = misfit(full(width=1920, height=1088), REGISTRY, gpu(8))
    long = misfit(full(seconds=10), REGISTRY, gpu(16))

    assert misfit(full(), REGISTRY, gpu(12)) is None
    assert misfit(small_spec(), REGISTRY, CPU) is None
    assert large is not None
    assert large.message.startswith("5.0 s at 1920×1088 needs about 12 GB of GPU memory; this computer has 7.8 GB.")
    smaller = full(**large.values)
    assert misfit(smaller, REGISTRY, gpu(8)) is None
    assert (smaller.params.width, smaller.params.height) < (1280, 704)
    assert long is not None
    assert misfit(full(**long.values), REGISTRY, gpu(16)) is None
    assert long.message.endswith("7 s fits.")


def test_a_full_size_set_on_a_cpu_is_warned_about() -> None:
    fp8 = MODEL_SETS["fp8"]

    assert warning(fp8, REGISTRY, CPU) == ("LTX-2.3 22B fp8 needs a GPU: on this computer's CPU a clip takes hours.")
    assert "at least 8 GB of GPU memory" in warning(fp8, REGISTRY, gpu(6))
    assert "48 GB of memory (RAM); this computer has 16 GB" in warning(fp8, REGISTRY, gpu(12, ram=16))
    assert warning(fp8, REGISTRY, gpu(12)) == ""
    assert warning(MODEL_SETS["pocket"], REGISTRY, CPU) == ""
    suggestion = misfit(full(), REGISTRY, CPU)
    assert suggestion is not None
    assert "takes hours" in suggestion.message


def test_doctor_names_the_hardware_and_the_set_that_suits_it(set_up: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(will_it_run, "find_hardware", lambda: gpu(12))
    found = {each.name: each for each in examine(set_up)}

    assert found["Hardware"].found == "NVIDIA GeForce RTX 4070, 12 GB, and 64 GB of memory"
    assert found["Model set"].found == "Pocket preview (pocket); recommended here: LTX-2.3 22B fp8 (fp8)"


def test_what_comfyui_reports_counts_more_than_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(will_it_run, "find_hardware", lambda: gpu(12))
    read = Memory("cpu", "disabled", 24 * GIB, GIB, GIB, ())
    on_gpu = Memory("cuda:0 NVIDIA H200 : cudaMallocAsync", "normal", 140 * GIB, GIB, GIB, ())

    assert will_it_run.hardware(read).gpu == ""
    assert (will_it_run.hardware(on_gpu).gpu, will_it_run.hardware(on_gpu).vram) == ("NVIDIA H200", 140 * GIB)


def test_a_gpu_is_found_by_its_drivers_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!{sys.executable}\nprint('NVIDIA GeForce RTX 3060, 12288')\nprint('Other, 1024')\n")
    program.chmod(0o755)
    monkeypatch.setattr(found_by, "_NVIDIA_SMI", (str(program),))
    find_hardware.cache_clear()
    try:
        found = find_hardware()
    finally:
        find_hardware.cache_clear()

    assert (found.gpu, found.vram) == ("NVIDIA GeForce RTX 3060", 12 * GIB)
    assert found.ram > GIB


@pytest.mark.parametrize("error", [OSError("gone"), subprocess.TimeoutExpired("nvidia-smi", 1)])
def test_a_broken_driver_is_no_gpu(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", fails)
    monkeypatch.setattr(sys, "platform", "linux")
    find_hardware.cache_clear()
    try:
        found = find_hardware()
    finally:
        find_hardware.cache_clear()

    assert found.vram == 0 or "AMD" in found.gpu
