"""Studios with several workers, on this machine or on others. Ray is imported only here, and only on demand."""

import os
import subprocess
import time

from ltx_studio.errors import RequestError
from ltx_studio.runners.cluster_state import WorkerState, read_states
from ltx_studio.settings import Settings
from ltx_studio.studio.studio import Studio


def open_studio(settings: Settings, *, workers: int | None = None, address: str | None = None) -> Studio:
    """Return a studio that runs its jobs on several workers.

    Args:
        settings: The studio's settings.
        workers: Start this many workers on this machine.
        address: Use the workers of the cluster at this address: ``host:port``, or ``auto``.

    Raises:
        RequestError: Both are given.
        SetupError: Ray is not installed, or the cluster cannot be used.
    """
    if workers is not None and address is not None:
        raise RequestError("Jobs run on this machine or on a cluster, not both.", "Use one of them.")
    from ltx_studio.runners.ray.cluster import RayCluster
    from ltx_studio.runners.ray.runner import RayRunner

    runner = RayRunner(settings, RayCluster(settings, workers=workers, address=address))
    runner.open()
    return Studio(settings, runner, works=True)


def join(address: str, slots: int | None) -> int:
    """Make this machine part of a cluster until the process is stopped, and return the exit code.

    Args:
        address: The address of the cluster, ``host:port``.
        slots: How many workers to have; None is one for each GPU, or one.

    Raises:
        SetupError: Ray is not installed.
    """
    from ltx_studio.runners.ray.join import join_command

    command = list(join_command(address, slots))
    if os.name == "posix":  # Ray takes the place of this process, so that each signal reaches it
        os.execv(command[0], command)
    with subprocess.Popen(command) as joined:
        try:
            return joined.wait()
        except KeyboardInterrupt:
            return joined.wait()  # the signal went to it, too


def states(settings: Settings) -> tuple[WorkerState, ...]:
    """Return the workers of the studio that serves this home, as it last wrote them; none without a cluster."""
    return read_states(settings)


def seconds_ago(state: WorkerState) -> float:
    """Return how long ago a worker last answered."""
    return max(time.time() - state.heard, 0.0)
