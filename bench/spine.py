"""How long the way from nothing to a clip takes: the command's start, ComfyUI's, the first clip, the warm ones.

make bench
"""

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ltx_studio.engine import Engine, run_folders
from ltx_studio.events import Finished
from ltx_studio.logs import log_to_file
from ltx_studio.media import by_name
from ltx_studio.models.registry import load_registry
from ltx_studio.pocket import files as pocket
from ltx_studio.queue import JobSpec
from ltx_studio.settings import get_settings

RUNS = 5
CLIP = {"prompt": "a red ball bounces to the right", "seconds": 2}


def main() -> None:
    bare = median(lambda: python("-c", "pass"))
    show("python -c pass", bare, bare)
    show("import ltx_studio", median(lambda: python("-c", "import ltx_studio")), bare)
    show("ltx-studio --help", median(lambda: python("-m", "ltx_studio", "--help")), bare)

    settings = get_settings()
    log_to_file(settings)
    engine = Engine(settings)
    torch = seconds(lambda: python("-c", "import torch"))
    show("import torch", torch, torch)
    show("start ComfyUI", seconds(engine.wait_ready), torch)

    forget_files(settings.models_dir)
    first = seconds(lambda: clip(engine, 1))
    show("first clip (256×192, 2 s)", first, first)
    seeds = itertools.count(2)
    warm = median(lambda: clip(engine, next(seeds)))
    show("new seed, warm", warm, first)
    show("load the model: cold at most", first - warm, first)
    show("… again, in one process", median(lambda: clip_from_files(engine, next(seeds))) - warm, first)
    show("same request again, warm", median(lambda: clip(engine, 1)), first)


def python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def forget_files(models_dir: Path) -> None:
    """Drop the pocket model's files from the system's cache, if possible, so that they are read from disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    for name in pocket.ALL:
        with (models_dir / name).open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def clip(engine: Engine, seed: int) -> None:
    workflow = JobSpec.from_request("t2v", CLIP | {"seed": seed}, load_registry().get_set("pocket")).build(by_name)
    *_, outcome = engine.run(workflow)
    if not isinstance(outcome, Finished):
        raise SystemExit(f"no clip: {outcome}")
    for output in outcome.outputs:
        run_folders.discard(output.path)


def clip_from_files(engine: Engine, seed: int) -> None:
    engine.unload()
    clip(engine, seed)


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(work: Callable[[], None]) -> float:
    return statistics.median(seconds(work) for _ in range(RUNS))


def show(what: str, took: float, against: float) -> None:
    print(f"{what:<28} {took:7.2f} s   ×{took / against:.2f}", flush=True)


if __name__ == "__main__":
    main()
