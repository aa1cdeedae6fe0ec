"""Measure what each mode takes in each preset on the pocket model, and write the README's table of it.

python -m tools.table [--only t2v]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltx_studio.cli.hints import hint_of
from ltx_studio.engine import comfyui
from ltx_studio.errors import StudioError
from ltx_studio.logs import log_to_file
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.pocket.install import install
from ltx_studio.queue import JobSpec
from ltx_studio.settings import get_settings
from ltx_studio.studio import Studio
from tools.demo import SHARED, made

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- Below: written by make table. -->", "<!-- Above: written by make table. -->"
PRESETS = "draft", "fast", "balanced", "quality"
SECONDS = 2.0

Cells = dict[str, dict[str, Any]]
"""By preset: `seconds` and `peak_memory`, from the take."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=MODES, help="measure this mode, print what was found, write nothing")
    only: str | None = parser.parse_args().only
    if only:
        try:
            print(json.dumps(measured(only)), flush=True)
        except StudioError as error:
            sys.exit(f"{error.message}\n{hint_of(error)}")
        os._exit(0)  # torch's threads may not end
    found = {mode: in_a_process(mode) for mode in MODES}
    machine = found[next(iter(found))].pop("device")["name"]
    write(README, {mode: {preset: cells[preset] for preset in PRESETS} for mode, cells in found.items()}, machine)
    print(README)


def in_a_process(mode: str) -> Cells:
    """Measure a mode in a separate process, so that no other mode's memory counts."""
    command = [sys.executable, "-m", "tools.table", "--only", mode]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(mode: str) -> Cells:
    """Return figures of the second run of each preset, cheapest preset first: the first run loads what it needs.

    It uses a separate home, so that it does not appear in any history.

    Raises:
        StudioError: A run failed, or the studio is not set up.
    """
    installed = comfyui.find(get_settings())
    with tempfile.TemporaryDirectory() as scratch:
        settings = replace(get_settings(), home=Path(scratch), comfy_dir=installed.path)
        log_to_file(settings)
        install(settings)
        values = {**MODES[mode].examples[0].values, **SHARED, "seconds": SECONDS}
        studio = Studio(settings)
        cells: Cells = {}
        pocket = get_registry(settings).get_set("pocket")
        for preset in PRESETS:
            for seed in (1, 2):
                take = made(studio, JobSpec.from_request(mode, {**values, "seed": seed}, pocket, preset))
            cells[preset] = {name: take.measured[name] for name in ("seconds", "peak_memory")}
        memory = studio.memory()
        cells["device"] = {"name": machine(memory.device if memory else "")}
        studio.close(timeout=10)
        return cells


def machine(device: str) -> str:
    """Return a description of the machine without its name: ``2 cores of AMD EPYC, no GPU``."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpu = "no GPU" if not device or device.startswith("cpu") else device.partition(" ")[2] or device
    return f"{count} cores of {processor()}, {gpu.removesuffix(' : native').removesuffix(' : cudaMallocAsync')}"


def processor() -> str:
    """Return the name of the processor model from the system."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def write(readme: Path, found: Mapping[str, Cells], machine: str) -> None:
    """Write the table between the README's two marks.

    Raises:
        ValueError: The README lacks them.
    """
    head, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme} lacks the marks between which the table goes")
    clip = f"{SHARED['width']}×{SHARED['height']}, {SECONDS:g} s, with sound"
    lines = (
        f"The pocket preview on {machine}: time and peak memory for a clip of {clip}, after the model is loaded.",
        "",
        f"| mode | {' | '.join(PRESETS)} |",
        "|---" * (len(PRESETS) + 1) + "|",
        *(f"| `{mode}` | {' | '.join(_cell(cells[preset]) for preset in PRESETS)} |" for mode, cells in found.items()),
    )
    readme.write_text("\n".join((head + BEGIN, "", *lines, "", END + tail)), encoding="utf-8")


def _cell(cell: Mapping[str, Any]) -> str:
    return f"{cell['seconds']:.1f} s, {cell['peak_memory'] / 1e9:.1f} GB"


if __name__ == "__main__":
    main()
