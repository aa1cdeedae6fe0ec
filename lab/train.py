"""Train the pocket model, from nothing to the files that come with the package.

    python -m lab.train                     all of it: some hours on two cores
    python -m lab.train --quick             hardly, in outputs/pocket-quick: a proof that it runs
    python -m lab.train --from-shipped --phase clips --phase base_model --more 2000
                                                          train a part of what came with the package further

It can be stopped and called again: what is done is kept in the folder, with a curve of every part as CSV.
"""

import argparse
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from ltx_studio.engine.boot import boot
from ltx_studio.pocket import files
from ltx_studio.settings import Vram, get_settings

PORT = 29511


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where it is kept (default: outputs/pocket)")
    parser.add_argument("--weights", type=Path, help="where the finished files go (default: into the package)")
    parser.add_argument("--phase", action="append", help="only this one; may be given again")
    parser.add_argument("--processes", type=int, default=2, help="of one thread each; one does on a GPU (default: 2)")
    parser.add_argument("--more", type=int, default=0, metavar="STEPS", help="train further what has ended")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--from-shipped", action="store_true", help="begin with what is in --weights")
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.folder = given.folder or Path("outputs/pocket-quick" if given.quick else "outputs/pocket")
    given.weights = given.weights or (given.folder / "weights" if given.quick else files.SHIPPED)
    if given.quick and given.weights.resolve() == files.SHIPPED.resolve():
        parser.error("--quick makes weights that know nothing: they cannot take the place of the package's own")
    others = []
    if given.rank == 0:
        command = [sys.executable, "-m", "lab.train", *sys.argv[1:]]
        others = [subprocess.Popen([*command, "--rank", str(rank)]) for rank in range(1, given.processes)]
    try:
        work(given)
    finally:
        for other in others:
            other.terminate() if sys.exc_info()[0] else other.wait()


def work(given: argparse.Namespace) -> None:
    """Run the training in one of the processes."""
    # otherwise ComfyUI's VAE decodes into main memory
    boot(replace(get_settings(), vram=Vram.GPU_ONLY) if shutil.which("nvidia-smi") else get_settings())
    import torch

    from lab.training import device, parallel
    from lab.training.export import export, restore
    from lab.training.phases import Training

    on_gpu = device.choose().type != "cpu"
    if on_gpu and given.rank:
        return
    processes = 1 if on_gpu else given.processes
    if processes > 1:
        torch.set_num_threads(1)
        parallel.join(given.rank, processes, PORT)
    if given.from_shipped and given.rank == 0:
        restore(given.weights, given.folder)
    parallel.meet()
    training = Training(given.folder, quick=given.quick, more=given.more)
    for phase in training.phases():
        if given.phase and phase.name not in given.phase:
            continue
        if phase.together:
            phase.tasks[0]()
        else:
            with parallel.alone():
                for task in phase.tasks[given.rank :: processes]:
                    task()
        parallel.meet()
    if given.rank == 0:
        export(given.folder, given.weights)


if __name__ == "__main__":
    main()
