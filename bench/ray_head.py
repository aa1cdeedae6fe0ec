"""What the head spends on each worker of a cluster while it runs a job; needs Ray.

python -m bench.ray_head 8         # with 8 workers, on this machine; they render nothing
"""

import sys
import tempfile
import time
from pathlib import Path

from bench.cluster import home_at, pocket
from bench.followers import Stepping, used_in
from ltx_studio.queue import LOCAL, JobSpec, Running
from ltx_studio.runners.ray.cluster import RayCluster
from ltx_studio.runners.ray.runner import RayRunner
from ltx_studio.studio import Studio

SECONDS = 15.0


def main(workers: int) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        settings = home_at(Path(scratch) / "home")
        runner = RayRunner(settings, RayCluster(settings, workers=workers, make_runner=Stepping))
        runner.open()
        studio = Studio(settings, runner)
        studio.work()
        while runner.lanes() < workers:
            time.sleep(0.2)
        idle = used_in(SECONDS)
        spec = JobSpec.from_request("t2v", {"prompt": "a red ball", "seed": 1}, pocket(settings), "fast")
        jobs = studio.jobs.submit(LOCAL, [spec.with_seed(seed) for seed in range(workers)])
        while not all(isinstance(studio.jobs.get(job, LOCAL).state, Running) for job in jobs):
            time.sleep(0.2)
        time.sleep(3)
        running = used_in(SECONDS)
        studio.close()
    print(
        f"{workers} workers: the head uses {idle:.1%} of a core while they are idle, {running:.1%} while they run jobs"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
